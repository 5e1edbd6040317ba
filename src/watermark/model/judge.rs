//! What must hold in each state of a world.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    hash::Hash as _,
};

use super::{
    fingerprint::Fingerprint,
    instance::{Goes, Instance},
    state::{Model, Shared, State},
    store::Way,
    world::{Blob, KIND, Serves, number_of, time_of},
};
use crate::{
    feed::window::SKEW,
    watermark::{Document, Id, content_id},
};

/// What runs without a fault make of a stored state.
#[derive(Debug, Clone)]
struct Finish {
    /// The records that are stored as delivered, or belong to a content that is, with what it is.
    said_to_be_delivered: Vec<(usize, String)>,
    /// The records that are stored as delivered.
    stored: Vec<Id>,
    /// How often they send each record.
    sends: Vec<u8>,
    /// What they leave undone.
    undone: Option<String>,
}

/// Judges states. What finishing from a stored state leads to is worked out once.
#[derive(Debug, Default)]
pub struct Judge {
    finishes: HashMap<u128, Finish>,
}

impl Judge {
    /// How many different stored states were finished from.
    pub fn stored(&self) -> usize {
        self.finishes.len()
    }

    /// Judges `state` as if everything were killed now and runs without a fault followed.
    pub fn judge(&mut self, model: &Model, state: &State) -> Result<(), String> {
        let shared = &state.shared;
        if let Some(key) = &shared.disk.overwritten {
            return Err(format!("{key} was overwritten by a run that had lost the lock"));
        }
        for instance in &state.instances {
            if instance.places.len() > model.world.at_once {
                return Err(format!("run {} has {} batches under way", instance.number, instance.places.len()));
            }
        }
        let mut key = Fingerprint::default();
        (shared.disk.fingerprint, &shared.failed, shared.runs).hash(&mut key);
        let key = key.value();
        let finish = match self.finishes.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                passed_over(model, shared)?;
                new.insert(finish(model, shared))
            }
        };
        if let Some(undone) = &finish.undone {
            return Err(format!("after runs without a fault, {undone}"));
        }
        for (number, what) in &finish.said_to_be_delivered {
            if shared.arrived[*number] == 0 {
                return Err(format!("{what} is stored as delivered, and record {number} did not arrive"));
            }
        }
        let under_way = state.instances.iter().flat_map(Instance::under_way).collect::<Vec<_>>().concat();
        let mut may_come_again = shared.excused.clone();
        for id in under_way.iter().filter(|id| !finish.stored.contains(id)) {
            may_come_again[number_of(id)] += 1;
        }
        let served: HashSet<_> =
            model.world.blobs.iter().flat_map(Blob::served).map(|number| usize::from(*number)).collect();
        for (number, may_come_again) in may_come_again.iter().enumerate() {
            let comes = shared.arrived[number] + finish.sends[number];
            let at_most = 1 + may_come_again;
            if comes == 0 && served.contains(&number) {
                return Err(format!("record {number} is lost"));
            }
            if comes > at_most {
                return Err(format!("record {number} comes {comes} times, and {at_most} times at the most is right"));
            }
        }
        Ok(())
    }
}

/// The stored watermark passes no content that is neither delivered nor pending nor in the dead letters. One that was
/// listed late may lie before it, and is found by looking back.
fn passed_over(model: &Model, shared: &Shared) -> Result<(), String> {
    let Some(body) = shared.disk.get(&Shared::document_key()) else { return Ok(()) };
    let document = Document::parse(body).unwrap();
    let watermark = &document.content_types[&KIND];
    let delivered: HashSet<_> = shared.ids_below("contents").into_iter().collect();
    for (number, _) in model.world.blobs.iter().enumerate().filter(|(_, blob)| !blob.late) {
        let content = model.world.content(number);
        let known = delivered.contains(&content_id(&content.id))
            || shared.disk.get(&Shared::letter(number)).is_some()
            || watermark.pending.iter().any(|pending| pending.content.id == content.id);
        if content.created < watermark.listed_through && !known {
            return Err(format!("the stored watermark passed over {}", content.id));
        }
    }
    Ok(())
}

