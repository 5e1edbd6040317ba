//! Faults that can be switched on: where, when, and what goes wrong.
//!
//! A [`Fault`] is a value, also as JSON under `/_sim/faults`. `Faults::due` decides which of them strike a request;
//! `strike` carries them out on the connection, the feed those that change a listing or a content.

use axum::http::{HeaderName, HeaderValue};
use fastrand::Rng;
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, UtcOffset, format_description::BorrowedFormatItem, macros::format_description};

use crate::requests::Endpoint;

/// When a fault strikes, counting the requests that it applies to from 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum When {
    /// At every request.
    Always,
    /// At this one.
    Nth(u64),
    /// At every k-th. 0 is never.
    Every(u64),
    /// At the first so many.
    First(u64),
    /// At this share of them, chosen by a seed.
    Share {
        /// 0 is never, 1 always.
        share: f64,
        /// The same seed chooses the same requests.
        seed: u64,
    },
    /// Before this time.
    Until(#[serde(with = "time::serde::rfc3339")] OffsetDateTime),
}

impl When {
    /// Whether it strikes the request that is number `seen`. `rng` is the one that [`When::rng`] gave.
    pub fn strikes(self, seen: u64, rng: &mut Rng, now: OffsetDateTime) -> bool {
        match self {
            Self::Always => true,
            Self::Nth(nth) => seen == nth,
            Self::Every(k) => k > 0 && seen.is_multiple_of(k),
            Self::First(count) => seen <= count,
            Self::Share { share, .. } => rng.f64() < share,
            Self::Until(end) => now < end,
        }
    }

    /// The source of its choices.
    #[must_use]
    pub fn rng(self) -> Rng {
        Rng::with_seed(if let Self::Share { seed, .. } = self { seed } else { 0 })
    }
}

/// What `Retry-After` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// A number of seconds.
    Seconds(u32),
    /// An HTTP date so many seconds after the answer.
    DateIn(u32),
}

/// An answer in place of the right one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers beside `Content-Type: application/json`, which they may replace.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Body.
    #[serde(default)]
    pub body: String,
    /// `Retry-After`, where there is to be one.
    #[serde(default)]
    pub retry_after: Option<RetryAfter>,
    /// Whether the request is carried out first, so that its effect stays.
    #[serde(default)]
    pub after_effect: bool,
}

/// Where a connection is reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetAt {
    /// Before anything is done or answered.
    Before,
    /// When half of the body is out.
    InBody,
    /// After the whole answer: the connection in the client's pool is dead.
    AfterBody,
}

/// How a content is spoilt. Each is one answer; the stored content stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spoil {
    /// Cut in the middle of its JSON, with an honest length.
    CutJson,
    /// A page of HTML with status 200.
    Html,
    /// No bytes at all.
    Empty,
    /// An object in place of an array.
    Object,
    /// `null`
    Null,
    /// The array, with a first element that is no object.
    BadRecord,
    /// A byte order mark before the array.
    Bom,
    /// A byte that is no UTF-8 in the middle.
    BadUtf8,
    /// Says gzip and is none.
    BadGzip,
    /// Gzip that ends in its middle, with an honest length; as [`Spoil::CutJson`] for a client that takes no gzip.
    CutGzip,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Another answer.
    Answer(Answer),
    /// An error of the feed, with the status and the form of body that belong to its code.
    Af {
        /// `AF50000` for example.
        code: String,
        /// `Retry-After`, where there is to be one.
        #[serde(default)]
        retry_after: Option<RetryAfter>,
    },
    /// The connection is reset.
    Reset(ResetAt),
    /// The request is carried out and the connection reset in place of its answer.
    LoseAnswer,
    /// The connection closes after so many bytes of the body, short of the announced length.
    Truncate {
        /// Bytes of the body that go out.
        bytes: usize,
    },
    /// Milliseconds before the request is carried out.
    Delay(u64),
    /// Milliseconds between carrying it out and the answer. A sender who is gone by then was not answered.
    DelayAnswer(u64),
    /// So many bytes of the body come, and then nothing: the connection stays open.
    HangBody {
        /// Bytes of the body that go out.
        bytes: usize,
    },
    /// The body comes in pieces.
    SlowBody {
        /// Bytes of a piece; at least 1.
        piece: usize,
        /// Milliseconds between two pieces.
        pause_ms: u64,
    },
    /// A listing names each of its contents twice.
    DuplicateListing,
    /// The contentUris of a listing point to this origin (`https://host`).
    ForeignHost(String),
    /// The next page of a listing, or of Graph's labels, points to this origin.
    ForeignPage(String),
    /// The contentUris of a listing are this text.
    MalformedUri(String),
    /// The listing's next page is one that the feed refuses (AF20031).
    StaleNextPage,
    /// A retrieval answers this in place of the content.
    Spoil(Spoil),
    /// All tokens so far are revoked before the request is looked at.
    RevokeTokens,
}

