//! What the benchmarks work on. The same seed makes the same bytes.

use std::sync::{Arc, LazyLock};

use labelstream::{
    content::{Content, ContentType},
    labels::{Catalogue, Label},
    record::{Element, Filter, Peek, Record, Splitter, decode},
    row::{self, Provenance},
};
use labelstream_simulator::{
    ContentType as Simulated, Tenant,
    events::{Choice, Generator, Recipe},
};
use time::{OffsetDateTime, macros::datetime};

/// Records or rows, one by one.
type Texts = Vec<Vec<u8>>;

const SEED: u64 = 1;
/// A Wednesday in office hours, when most of a company's records are made.
const CREATED: OffsetDateTime = datetime!(2026-11-18 10:00 UTC);
/// Records of one content, of which so many are label events.
const CHOICE: Choice = Choice::Weighted { records: 1_000, labels: 400 };

/// Bodies of three contents, one of each content type that has label events.
pub static BODIES: LazyLock<Texts> = LazyLock::new(|| {
    let generator = Generator::new(Arc::new(Tenant::new(SEED)));
    let recipes = Simulated::WITH_LABELS.into_iter().zip(0..).map(|(content_type, number)| Recipe {
        seed: SEED,
        number,
        content_type,
        created: CREATED,
        choice: CHOICE,
    });
    recipes.map(|recipe| generator.render(&recipe).to_vec()).collect()
});

/// Their records, one by one.
pub static RECORDS: LazyLock<Texts> = LazyLock::new(|| {
    let mut records = Vec::new();
    for body in BODIES.iter() {
        let mut take = |element: Element<'_>| {
            if let Element::Record { bytes, .. } = element {
                records.push(bytes.to_vec());
            }
        };
        let mut splitter = Splitter::new();
        assert_eq!(splitter.push(body, &mut take).and_then(|()| splitter.finish()), Ok(()));
    }
    records
});

/// The records that are label events, and those that are none.
pub static EVENTS_AND_NOISE: LazyLock<(Texts, Texts)> = LazyLock::new(|| {
    let filter = Filter::default();
    let is_event = |record: &Vec<u8>| {
        Peek::of(&decode(record)).is_ok_and(|peek| filter.keeps(peek.record_type, peek.operation.as_deref()))
    };
    RECORDS.iter().cloned().partition(is_event)
});

/// The rows of the label events.
pub static ROWS: LazyLock<Texts> = LazyLock::new(|| {
    let (content, labels) = (content(), labels());
    let provenance = Provenance::from(&content);
    let row = |event: &Vec<u8>| {
        let mut row = Vec::new();
        if let Ok(record) = Record::parse(&decode(event)) {
            row::write(&record, &provenance, &labels, &mut row);
        }
        row
    };
    EVENTS_AND_NOISE.0.iter().map(row).collect()
});

/// The content that rows name as theirs.
pub fn content() -> Content {
    let id = "20261118100000000000000$20261118100000000000000$audit_general$Audit_General";
    Content {
        id: id.to_owned(),
        uri: format!("https://manage.office.com/api/v1.0/tenant/activity/feed/audit/{id}"),
        content_type: ContentType::General,
        created: CREATED,
        expires: Some(CREATED + time::Duration::days(7)),
    }
}

/// The tenant's labels, as Graph lists them.
pub fn labels() -> Catalogue {
    let tenant = Tenant::new(SEED);
    let listed = tenant.labels.iter().map(|label| Label {
        id: label.id.clone(),
        name: label.name.to_owned(),
        parent: label.parent.and_then(|at| tenant.labels.get(at)).map(|parent| parent.name.to_owned()),
        priority: Some(label.priority.into()),
        gone: None,
    });
    Catalogue::default().merged(listed, CREATED)
}

/// Bytes of all of them.
pub fn bytes(all: &[Vec<u8>]) -> usize {
    all.iter().map(Vec::len).sum()
}
