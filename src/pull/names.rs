//! The label names of a run. Rows are made with what is known; one with an id that is not known waits until Graph was
//! asked, once a run, and is then made anew. Whatever fails, rows go on without names.

use std::{sync::Arc, time::Duration};

use time::OffsetDateTime;
use tokio::{
    sync::{Mutex, OnceCell},
    time::timeout,
};
use uuid::Uuid;

use super::{budget::Budget, run::Run};
use crate::labels::{Catalogue, LONGEST};

/// How a run stands with the names.
#[derive(Debug)]
pub struct Names {
    /// How long each step may take: reading what is stored, asking Graph, saving.
    limit: Duration,
    /// Whether what is stored was read in this run.
    opened: OnceCell<bool>,
    /// Whether Graph was asked in this run. Held while it is, so that all wait for the same answer.
    asked: Mutex<bool>,
}

impl Names {
    /// The names of a run of this budget, of which Graph may take a tenth.
    pub fn new(budget: Budget) -> Self {
        let limit = LONGEST.min(budget.end / 10);
        Self { limit, opened: OnceCell::new(), asked: Mutex::default() }
    }
}

/// What is known. What is stored is read before.
pub async fn of(run: &Run) -> Arc<Catalogue> {
    let (labels, connector) = (&run.connector.labels, &run.connector);
    let open = || async {
        let opened = in_time(run, labels.open(connector.store.as_ref(), &connector.tenant));
        tokio::select! {
            () = run.stop.cancelled() => false,
            opened = opened => opened,
        }
    };
    run.names.opened.get_or_init(open).await;
    labels.catalogue()
}

/// Reads what is stored; `false` where that takes too long.
async fn in_time(run: &Run, read: impl Future<Output = bool>) -> bool {
    timeout(run.names.limit, read).await.unwrap_or_else(|_| {
        tracing::warn!("what is stored of the labels was not read in time");
        false
    })
}

/// Has the labels listed anew where that is due.
pub async fn keep_up(run: Arc<Run>) {
    of(&run).await;
    if run.connector.labels.is_due(OffsetDateTime::now_utc()) {
        ask(&run, &[]).await;
    }
}

/// What is known by now and was not in `used`, with which `unknown` was looked up. Graph is asked first, where that may
/// tell more and was not done in this run.
pub async fn newer(run: &Run, used: &Arc<Catalogue>, unknown: [Option<Uuid>; 2]) -> Option<Arc<Catalogue>> {
    if unknown == [None, None] {
        return None;
    }
    let labels = &run.connector.labels;
    let is_newer = || Some(labels.catalogue()).filter(|known| !Arc::ptr_eq(known, used));
    if let Some(newer) = is_newer() {
        return Some(newer);
    }
    let ids: Vec<_> = unknown.into_iter().flatten().map(|id| id.to_string()).collect();
    if labels.may_learn(&ids, OffsetDateTime::now_utc()) {
        ask(run, &ids).await;
    }
    is_newer()
}

/// Asks Graph unless this run has done so. What another process found out since the last run is looked at first. An ending
/// run asks no more.
async fn ask(run: &Run, ids: &[String]) {
    let (labels, connector) = (&run.connector.labels, &run.connector);
    let mut asked = run.names.asked.lock().await;
    if !*asked {
        let state = (connector.store.as_ref(), connector.tenant.as_str());
        let may_save = || run.holds_lock();
        let refresh = async {
            if run.names.opened.get() != Some(&true) {
                in_time(run, labels.look_again(state.0, state.1)).await;
            }
            labels.refresh(state, ids, run.names.limit, &may_save).await
        };
        tokio::select! {
            biased;
            () = run.stop.cancelled() => {}
            did = refresh => *asked = did,
        }
    }
    if *asked {
        labels.note_in_vain(ids);
    }
}

/// Saves what was found out after Graph had been asked: ids that it does not list.
pub async fn save(run: &Run) {
    if run.holds_lock() {
        let connector = &run.connector;
        connector.labels.save_in_time(connector.store.as_ref(), &connector.tenant, run.names.limit).await;
    }
}
