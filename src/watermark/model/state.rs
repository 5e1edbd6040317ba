//! One state of a world, and every step that is possible in it.

use std::{hash::Hash as _, sync::Arc};

use super::{
    fingerprint::Fingerprint,
    instance::{Goes, Instance},
    store::{Disk, ModelStore, Sent, Way},
    world::{Faults, START, TENANT, World, number_of},
};
use crate::{feed::Window, watermark::Id};

/// A world and its store.
#[derive(Debug)]
pub struct Model {
    pub world: World,
    pub store: Arc<ModelStore>,
}

/// What outlives a run, and what is counted.
#[derive(Debug, Clone)]
pub struct Shared {
    pub disk: Disk,
    /// Writes that may still arrive although nobody waits for them.
    pub sent: Vec<Sent>,
    /// The contents that are listed.
    pub listed: Vec<bool>,
    /// How often fetching each content failed.
    pub failed: Vec<u8>,
    /// How often each record arrived.
    pub arrived: Vec<u8>,
    /// How often each record may arrive more than once.
    pub excused: Vec<u8>,
    /// The run that holds the lock.
    pub holder: Option<u8>,
    /// Runs begun.
    pub runs: u8,
    /// What may still go wrong.
    pub left: Faults,
}

/// A state of the world.
#[derive(Debug, Clone)]
pub struct State {
    pub shared: Shared,
    /// The runs that go on: the one that holds the lock, and those that lost it.
    pub instances: Vec<Instance>,
}

/// A step of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A late content is listed from now on.
    Publish(usize),
    /// A run begins.
    Begin,
    /// A write arrives whose sender has gone.
    Arrive(usize),
    /// A run does something. The number says which of those that go on.
    Run(usize, Step),
}

/// A step of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Resume,
    List,
    Fetch(usize),
    Fail(usize),
    Bury(usize),
    Post { arrives: bool },
    Answer(usize),
    Unanswered { batch: usize, again: bool },
    Save,
    SaveRecords { log: usize },
    Write { log: usize, way: Way },
    End,
    Kill { write_arrives: bool },
    Expire,
}

impl Model {
    pub fn new(world: World) -> Self {
        let store = Arc::new(ModelStore::new(world.rules.compares));
        Self { world, store }
    }

    /// The contents that the feed lists of a window, in the order of its pages: what is listed late comes last.
    pub fn world_lists(&self, shared: &Shared, window: Window) -> Vec<usize> {
        let blobs = &self.world.blobs;
        let inside = |number: &usize| {
            let created = START + time::Duration::minutes(blobs[*number].minute);
            shared.listed[*number] && (window.start..window.end).contains(&created)
        };
        let all = || (0..blobs.len()).filter(inside);
        let first = all().filter(|number| !blobs[*number].late);
        let again = all().filter(|number| blobs[*number].twice);
        first.chain(again).chain(all().filter(|number| blobs[*number].late)).collect()
    }

    /// The state in which nothing has happened.
    pub fn start(&self) -> State {
        let (blobs, records) = (&self.world.blobs, self.world.records());
        let shared = Shared {
            disk: Disk::default(),
            sent: Vec::new(),
            listed: blobs.iter().map(|blob| !blob.late).collect(),
            failed: vec![0; blobs.len()],
            arrived: vec![0; records],
            excused: vec![0; records],
            holder: None,
            runs: 0,
            left: self.world.faults,
        };
        State { shared, instances: Vec::new() }
    }

    /// Every step that is possible in `state`.
    pub fn actions(&self, state: &State) -> Vec<Action> {
        let shared = &state.shared;
        let mut actions = Vec::new();
        let unlisted = (0..shared.listed.len()).filter(|number| !shared.listed[*number]);
        actions.extend(unlisted.map(Action::Publish));
        actions.extend((0..shared.sent.len()).map(Action::Arrive));
        if shared.holder.is_none() && shared.runs < self.world.runs {
            actions.push(Action::Begin);
        }
        for (index, instance) in state.instances.iter().enumerate() {
            let mut steps = Vec::new();
            self.steps(shared, instance, &mut steps);
            actions.extend(steps.into_iter().map(|step| Action::Run(index, step)));
        }
        actions
    }

    fn steps(&self, shared: &Shared, instance: &Instance, steps: &mut Vec<Step>) {
        let left = shared.left;
        if instance.works() {
            if !instance.halted {
                self.work(shared, instance, steps);
            }
            steps.extend((0..instance.burying.len()).map(Step::Bury));
            for (batch, _) in instance.places.iter().enumerate().filter(|(_, batch)| !batch.answered) {
                steps.push(Step::Answer(batch));
                if left.posts > 0 {
                    steps.push(Step::Unanswered { batch, again: false });
                    if !instance.halted {
                        steps.push(Step::Unanswered { batch, again: true });
                    }
                }
            }
            if instance.can_end() {
                steps.push(Step::End);
            }
        }
        for log in instance.writing() {
            steps.push(Step::Write { log, way: Way::Clear });
            if left.saves > 0 {
                steps.extend([Way::AnswerLost, Way::Lost].map(|way| Step::Write { log, way }));
            }
        }
        if left.kills > 0 {
            steps.push(Step::Kill { write_arrives: false });
            if instance.writing().next().is_some() {
                steps.push(Step::Kill { write_arrives: true });
            }
        }
        if left.expiries > 0 && instance.holds {
            steps.push(Step::Expire);
        }
    }

