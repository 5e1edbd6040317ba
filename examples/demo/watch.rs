//! `--keep-running`: the company goes on working, the timer goes on firing, and each label event is shown.

use std::time::Duration;

use fastrand::Rng;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::{
    show::{Demo, DemoError, write_lines},
    text::count,
    told::told,
    week::{NEWEST, content_type},
};

/// How often the timer fires.
const EVERY: Duration = Duration::from_secs(2);

/// Publishes and pulls until Ctrl-C.
///
/// # Errors
/// See [`DemoError`].
pub async fn watch(demo: &mut Demo, seed: u64) -> Result<(), DemoError> {
    let end = ctrl_c();
    let paint = demo.paint;
    demo.shown.caught_up();
    let mut rng = Rng::with_seed(seed);
    write_lines(&[String::new(), " It goes on: the label events as they arrive. Ctrl-C ends it.".to_owned()])?;
    loop {
        tokio::select! {
            () = end.cancelled() => return Ok(()),
            () = tokio::time::sleep(EVERY) => {}
        }
        // The feed lists contents some time after they were created.
        let created = OffsetDateTime::now_utc() - NEWEST;
        demo.simulator.publish(content_type(&mut rng), created, rng.u32(1..5), rng.u32(8..40));
        let mut lines = Vec::new();
        demo.pull(|event| lines.extend(told(&event, paint))).await?;
        write_lines(&lines)?;
        let report = demo.simulator.report();
        demo.shown.status(&format!(
            " published {}, arrived {}, missing {}, doubled {}",
            count(report.published),
            count(report.arrived),
            count(report.missing),
            count(report.doubled)
        ));
    }
}

/// Cancelled once Ctrl-C is pressed.
fn ctrl_c() -> CancellationToken {
    let pressed = CancellationToken::new();
    let token = pressed.clone();
    tokio::spawn(async move {
        // Without a handler Ctrl-C ends the process at once, which is an end as well.
        if tokio::signal::ctrl_c().await.is_ok() {
            token.cancel();
        }
    });
    pressed
}
