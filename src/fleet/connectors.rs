//! The connectors of a process, one for each tenant: tokens, label catalogue and what could not be saved live in them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    assembly::{self, AssemblyError},
    identity::Tokens,
    pull::{Connector, Sink},
    settings::Settings,
    state::Store,
};

/// How many are kept that are not at work, of some 18 KB each (docs/scale.md). Tenants come in turn, so that with a few more
/// than these hardly any is found again: each run then costs two tokens and the reading of its label catalogue more.
const MOST: usize = 1_024;

/// The connectors that are kept.
#[derive(Debug, Default)]
pub struct Connectors {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    kept: HashMap<String, Kept>,
    /// Tokens for data collection rules, by scope. They are of the ambient identity, whichever tenant the rows are of.
    ingestion: HashMap<String, Arc<Tokens>>,
    /// Counts what was asked for, so that the one that was asked for longest ago is known.
    asked: u64,
}

#[derive(Debug)]
struct Kept {
    settings: Settings,
    connector: Arc<Connector>,
    asked: u64,
}

impl Kept {
    /// Whether nothing is lost where it goes: no run is at work with it, and it knows of nothing that is not saved.
    fn may_go(&self) -> bool {
        Arc::strong_count(&self.connector) == 1 && self.connector.left_over.is_empty()
    }
}

impl Connectors {
    /// The connector of the tenant of `settings`, over `store`. One that was made for other settings is made anew, and goes
    /// on with what the former could not save.
    ///
    /// # Errors
    /// It cannot be put together.
    pub fn get(&self, settings: &Settings, store: &Arc<dyn Store>) -> Result<Arc<Connector>, AssemblyError> {
        let tenant = &settings.feed.tenant_id;
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.asked += 1;
        let asked = inner.asked;
        let former = inner.kept.get_mut(tenant);
        let left_over = match former {
            Some(kept) if kept.settings == *settings => {
                kept.asked = asked;
                return Ok(Arc::clone(&kept.connector));
            }
            Some(kept) => Some(kept.connector.left_over.clone()),
            None => None,
        };
        let sink = inner.sink(settings)?;
        let mut connector = assembly::connector_with(settings, Arc::clone(store), sink)?;
        if let Some(left_over) = left_over {
            connector.left_over = left_over;
        }
        let connector = Arc::new(connector);
        let kept = Kept { settings: settings.clone(), connector: Arc::clone(&connector), asked };
        inner.kept.insert(tenant.clone(), kept);
        inner.forget_the_oldest();
        Ok(connector)
    }
}

impl Inner {
    fn sink(&mut self, settings: &Settings) -> Result<Sink, AssemblyError> {
        assembly::ingestion_with(settings, |ingestion| {
            let known = self.ingestion.entry(ingestion.scope.clone());
            Arc::clone(known.or_insert_with(|| assembly::ingestion_tokens(settings, ingestion)))
        })
    }

    fn forget_the_oldest(&mut self) {
        while self.kept.len() > MOST {
            let oldest = self.kept.iter().filter(|(_, kept)| kept.may_go()).min_by_key(|(_, kept)| kept.asked);
            let Some(tenant) = oldest.map(|(tenant, _)| tenant.clone()) else { return };
            self.kept.remove(&tenant);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::Needs,
        state::folder::FolderStore,
        watermark::{Id, content_id},
    };

    fn settings(number: usize, content_types: &str) -> Settings {
        let environment = |name: &str| {
            Some(match name {
                "M365_TENANT_ID" => format!("4b0a6d34-6f8c-4f5e-9c1a-{number:012x}"),
                "DATA_COLLECTION_ENDPOINT" => "https://a.ingest.monitor.azure.com".to_owned(),
                "LOGS_DCR_RULE_ID" => "dcr-0123456789abcdef0123456789abcdef".to_owned(),
                "AzureWebJobsStorage" => "UseDevelopmentStorage=true".to_owned(),
                "CONTENT_TYPES" => content_types.to_owned(),
                _ => return None,
            })
        };
        Settings::read(&environment, Needs::SERVE).unwrap()
    }

    fn id() -> Id {
        content_id("a-record")
    }

    #[test]
    fn a_connector_is_made_once_and_anew_for_other_settings_with_what_is_not_saved() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(FolderStore::open(folder.path()).unwrap());
        let connectors = Connectors::default();
        let first = connectors.get(&settings(1, "Audit.General"), &store).unwrap();
        assert!(Arc::ptr_eq(&first, &connectors.get(&settings(1, "Audit.General"), &store).unwrap()));
        let second = connectors.get(&settings(1, "Audit.Exchange"), &store).unwrap();
        assert!(!Arc::ptr_eq(&first, &second));
        // The run of the former is still at work, and ends without having saved.
        first.left_over.keep([id()]);
        assert!(!second.left_over.is_empty());
        assert_eq!(second.left_over.take(), [id()]);
    }

    #[test]
    fn the_one_that_was_asked_for_longest_ago_goes_unless_something_is_lost_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(FolderStore::open(folder.path()).unwrap());
        let connectors = Connectors::default();
        let get = |number| connectors.get(&settings(number, "Audit.General"), &store).unwrap();
        let at_work = get(0);
        get(1).left_over.keep([id()]);
        (2..MOST + 2).for_each(|number| drop(get(number)));
        let inner = connectors.inner.lock().unwrap();
        let tenant = |number: usize| settings(number, "Audit.General").feed.tenant_id;
        assert_eq!(inner.kept.len(), MOST);
        for (number, kept) in [(0, true), (1, true), (2, false), (3, false), (4, true), (MOST + 1, true)] {
            assert_eq!(inner.kept.contains_key(&tenant(number)), kept, "{number}");
        }
        assert_eq!(inner.ingestion.len(), 1, "the rules' tokens are one identity's");
        drop(at_work);
    }
}
