//! The contents that the feed holds, in the order of their publication.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    ops::Bound,
    str::FromStr,
    sync::Arc,
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::events::{Generator, Recipe};

/// How long a content can be retrieved after its creation (Management Activity API reference, "List available content").
pub const RETENTION: Duration = Duration::days(7);

/// A content type of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ContentType {
    /// `Audit.General`
    #[serde(rename = "Audit.General")]
    General,
    /// `Audit.SharePoint`
    #[serde(rename = "Audit.SharePoint")]
    SharePoint,
    /// `Audit.Exchange`
    #[serde(rename = "Audit.Exchange")]
    Exchange,
    /// `Audit.AzureActiveDirectory`
    #[serde(rename = "Audit.AzureActiveDirectory")]
    AzureActiveDirectory,
    /// `DLP.All`
    #[serde(rename = "DLP.All")]
    Dlp,
}

impl ContentType {
    /// Every content type, in the order of their discriminants.
    pub const ALL: [Self; 5] = [Self::General, Self::SharePoint, Self::Exchange, Self::AzureActiveDirectory, Self::Dlp];

    /// The three that hold label events.
    pub const WITH_LABELS: [Self; 3] = [Self::General, Self::SharePoint, Self::Exchange];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::General => "Audit.General",
            Self::SharePoint => "Audit.SharePoint",
            Self::Exchange => "Audit.Exchange",
            Self::AzureActiveDirectory => "Audit.AzureActiveDirectory",
            Self::Dlp => "DLP.All",
        }
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ContentType {
    type Err = String;

    /// Takes the name in any case. The error is the text that was no content type.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(text)).ok_or_else(|| text.to_owned())
    }
}

/// What a retrieval of a content answers.
#[derive(Debug, Clone)]
pub enum Body {
    /// These bytes.
    Fixed(Bytes),
    /// Rendered at every retrieval.
    Generated(Recipe),
    /// Rendered when it was published, and compressed where contents are.
    Held {
        /// The bytes.
        plain: Bytes,
        /// The same, gzipped.
        packed: Option<Bytes>,
    },
}

impl Body {
    /// The bytes of the answer.
    #[must_use]
    pub fn bytes(&self, generator: &Generator) -> Bytes {
        match self {
            Self::Fixed(bytes) | Self::Held { plain: bytes, .. } => bytes.clone(),
            Self::Generated(recipe) => generator.render(recipe),
        }
    }

    /// The gzipped bytes, where they are held.
    #[must_use]
    pub fn packed(&self) -> Option<&Bytes> {
        match self {
            Self::Held { packed, .. } => packed.as_ref(),
            Self::Fixed(_) | Self::Generated(_) => None,
        }
    }
}

/// One content of the feed.
#[derive(Debug, Clone)]
pub struct Content {
    /// Its id: opaque to clients, with `$` in it as the real ones have.
    pub id: String,
    /// Its content type.
    pub content_type: ContentType,
    /// When it was published; it is not listed before.
    pub created: OffsetDateTime,
    /// What it holds.
    pub body: Body,
}

impl Content {
    /// When the feed stops serving it.
    #[must_use]
    pub fn expires(&self) -> OffsetDateTime {
        self.created + RETENTION
    }
}

/// The place of a content in a listing: its creation (to the millisecond) and a number that tells equals apart.
pub(crate) type Place = (i128, u64);

/// All contents.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    by_type: BTreeMap<ContentType, BTreeMap<Place, Arc<Content>>>,
    by_id: HashMap<String, Arc<Content>>,
    /// Contents that are listed and not served any more, with the code of the answer.
    lost: HashMap<String, String>,
    added: u64,
}

/// One page of a listing.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub contents: Vec<Arc<Content>>,
    /// The place of the last content, where more follow.
    pub next: Option<Place>,
}

impl Contents {
    /// Adds a content, under a new id of the modern form.
    pub fn add(&mut self, content_type: ContentType, created: OffsetDateTime, body: Body) -> Arc<Content> {
        let number = self.added;
        let stamp = digits(created);
        let tail = content_type.as_str().replace('.', "_");
        let id = format!("{stamp}{number:06}${stamp}{number:06}${}${tail}", tail.to_lowercase());
        self.insert(Content { id, content_type, created: to_millisecond(created), body })
    }

    /// Lists a content again: under `content_type` and created at `created`, with its old id or a new one.
    /// `None` where no content has the id.
    pub fn list_again(
        &mut self,
        id: &str,
        content_type: Option<ContentType>,
        created: OffsetDateTime,
        same_id: bool,
    ) -> Option<Arc<Content>> {
        let old = Arc::clone(self.by_id.get(id)?);
        let content_type = content_type.unwrap_or(old.content_type);
        if same_id {
            let created = to_millisecond(created);
            return Some(self.insert(Content { id: old.id.clone(), content_type, created, body: old.body.clone() }));
        }
        Some(self.add(content_type, created, old.body.clone()))
    }

