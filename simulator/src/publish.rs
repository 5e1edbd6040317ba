//! Publishing: contents enter the feed and the ledger together.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use time::{Duration, OffsetDateTime};

use crate::{
    contents::{Body, Content, ContentType},
    events::{Choice, Recipe},
    feed,
    ledger::Key,
    record::Record,
    schedule::{self, Bulk, History},
    shared::Shared,
};

/// A handwritten record: JSON text, or what is meant to be bad JSON or no text at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRecord(Vec<u8>);

impl From<Value> for RawRecord {
    fn from(record: Value) -> Self {
        Self(record.to_string().into_bytes())
    }
}

impl From<String> for RawRecord {
    fn from(record: String) -> Self {
        Self(record.into_bytes())
    }
}

impl From<Vec<u8>> for RawRecord {
    fn from(record: Vec<u8>) -> Self {
        Self(record)
    }
}

impl From<&str> for RawRecord {
    fn from(record: &str) -> Self {
        Self(record.as_bytes().to_vec())
    }
}

/// Something to publish, as `POST /_sim/publish` takes it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// The tenant's past.
    History(History),
    /// An even stream of contents that are rendered on demand.
    Bulk(Bulk),
    /// One content.
    Content {
        /// Its content type.
        content_type: ContentType,
        /// Label events in it.
        labels: u32,
        /// Other records in it.
        #[serde(default)]
        noise: u32,
        /// How long ago it was created; negative for one that appears later.
        #[serde(default)]
        age_seconds: i64,
    },
    /// One content of each content type with one record of each kind.
    EveryKind {
        /// How long ago they were created.
        #[serde(default)]
        age_seconds: i64,
    },
    /// One content of handwritten records. A string is a record's text as it is.
    Records {
        /// Its content type.
        content_type: ContentType,
        /// How long ago it was created.
        #[serde(default)]
        age_seconds: i64,
        /// The records.
        records: Vec<Value>,
    },
    /// A content listed again.
    Again {
        /// Id of the content.
        id: String,
        /// Under another content type.
        #[serde(default)]
        content_type: Option<ContentType>,
        /// With its old id, or a new one.
        #[serde(default)]
        same_id: bool,
        /// How long ago it was created this time.
        #[serde(default)]
        age_seconds: i64,
    },
}

/// What an order came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// Ids of the contents.
    pub contents: Vec<String>,
    /// Records in them.
    pub records: u64,
    /// Label events among the records.
    pub label_events: u64,
}

impl Shared {
    /// Publishes what is ordered. The error is the id of a content that is to be listed again and is unknown.
    pub(crate) fn publish(&self, order: Order) -> Result<Published, String> {
        let now = self.now();
        let ago = |seconds: i64| now - Duration::seconds(seconds);
        match order {
            Order::History(history) => Ok(self.publish_history(&history, now)),
            Order::Bulk(bulk) => Ok(self.publish_bulk(&bulk, now)),
            Order::Content { content_type, labels, noise, age_seconds } => {
                Ok(self.publish_generated(content_type, ago(age_seconds), labels, noise).1)
            }
            Order::EveryKind { age_seconds } => Ok(self.publish_every_kind(ago(age_seconds))),
            Order::Records { content_type, age_seconds, records } => {
                let raw = |record| match record {
                    Value::String(text) => RawRecord::from(text),
                    other => RawRecord::from(other),
                };
                Ok(self.publish_records(content_type, ago(age_seconds), records.into_iter().map(raw).collect()).1)
            }
            Order::Again { id, content_type, same_id, age_seconds } => {
                let content = self.list_again(&id, content_type, ago(age_seconds), same_id).ok_or(id)?;
                Ok(Published { contents: vec![content.id.clone()], ..Published::default() })
            }
        }
    }

    pub(crate) fn publish_history(&self, history: &History, now: OffsetDateTime) -> Published {
        let scheduled = schedule::history(history, self.config.mix, now, self.config.seed, self.first_number());
        let mut published = Published::default();
        for one in scheduled {
            let content = self.publish_recipe(one.recipe, &mut published);
            if let Some(again) = one.again {
                self.list_again(&content.id, None, again, false);
            }
        }
        published
    }

    pub(crate) fn publish_bulk(&self, bulk: &Bulk, now: OffsetDateTime) -> Published {
        let mut published = Published::default();
        for recipe in schedule::bulk(bulk, self.config.mix, now, self.config.seed, self.first_number()) {
            self.publish_recipe(recipe, &mut published);
        }
        published
    }

    pub(crate) fn publish_generated(
        &self,
        content_type: ContentType,
        created: OffsetDateTime,
        labels: u32,
        noise: u32,
    ) -> (Arc<Content>, Published) {
        let choice = Choice::Weighted { records: labels.saturating_add(noise), labels };
        let recipe = Recipe { seed: self.config.seed, number: self.first_number(), content_type, created, choice };
        let mut published = Published::default();
        (self.publish_recipe(recipe, &mut published), published)
    }