impl Effect {
    /// An error of the feed without `Retry-After`.
    #[must_use]
    pub fn af(code: &str) -> Self {
        Self::Af { code: code.to_owned(), retry_after: None }
    }

    /// An answer of a status alone.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Answer(Answer { status, ..Answer::default() })
    }

    /// Throttling as the ingestion endpoint and Graph do it: 429 and `Retry-After`.
    #[must_use]
    pub fn throttled(retry_after: RetryAfter) -> Self {
        let body =
            r#"{"error":{"code":"TooManyRequests","message":"Rate limit is exceeded. Try again later."}}"#.to_owned();
        Self::Answer(Answer { status: 429, body, retry_after: Some(retry_after), ..Answer::default() })
    }

    /// What the ingestion endpoint answers while a role grant has not arrived yet, which takes up to 30 minutes.
    #[must_use]
    pub fn not_granted() -> Self {
        let body = r#"{"error":{"code":"OperationFailed","message":"The authentication token provided does not have access to ingest data for the data collection rule with immutable Id 'dcr'. PipelineAccessResult: AccessGranted: False, IsRbacPresent: False"}}"#;
        Self::Answer(Answer { status: 403, body: body.to_owned(), ..Answer::default() })
    }
}

/// A fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The endpoint that it is about.
    pub on: Endpoint,
    /// Text that the path and query, percent-escapes undone, must hold: a content type or id for example. Empty fits all.
    #[serde(default)]
    pub matching: String,
    /// Text that the body, unpacked, must hold: the id of a row for example. Empty fits all.
    #[serde(default)]
    pub holding: String,
    /// Bytes that the body, unpacked, must be longer than. 0 fits all.
    #[serde(default)]
    pub longer_than: usize,
    /// When it strikes.
    pub when: When,
    /// What happens.
    pub effect: Effect,
}

impl Fault {
    /// A fault at every request that `when` chooses among those to `on`.
    #[must_use]
    pub fn new(on: Endpoint, when: When, effect: Effect) -> Self {
        Self { on, matching: String::new(), holding: String::new(), longer_than: 0, when, effect }
    }

    /// The same for requests whose path and query hold `text`.
    #[must_use]
    pub fn matching(mut self, text: impl Into<String>) -> Self {
        self.matching = text.into();
        self
    }

    /// The same for requests whose body, unpacked, holds `text`.
    #[must_use]
    pub fn holding(mut self, text: impl Into<String>) -> Self {
        self.holding = text.into();
        self
    }

    /// The same for requests whose body, unpacked, is longer than so many bytes.
    #[must_use]
    pub fn longer_than(mut self, bytes: usize) -> Self {
        self.longer_than = bytes;
        self
    }

    fn asks_for_the_body(&self) -> bool {
        !self.holding.is_empty() || self.longer_than > 0
    }

    fn applies(&self, endpoint: Endpoint, target: &str, body: &[u8]) -> bool {
        self.on == endpoint
            && target.contains(&self.matching)
            && (!self.asks_for_the_body() || body.len() > self.longer_than && holds(body, self.holding.as_bytes()))
    }

    /// Whether the fault can be carried out.
    ///
    /// # Errors
    /// Says which status or header HTTP has no room for.
    pub fn check(&self) -> Result<(), String> {
        let Effect::Answer(answer) = &self.effect else { return Ok(()) };
        if !(200..600).contains(&answer.status) {
            return Err(format!("status {} is none; use 200 to 599", answer.status));
        }
        for (name, value) in &answer.headers {
            if HeaderName::try_from(name).is_err() || HeaderValue::try_from(value).is_err() {
                return Err(format!("header `{name}: {value}` is none"));
            }
        }
        Ok(())
    }
}

