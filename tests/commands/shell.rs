//! A tenant, and a shell to run the binary in.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use labelstream_simulator::{Config, ContentType, Endpoint, Simulator};
use time::{Duration, OffsetDateTime};

pub struct Shell {
    pub simulator: Simulator,
    pub folder: tempfile::TempDir,
    /// App settings beside those of the tenant.
    pub settings: Vec<(&'static str, String)>,
}

impl Shell {
    pub async fn of(config: Config) -> Self {
        let simulator = Simulator::start(config).await.unwrap();
        Self { simulator, folder: tempfile::tempdir().unwrap(), settings: Vec::new() }
    }

    /// A tenant with subscriptions and so many contents in `Audit.General`.
    pub async fn with_contents(contents: i64) -> Self {
        let shell = Self::of(Config { subscribed: true, ..Config::default() }).await;
        for number in 0..contents {
            let created = OffsetDateTime::now_utc() - Duration::minutes(40 - number);
            shell.simulator.publish(ContentType::General, created, 2, 1);
        }
        shell
    }

    fn command(&self, mut command: Command) -> Command {
        command.env_clear().envs(self.simulator.environment()).current_dir(self.folder.path());
        command.envs(self.settings.iter().map(|(name, value)| (*name, value.as_str()))).stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end: its exit status, its data, and what it said.
    pub async fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = self.command(Command::new(env!("CARGO_BIN_EXE_labelstream")));
        command.args(arguments);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        texts(output)
    }

    /// Runs the binary on a pseudo-terminal of `script` (util-linux), where `typed` is typed: its exit status and all that
    /// came to the screen.
    pub async fn on_a_terminal(&self, arguments: &str, typed: &'static str) -> (i32, String) {
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command"]);
        script.arg(format!("{} {arguments}", env!("CARGO_BIN_EXE_labelstream"))).arg("/dev/null");
        let mut command = self.command(script);
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("SHELL", "/bin/sh");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().expect("this test needs `script`");
            let mut keyboard = child.stdin.take().unwrap();
            keyboard.write_all(typed.as_bytes()).unwrap();
            let output = child.wait_with_output().unwrap();
            drop(keyboard);
            output
        });
        let (status, screen, _) = texts(output.await.unwrap());
        (status, screen)
    }

    /// How often an endpoint was asked.
    pub fn asked(&self, endpoint: Endpoint) -> u64 {
        self.simulator.requests().by_endpoint.get(&endpoint).copied().unwrap_or(0)
    }
}

fn texts(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}
