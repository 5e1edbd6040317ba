//! Records that are not as they should be. Each stands between good ones, in contents of several pages: what harms a
//! neighbour, or its content, is missed by the ledger.

mod bodies;
mod fields;
mod ids;
mod json;
mod sizes;
mod times;

use std::sync::Arc;

use fastrand::Rng;
use labelstream_simulator::{
    ContentType, RawRecord,
    events::{Choice, Generator, Recipe},
    rule::Rule,
};
use serde_json::{Map, Value};

use crate::{case::Case, scene::Scene, world::minutes_ago};

/// The rows of this group.
pub fn cases() -> Vec<Case> {
    [fields::cases(), ids::cases(), times::cases(), json::cases(), sizes::cases(), bodies::cases()].concat()
}

/// Makes records: label events of the scene's tenant, each with an id of its own.
struct Maker {
    rng: Rng,
    patterns: Vec<Map<String, Value>>,
}

impl Maker {
    fn new(scene: &Scene) -> Self {
        let simulator = &scene.world.simulator;
        let generator = Generator::new(Arc::new(simulator.tenant().clone()));
        let patterns = ContentType::WITH_LABELS.into_iter().flat_map(|content_type| {
            let (created, choice) = (minutes_ago(5.0), Choice::EachKind);
            let recipe = Recipe { seed: scene.seed, number: u64::MAX, content_type, created, choice };
            serde_json::from_slice::<Vec<Map<String, Value>>>(&generator.render(&recipe)).unwrap()
        });
        let rule = Rule::default();
        let patterns = patterns.filter(|record| rule.keeps(&Value::from(record.clone()).to_string())).collect();
        Self { patterns, rng: Rng::with_seed(scene.seed) }
    }

    /// A GUID that no other record has.
    fn guid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.rng.u128(..).to_be_bytes()).into_uuid().to_string()
    }

    /// A label event as it should be.
    fn event(&mut self) -> Map<String, Value> {
        let mut event = self.patterns[self.rng.usize(..self.patterns.len())].clone();
        event.insert("Id".to_owned(), self.guid().into());
        event
    }

    /// A label event with this text in place of the value of a member, which is JSON or is meant to be none.
    fn with(&mut self, member: &str, raw: &str) -> String {
        let mut event = self.event();
        let id = event.remove("Id").filter(|_| member != "Id");
        event.remove(member);
        let rest = Value::from(event).to_string();
        let id = id.map(|id| format!("\"Id\":{id},")).unwrap_or_default();
        format!("{{{id}\"{member}\":{raw},{}", &rest[1..])
    }

    /// Publishes odd records, each between two good ones, in several contents of each content type.
    fn publish_among_good<R: Into<RawRecord>>(&mut self, scene: &mut Scene, odd: Vec<R>) {
        scene.struck += odd.len() as u64;
        let mut odd = odd.into_iter().map(Into::into).peekable();
        while odd.peek().is_some() {
            let mut records: Vec<RawRecord> = vec![Value::from(self.event()).into()];
            for one in odd.by_ref().take(self.rng.usize(1..60)) {
                records.extend([one, Value::from(self.event()).into()]);
            }
            self.publish(scene, records);
        }
    }

    /// Publishes a content of these records somewhere in the last hour.
    fn publish(&mut self, scene: &Scene, records: Vec<RawRecord>) {
        let content_type = ContentType::WITH_LABELS[self.rng.usize(..3)];
        let created = minutes_ago(2.0 + 55.0 * self.rng.f64());
        scene.world.simulator.publish_records(content_type, created, records);
    }
}

/// The rows that arrived.
fn rows(scene: &Scene) -> Vec<Value> {
    scene.world.simulator.rows().iter().map(|row| serde_json::from_str(row.get()).unwrap()).collect()
}

/// The row of the record with this id.
fn row(scene: &Scene, id: &str) -> Value {
    rows(scene).into_iter().find(|row| row["AuditRecordId"] == id).unwrap_or_else(|| panic!("no row of {id}"))
}