/// A fault that is switched on, and how often it applied and struck.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Active {
    /// Its number, in the order of switching on.
    pub number: u64,
    /// The fault.
    #[serde(flatten)]
    pub fault: Fault,
    /// Requests that it applied to.
    pub seen: u64,
    /// Requests that it struck.
    pub struck: u64,
    #[serde(skip)]
    rng: Rng,
}

/// The faults that are on.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    active: Vec<Active>,
    added: u64,
}

impl Faults {
    /// Switches a fault on and answers its number.
    pub fn add(&mut self, fault: Fault) -> u64 {
        self.added += 1;
        let rng = fault.when.rng();
        self.active.push(Active { number: self.added, fault, seen: 0, struck: 0, rng });
        self.added
    }

    /// Switches all of them off.
    pub fn clear(&mut self) {
        self.active.clear();
    }

    /// Switches one off; whether it was on.
    pub fn remove(&mut self, number: u64) -> bool {
        let before = self.active.len();
        self.active.retain(|active| active.number != number);
        before > self.active.len()
    }

    pub fn active(&self) -> &[Active] {
        &self.active
    }

    /// Whether [`Faults::due`] must be told the body of a request to `endpoint`.
    pub fn ask_for_bodies(&self, endpoint: Endpoint) -> bool {
        self.active.iter().any(|active| active.fault.on == endpoint && active.fault.asks_for_the_body())
    }

    /// Counts a request and tells what strikes it, in the order in which the faults were switched on. `body` is unpacked,
    /// and may be empty unless [`Faults::ask_for_bodies`].
    pub fn due(&mut self, endpoint: Endpoint, target: &str, body: &[u8], now: OffsetDateTime) -> Vec<Effect> {
        let mut due = Vec::new();
        for active in self.active.iter_mut().filter(|active| active.fault.applies(endpoint, target, body)) {
            active.seen += 1;
            if active.fault.when.strikes(active.seen, &mut active.rng, now) {
                active.struck += 1;
                due.push(active.fault.effect.clone());
            }
        }
        due
    }
}

/// Whether `text` is somewhere in `body`.
fn holds(body: &[u8], text: &[u8]) -> bool {
    let Some((first, rest)) = text.split_first() else { return true };
    let begins = |at: &usize| body[*at] == *first && body[at + 1..].starts_with(rest);
    (0..body.len()).any(|at| begins(&at))
}

impl RetryAfter {
    /// The header's value.
    pub(crate) fn text(self, now: OffsetDateTime) -> String {
        match self {
            Self::Seconds(seconds) => seconds.to_string(),
            Self::DateIn(seconds) => http_date(now + time::Duration::seconds(i64::from(seconds))),
        }
    }
}