/// The records that must have arrived by what is stored.
fn said_to_be_delivered(model: &Model, shared: &Shared) -> Vec<(usize, String)> {
    let delivered: HashSet<_> = shared.ids_below("contents").into_iter().collect();
    let records = shared.ids_below("records").into_iter().map(|id| (number_of(&id), "the record".to_owned()));
    let contents = (0..model.world.blobs.len()).filter(|number| {
        let is_dead = shared.disk.get(&Shared::letter(*number)).is_some();
        delivered.contains(&content_id(&model.world.content(*number).id)) && !is_dead
    });
    let of_contents = contents.flat_map(|number| {
        let records = model.world.blobs[number].records.iter();
        records.map(move |record| (usize::from(*record), format!("content-{number}")))
    });
    records.chain(of_contents).collect()
}

/// Runs without a fault, until every content that fails for a while was served.
fn finish(model: &Model, shared: &Shared) -> Finish {
    let stored = shared.ids_below("records");
    let said_to_be_delivered = said_to_be_delivered(model, shared);
    let mut shared = shared.clone();
    shared.sent.clear();
    shared.listed.fill(true);
    shared.arrived.fill(0);
    shared.holder = None;
    let failures: u8 = (0..model.world.blobs.len()).map(|blob| model.world.failures(blob)).sum();
    for _ in 0..2 + failures {
        faultless_run(model, &mut shared);
    }
    let undone = undone(model, &shared);
    Finish { stored, said_to_be_delivered, sends: shared.arrived, undone }
}

fn faultless_run(model: &Model, shared: &mut Shared) {
    let mut run = Instance::begin(model, shared);
    run.resume(model, shared);
    while run.can_list() {
        run.list(model, shared);
    }
    while let Some((_, blob, read)) = run.fetching.first().copied() {
        if model.world.blobs[blob].failure(read, shared.failed[blob]).is_some() {
            run.fail(model, shared, 0);
        } else {
            run.fetch(model, shared, 0);
        }
    }
    while !run.burying.is_empty() {
        run.bury(model, shared, 0);
    }
    if !run.waiting.is_empty() {
        assert_eq!(run.post(model, shared, true), Goes::On);
        run.answer(model, 0);
        assert_eq!(run.save_records(model, shared, 0), Goes::On);
    }
    while run.writing().next().is_some() {
        assert_eq!(run.write(model, shared, 0, Way::Clear), Goes::On);
    }
    assert!(run.can_end());
    let mut goes = run.end(model, shared);
    while goes == Goes::On {
        goes = run.write(model, shared, 0, Way::Clear);
    }
}

/// What is not done although nothing stands in its way.
fn undone(model: &Model, shared: &Shared) -> Option<String> {
    let document = Document::parse(shared.disk.get(&Shared::document_key())?).unwrap();
    let watermark = &document.content_types[&KIND];
    let end = time_of(shared.runs - 1) - SKEW;
    if watermark.listed_through != end {
        return Some(format!("the watermark stands at {} and not at {end}", watermark.listed_through));
    }
    let delivered: HashSet<_> = shared.ids_below("contents").into_iter().collect();
    for (number, blob) in model.world.blobs.iter().enumerate() {
        let content = model.world.content(number);
        let is_pending = watermark.pending.iter().any(|pending| pending.content.id == content.id);
        let is_dead = shared.disk.get(&Shared::letter(number)).is_some();
        let is_delivered = delivered.contains(&content_id(&content.id));
        let right = match blob.serves {
            Serves::Whole | Serves::WholeAfter(_) => is_delivered && !is_pending && !is_dead,
            Serves::Broken => is_pending != is_dead,
            Serves::Expired => is_delivered && !is_pending && is_dead,
        };
        if !right {
            return Some(format!(
                "{} is delivered: {is_delivered}, pending: {is_pending}, in the dead letters: {is_dead}",
                content.id
            ));
        }
    }
    None
}