    fn insert(&mut self, content: Content) -> Arc<Content> {
        let content = Arc::new(content);
        let place = (content.created.unix_timestamp_nanos(), self.added);
        self.added += 1;
        self.by_id.insert(content.id.clone(), Arc::clone(&content));
        self.by_type.entry(content.content_type).or_default().insert(place, Arc::clone(&content));
        content
    }

    /// The content with this id.
    pub fn get(&self, id: &str) -> Option<Arc<Content>> {
        self.by_id.get(id).cloned()
    }

    /// Every content, by content type and in the order of their creation.
    pub fn all(&self) -> Vec<Arc<Content>> {
        self.by_type.values().flat_map(BTreeMap::values).cloned().collect()
    }

    /// From now on a retrieval of the content answers `code`.
    pub fn lose(&mut self, id: &str, code: &str) {
        self.lost.insert(id.to_owned(), code.to_owned());
    }

    /// What a retrieval of the content answers, where it is not served any more.
    pub fn lost(&self, id: &str) -> Option<String> {
        self.lost.get(id).cloned()
    }

    /// At most `size` contents with `start <= created < end` that are published at `now` and stand after `after`.
    pub fn page(
        &self,
        content_type: ContentType,
        (start, end): (OffsetDateTime, OffsetDateTime),
        now: OffsetDateTime,
        after: Option<Place>,
        size: usize,
    ) -> Page {
        let from = (start.unix_timestamp_nanos(), 0);
        let upto = (end.unix_timestamp_nanos().min(now.unix_timestamp_nanos() + 1), 0);
        // A range that is turned round would be a panic.
        let sound = after.unwrap_or(from) < upto;
        let Some(listed) = self.by_type.get(&content_type).filter(|_| sound) else { return Page::default() };
        let mut rest = listed.range((after.map_or(Bound::Included(from), Bound::Excluded), Bound::Excluded(upto)));
        let taken: Vec<_> = rest.by_ref().take(size).collect();
        let next = rest.next().and(taken.last()).map(|(place, _)| **place);
        Page { contents: taken.into_iter().map(|(_, content)| Arc::clone(content)).collect(), next }
    }
}

/// Contents are created at whole milliseconds: that is what the listing can say.
fn to_millisecond(at: OffsetDateTime) -> OffsetDateTime {
    at - Duration::nanoseconds(i64::from(at.nanosecond() % 1_000_000))
}

fn digits(at: OffsetDateTime) -> String {
    let mut text = String::new();
    crate::events::push_time(&mut text, at);
    text.retain(|sign| sign.is_ascii_digit());
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const NOON: OffsetDateTime = datetime!(2026-11-18 12:00 UTC);

    fn filled(minutes: &[i64]) -> Contents {
        let mut contents = Contents::default();
        for &minute in minutes {
            let body = Body::Fixed(Bytes::from_static(b"[]"));
            contents.add(ContentType::General, NOON + Duration::minutes(minute), body);
        }
        contents
    }

    fn ids(contents: &Contents, window: (i64, i64), now: i64, size: usize) -> Vec<String> {
        let at = |minute| NOON + Duration::minutes(minute);
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let page = contents.page(ContentType::General, (at(window.0), at(window.1)), at(now), after, size);
            assert!(page.contents.len() <= size);
            ids.extend(page.contents.iter().map(|content| content.id.clone()));
            after = page.next;
            if after.is_none() {
                return ids;
            }
        }
    }

    #[test]
    fn windows_are_half_open_and_the_future_is_not_listed() {
        let contents = filled(&[0, 10, 20, 30]);
        assert_eq!(ids(&contents, (0, 10), 60, 9).len(), 1);
        assert_eq!(ids(&contents, (10, 30), 60, 9).len(), 2);
        assert_eq!(ids(&contents, (0, 60), 20, 9).len(), 3, "created at this very moment is listed");
        assert_eq!(ids(&contents, (0, 60), 19, 9).len(), 2);
    }

    #[test]
    fn a_content_listed_again_keeps_its_body() {
        let mut contents = filled(&[0]);
        let id = ids(&contents, (0, 60), 60, 9).remove(0);
        let again = contents.list_again(&id, None, NOON + Duration::minutes(5), true).unwrap();
        assert_eq!(again.id, id);
        let other = contents.list_again(&id, Some(ContentType::Exchange), NOON, false).unwrap();
        assert_ne!(other.id, id);
        assert_eq!(other.content_type, ContentType::Exchange);
        assert_eq!(ids(&contents, (0, 60), 60, 9), [id.clone(), id]);
        assert!(contents.list_again("unknown", None, NOON, true).is_none());
    }

    proptest! {
        #[test]
        fn tiling_windows_and_pages_list_everything_once(
            minutes in prop::collection::vec(0_i64..300, 0..40), step in 1_i64..120, size in 1_usize..7,
        ) {
            let contents = filled(&minutes);
            let all = ids(&contents, (0, 300), 400, usize::MAX);
            prop_assert_eq!(all.len(), minutes.len());
            let tiled: Vec<String> =
                (0..300).step_by(step as usize).flat_map(|at| ids(&contents, (at, (at + step).min(300)), 400, size)).collect();
            prop_assert_eq!(tiled, all);
        }
    }
}