/// A time as HTTP headers have it: `Sun, 22 Nov 2026 10:11:12 GMT` (RFC 9110, IMF-fixdate).
pub(crate) fn http_date(at: OffsetDateTime) -> String {
    const FORM: &[BorrowedFormatItem<'_>] =
        format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    // Every time can be written in this form.
    at.to_offset(UtcOffset::UTC).format(FORM).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-22 10:11:12 UTC);

    fn struck(when: When, requests: u64) -> Vec<u64> {
        let mut faults = Faults::default();
        faults.add(Fault::new(Endpoint::Ingest, when, Effect::LoseAnswer));
        (1..=requests).filter(|_| !faults.due(Endpoint::Ingest, "", b"", NOW).is_empty()).collect()
    }

    #[test]
    fn each_matcher_chooses_its_requests() {
        assert_eq!(struck(When::Always, 3), [1, 2, 3]);
        assert_eq!(struck(When::Nth(2), 5), [2]);
        assert_eq!(struck(When::Every(3), 9), [3, 6, 9]);
        assert_eq!(struck(When::Every(0), 9), [0_u64; 0]);
        assert_eq!(struck(When::First(2), 5), [1, 2]);
        assert_eq!(struck(When::Until(NOW), 2), [0_u64; 0]);
        assert_eq!(struck(When::Until(NOW + time::Duration::SECOND), 2), [1, 2]);
    }

    #[test]
    fn a_fault_applies_to_its_endpoint_and_its_text_alone() {
        let mut faults = Faults::default();
        let number = faults.add(Fault::new(Endpoint::Retrieve, When::Nth(1), Effect::LoseAnswer).matching("$7"));
        assert!(faults.due(Endpoint::List, "/a$7", b"", NOW).is_empty());
        assert!(faults.due(Endpoint::Retrieve, "/a$8", b"", NOW).is_empty());
        assert_eq!(faults.due(Endpoint::Retrieve, "/a$7", b"", NOW), [Effect::LoseAnswer]);
        assert!(faults.due(Endpoint::Retrieve, "/a$7", b"", NOW).is_empty());
        assert_eq!((faults.active()[0].seen, faults.active()[0].struck), (2, 1));
        assert!(faults.remove(number) && !faults.remove(number));
    }

    #[test]
    fn a_fault_may_ask_for_the_body() {
        let mut faults = Faults::default();
        assert!(!faults.ask_for_bodies(Endpoint::Ingest));
        faults.add(Fault::new(Endpoint::Ingest, When::Always, Effect::status(400)).holding("bad"));
        faults.add(Fault::new(Endpoint::Ingest, When::Always, Effect::status(413)).longer_than(4));
        assert!(faults.ask_for_bodies(Endpoint::Ingest) && !faults.ask_for_bodies(Endpoint::List));
        let mut due = |body: &[u8]| faults.due(Endpoint::Ingest, "/", body, NOW);
        assert_eq!(due(b""), []);
        assert_eq!(due(b"good"), []);
        assert_eq!(due(b"bbad"), [Effect::status(400)]);
        assert_eq!(due(b"[bad"), [Effect::status(400)]);
        assert_eq!(due(b"a good"), [Effect::status(413)]);
        assert_eq!(due(b"a bad one"), [Effect::status(400), Effect::status(413)]);
        assert_eq!(faults.due(Endpoint::List, "/", b"a bad one", NOW), []);
    }

    #[test]
    fn answers_that_http_has_no_room_for_are_refused() {
        let with = |status, name: &str| {
            let headers = vec![(name.to_owned(), "1".to_owned())];
            let effect = Effect::Answer(Answer { status, headers, ..Answer::default() });
            Fault::new(Endpoint::List, When::Always, effect).check()
        };
        assert!(with(503, "x-a").is_ok());
        assert!(with(99, "x-a").is_err());
        assert!(with(503, "x a").is_err());
    }

    #[test]
    fn dates_are_in_the_form_of_http() {
        assert_eq!(http_date(NOW), "Sun, 22 Nov 2026 10:11:12 GMT");
        assert_eq!(RetryAfter::Seconds(7).text(NOW), "7");
        assert_eq!(RetryAfter::DateIn(8).text(NOW), "Sun, 22 Nov 2026 10:11:20 GMT");
    }

    #[test]
    fn faults_are_json() {
        let json = r#"{"on":"list","when":{"first":3},"effect":{"af":{"code":"AF429","retry_after":{"seconds":2}}}}"#;
        let fault: Fault = serde_json::from_str(json).unwrap();
        let retry_after = Some(RetryAfter::Seconds(2));
        let effect = Effect::Af { code: "AF429".to_owned(), retry_after };
        assert_eq!(fault, Fault::new(Endpoint::List, When::First(3), effect));
        assert!(
            serde_json::from_str::<Fault>(r#"{"on":"list","when":"always","effect":"lose_answer","x":1}"#).is_err()
        );
    }

    proptest! {
        #[test]
        fn a_seed_chooses_the_same_share(seed: u64) {
            let when = When::Share { share: 0.3, seed };
            prop_assert_eq!(struck(when, 300), struck(when, 300));
            prop_assert!((30..170).contains(&struck(when, 300).len()));
            prop_assert_eq!(struck(When::Share { share: 0.0, seed }, 50).len(), 0);
            prop_assert_eq!(struck(When::Share { share: 1.0, seed }, 50).len(), 50);
        }
    }
}
