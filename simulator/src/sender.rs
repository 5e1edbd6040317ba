//! A process that posts rows, as the ledger knows it: by its data collection rule, so that what was on its way when it
//! was killed or frozen is told apart from what others sent.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::shared::Shared;

/// A sender. Those of one rule are one sender.
#[derive(Debug, Clone)]
pub struct Sender {
    shared: Arc<Shared>,
    rule: String,
}

impl Sender {
    pub(crate) const fn new(shared: Arc<Shared>, rule: String) -> Self {
        Self { shared, rule }
    }

    /// The immutable id of the rule that it posts to.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// A run of it ended, and what it had sent was saved: nothing of that may come again.
    pub fn saved(&self) {
        self.shared.ledger().sender_saved(&self.rule);
    }

    /// It was killed: the batches then in flight, the last four since it [`saved`](Self::saved), may come once more.
    /// Waits until no post is being carried out.
    pub async fn killed(&self) {
        while self.shared.is_posting() {
            sleep(Duration::from_millis(1)).await;
        }
        self.shared.ledger().sender_killed(&self.rule);
    }

    /// A run of it ended and could not save what was in flight: whoever runs next may send that once more.
    pub fn could_not_save(&self) {
        self.shared.ledger().sender_killed(&self.rule);
    }

    /// It was frozen, or killed for good: as [`killed`](Self::killed), but without waiting, and up to four batches that
    /// arrive of it later may come once more as well, until it is [`back`](Self::back).
    pub fn gone(&self) {
        self.shared.ledger().sender_gone(&self.rule);
    }

    /// It goes on.
    pub fn back(&self) {
        self.shared.ledger().sender_back(&self.rule);
    }
}