    pub(crate) fn publish_every_kind(&self, created: OffsetDateTime) -> Published {
        let mut published = Published::default();
        for content_type in ContentType::ALL {
            let choice = Choice::EachKind;
            let recipe = Recipe { seed: self.config.seed, number: self.first_number(), content_type, created, choice };
            self.publish_recipe(recipe, &mut published);
        }
        published
    }

    pub(crate) fn publish_records(
        &self,
        content_type: ContentType,
        created: OffsetDateTime,
        records: Vec<RawRecord>,
    ) -> (Arc<Content>, Published) {
        let records: Vec<Vec<u8>> = records.into_iter().map(|record| record.0).collect();
        let ids = self.label_ids(records.iter().map(Vec::as_slice));
        let body = [b"[".as_slice(), &records.join(b",".as_slice()), b"]"].concat();
        let content = self.contents().add(content_type, created, Body::Fixed(body.into()));
        let published = Published {
            contents: vec![content.id.clone()],
            records: records.len() as u64,
            label_events: ids.len() as u64,
        };
        self.ledger().publish(created, published.records, ids);
        (content, published)
    }

    /// Publishes these bytes as they are. No rule tells which label events a reader must find in a body that is broken:
    /// `label_events` are their ids.
    pub(crate) fn publish_body(
        &self,
        content_type: ContentType,
        created: OffsetDateTime,
        body: Bytes,
        label_events: &[&str],
    ) -> Arc<Content> {
        let content = self.contents().add(content_type, created, Body::Fixed(body));
        let ids = label_events.iter().map(|id| Key::new(id));
        self.ledger().publish(created, label_events.len() as u64, ids);
        content
    }

    pub(crate) fn list_again(
        &self,
        id: &str,
        content_type: Option<ContentType>,
        created: OffsetDateTime,
        same_id: bool,
    ) -> Option<Arc<Content>> {
        let content = self.contents().list_again(id, content_type, created, same_id)?;
        let (records, mut ids) = self.held(&content.body);
        // Under its old id it is the same content, whose places are known.
        ids.retain(|id| id.is_some() || !same_id);
        self.ledger().publish(created, records, ids);
        Some(content)
    }

    /// See [`crate::Simulator::lose`].
    pub(crate) fn lose(&self, id: &str, code: &str) -> bool {
        let Some(content) = self.contents().get(id) else { return false };
        self.contents().lose(id, code);
        let (_, ids) = self.held(&content.body);
        self.ledger().withdraw(ids);
        true
    }

    /// How many records a content holds, and the ids of the label events among them.
    fn held(&self, body: &Body) -> (u64, Vec<Option<Key>>) {
        match body {
            Body::Generated(recipe) => {
                let ids = self.generator.label_ids(recipe).map(|id| Some(Key::Guid(id)));
                (u64::from(self.generator.records(recipe)), ids.collect())
            }
            Body::Fixed(body) | Body::Held { plain: body, .. } => {
                // What cannot be read as an array holds no label event that a client could find.
                let text = String::from_utf8_lossy(body);
                let records: Vec<&RawValue> = serde_json::from_str(&text).unwrap_or_default();
                (records.len() as u64, self.label_ids(records.iter().map(|record| record.get().as_bytes())))
            }
        }
    }

    fn publish_recipe(&self, recipe: Recipe, published: &mut Published) -> Arc<Content> {
        let records = u64::from(self.generator.records(&recipe));
        let ids: Vec<u128> = self.generator.label_ids(&recipe).collect();
        published.records += records;
        published.label_events += ids.len() as u64;
        self.ledger().publish(recipe.created, records, ids.into_iter().map(|id| Some(Key::Guid(id))));
        let body = if self.config.hold_contents { self.held_body(&recipe) } else { Body::Generated(recipe) };
        let content = self.contents().add(recipe.content_type, recipe.created, body);
        published.contents.push(content.id.clone());
        content
    }

    fn held_body(&self, recipe: &Recipe) -> Body {
        let plain = self.generator.render(recipe);
        // What could not be compressed is compressed at its retrieval, which tells why it fails.
        let packed = self.config.gzip_contents.then(|| feed::packed(&plain).ok()).flatten();
        Body::Held { plain, packed }
    }

    fn label_ids<'a>(&self, records: impl Iterator<Item = &'a [u8]>) -> Vec<Option<Key>> {
        let rule = self.ledger().rule().clone();
        let read = |record| Record::read(&String::from_utf8_lossy(record));
        records.filter_map(read).filter(|record| rule.keeps_record(record)).map(|record| record.key()).collect()
    }
}
