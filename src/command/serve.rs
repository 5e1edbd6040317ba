//! `labelstream serve`: the custom handler.

mod many;
mod one;

use std::{net::Ipv4Addr, process::ExitCode, sync::Arc};

use labelstream::{
    handler::{self, Runner},
    settings, telemetry,
    tenants::Source,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::{many::ManyTenants, one::OneTenant};
use super::{asked_to_end, runtime, say, wrong_use};

/// The port that the Functions host chose.
const PORT: &str = "FUNCTIONS_CUSTOMHANDLER_PORT";

pub fn serve() -> ExitCode {
    let port = match settings::process_environment(PORT).map(|port| port.trim().parse::<u16>()) {
        Some(Ok(port)) => port,
        Some(Err(_)) => return wrong_use(&format!("{PORT} is no port number; the Functions host sets it")),
        None => {
            return wrong_use(&format!(
                "{PORT} is not set: the Functions host sets it when it starts the handler. From a shell, use `labelstream pull`, or `func start`."
            ));
        }
    };
    let filter = settings::process_environment(telemetry::LOG_SETTING);
    if let Err(error) = telemetry::init(filter.as_deref()) {
        say(&error.to_string());
    }
    match runtime() {
        Ok(runtime) => runtime.block_on(listen(port)),
        Err(error) => {
            say(&format!("the runtime cannot start: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Serves until the process is asked to end. It never ends with 0: the host restarts a handler that failed, but not one
/// that says it is done.
async fn listen(port: u16) -> ExitCode {
    let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(listener) => listener,
        Err(error) => {
            say(&format!("cannot listen on 127.0.0.1:{port}: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let shutdown = CancellationToken::new();
    let runner: Arc<dyn Runner> = match Source::of(&settings::process_environment) {
        Some(_) => Arc::new(ManyTenants::new()),
        None => Arc::new(OneTenant::new()),
    };
    let served = handler::serve(listener, runner, shutdown.clone());
    tokio::pin!(served);
    tokio::select! {
        ended = &mut served => {
            tracing::error!("the handler ended: {ended:?}");
            ExitCode::FAILURE
        }
        status = asked_to_end() => {
            shutdown.cancel();
            if let Err(error) = served.await {
                tracing::error!(%error, "the handler did not end well");
            }
            status
        }
    }
}