    /// What a run does that takes up new work.
    fn work(&self, shared: &Shared, instance: &Instance, steps: &mut Vec<Step>) {
        // Once its lease ran out, what a run reads changes nothing but its own memory.
        if instance.may(self) {
            self.read(shared, instance, steps);
        }
        if !instance.waiting.is_empty() && instance.places.len() < self.world.at_once {
            steps.push(Step::Post { arrives: true });
            if shared.left.posts > 0 {
                steps.push(Step::Post { arrives: false });
            }
        }
        if instance.can_save() && instance.has_news {
            steps.push(Step::Save);
        }
        if let Some(log) = instance.free_log().filter(|_| instance.waits_for_a_save()) {
            steps.push(Step::SaveRecords { log });
        }
    }

    fn read(&self, shared: &Shared, instance: &Instance, steps: &mut Vec<Step>) {
        if instance.can_resume() {
            steps.push(Step::Resume);
        }
        if instance.can_list() {
            steps.push(Step::List);
        }
        for (index, (_, blob, read)) in instance.fetching.iter().enumerate() {
            let (blob, failed) = (&self.world.blobs[*blob], shared.failed[*blob]);
            if blob.goes_on(*read, failed) {
                steps.push(Step::Fetch(index));
            }
            if blob.failure(*read, failed).is_some() {
                steps.push(Step::Fail(index));
            }
        }
    }

    /// The state after `action`.
    pub fn after(&self, state: &State, action: Action) -> State {
        let mut next = state.clone();
        let shared = &mut next.shared;
        match action {
            Action::Publish(number) => shared.listed[number] = true,
            Action::Begin => {
                let instance = Instance::begin(self, shared);
                next.instances.push(instance);
            }
            Action::Arrive(index) => {
                let sent = shared.sent.remove(index);
                self.store.arrives(&mut shared.disk, sent);
            }
            Action::Run(index, step) => {
                let mut instance = next.instances.remove(index);
                if self.step(shared, &mut instance, step) == Goes::On {
                    next.instances.insert(index, instance);
                }
            }
        }
        next
    }

    fn step(&self, shared: &mut Shared, instance: &mut Instance, step: Step) -> Goes {
        match step {
            Step::Resume => instance.resume(self, shared),
            Step::List => instance.list(self, shared),
            Step::Fetch(index) => instance.fetch(self, shared, index),
            Step::Fail(index) => instance.fail(self, shared, index),
            Step::Bury(index) => instance.bury(self, shared, index),
            Step::Answer(batch) => instance.answer(self, batch),
            Step::Post { arrives } => {
                shared.left.posts -= u8::from(!arrives);
                return instance.post(self, shared, arrives);
            }
            Step::Unanswered { batch, again } => {
                shared.left.posts -= 1;
                return instance.unanswered(self, shared, batch, again);
            }
            Step::Save => return instance.save(self, shared),
            Step::SaveRecords { log } => return instance.save_records(self, shared, log),
            Step::Write { log, way } => {
                shared.left.saves -= u8::from(way != Way::Clear);
                return instance.write(self, shared, log, way);
            }
            Step::End => return instance.end(self, shared),
            Step::Kill { write_arrives } => {
                shared.left.kills -= 1;
                instance.clone().kill(self, shared, write_arrives);
                return Goes::Out;
            }
            Step::Expire => {
                shared.left.expiries -= 1;
                instance.expire(shared);
            }
        }
        Goes::On
    }

    /// Tells `state` from others. Two states with the same one go on alike: left out is only what decides nothing,
    /// which is the numbers of versions (it is told whether one is the stored one) and how often a record came beyond
    /// what the difference to its excuses says.
    pub fn fingerprint(&self, state: &State) -> u128 {
        let (shared, mut hasher) = (&state.shared, Fingerprint::default());
        shared.disk.fingerprint.hash(&mut hasher);
        for sent in &shared.sent {
            sent.hash(&shared.disk, &mut hasher);
        }
        for (arrived, excused) in shared.arrived.iter().zip(&shared.excused) {
            (*arrived > 0, i16::from(*arrived) - i16::from(*excused)).hash(&mut hasher);
        }
        (&shared.listed, &shared.failed, shared.holder, shared.runs, shared.left).hash(&mut hasher);
        for instance in &state.instances {
            instance.hash(self, shared, &mut hasher);
        }
        hasher.value()
    }
}

impl Shared {
    pub fn document_key() -> String {
        format!("{TENANT}/watermark.json")
    }

    /// Where the dead letter of a content is kept.
    pub fn letter(blob: usize) -> String {
        format!("{TENANT}/dead-letters/content-{blob}.json")
    }

    pub fn arrive(&mut self, ids: &[Id]) {
        for id in ids {
            self.arrived[number_of(id)] += 1;
        }
    }

    pub fn excuse(&mut self, ids: &[Id]) {
        for id in ids {
            self.excused[number_of(id)] += 1;
        }
    }

    /// Those that are remembered as delivered do not come again.
    pub fn excuse_unless_stored(&mut self, ids: &[Id]) {
        let stored = self.ids_below("records");
        let unstored: Vec<_> = ids.iter().filter(|id| !stored.contains(id)).copied().collect();
        self.excuse(&unstored);
    }

    /// The ids in every log below a folder of the tenant.
    pub fn ids_below(&self, folder: &str) -> Vec<Id> {
        let prefix = format!("{TENANT}/{folder}/");
        self.disk.below(&prefix).flat_map(|(_, log)| log.as_chunks::<16>().0.to_vec()).collect()
    }
}
