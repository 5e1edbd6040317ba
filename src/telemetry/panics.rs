//! Panics, each as one log line: the usual report is several lines, and the host takes each for an error of its own.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook},
    pin::pin,
    task::Poll,
};

thread_local! {
    /// Whether a panic on this thread is caught, and reported, by [`caught`].
    static HELD: Cell<bool> = const { Cell::new(false) };
    /// What the hook saw of a panic that is held, its place included.
    static SEEN: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Reports every panic of the process as one ERROR line, except those whose reason [`caught`] hands to its caller.
pub(super) fn hook() {
    set_hook(Box::new(|info| {
        let text = describe(info);
        if HELD.get() {
            SEEN.set(Some(text));
        } else {
            tracing::error!("{text}");
        }
    }));
}

/// Runs `future` to its end. A panic inside it becomes its reason: the message and, once [`hook`] is in place, where.
pub(crate) async fn caught<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = pin!(future);
    poll_fn(|context| {
        let held = HELD.replace(true);
        // What the future shares with others is as it was left; it is itself not polled again.
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        HELD.set(held);
        match polled {
            Ok(poll) => poll.map(Ok),
            Err(payload) => {
                let seen = SEEN.take();
                Poll::Ready(Err(seen.unwrap_or_else(|| format!("panicked: {}", message(&*payload)))))
            }
        }
    })
    .await
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let message = message(info.payload());
    match info.location() {
        Some(place) => format!("panicked at {}:{}: {message}", place.file(), place.line()),
        None => format!("panicked: {message}"),
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_its_reason_and_the_thread_goes_on() {
        let reason = caught(async {
            tokio::task::yield_now().await;
            panic!("the {} is gone", "file");
        })
        .await;
        assert!(reason.is_err_and(|reason: String| reason.ends_with("the file is gone")));
        assert!(!HELD.get());
        assert_eq!(caught(async { 7 }).await, Ok(7));
    }

    #[tokio::test]
    async fn a_payload_without_text_is_reported_too() {
        let reason = caught(async { std::panic::panic_any(7_u8) }).await;
        assert!(reason.is_err_and(|reason: String| reason.contains("no message")));
    }
}
