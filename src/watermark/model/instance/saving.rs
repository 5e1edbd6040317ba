//! How a run saves, write by write, and how it ends.

use super::{End, Goes, Instance, Saving};
use crate::{
    state::StateError,
    watermark::{
        RECORD_LOGS, Unsaved,
        model::{
            state::{Model, Shared},
            store::Way,
            world::time_of,
        },
    },
};

impl Instance {
    /// Takes what was answered and begins to save it, when no other save goes on.
    pub fn save(&mut self, model: &Model, shared: &mut Shared) -> Goes {
        self.has_news = false;
        let taken = self.progress.take_unsaved(true);
        self.begin_save(model, shared, 0, taken)
    }

    /// Takes the records that were answered and begins to save them.
    pub fn save_records(&mut self, model: &Model, shared: &mut Shared, log: usize) -> Goes {
        let records = self.progress.take_records();
        self.begin_save(model, shared, log, Unsaved { records, ..Unsaved::default() })
    }

    fn begin_save(&mut self, model: &Model, shared: &mut Shared, log: usize, taken: Unsaved) -> Goes {
        self.saves[log].taken = Some(taken);
        for batch in &mut self.places {
            if batch.answered && batch.saving.is_none() {
                batch.saving = Some(log);
            }
        }
        self.places.sort_unstable();
        self.next_write(model, shared, log)
    }

    /// Begins the next write of what was taken, or goes on after the last.
    fn next_write(&mut self, model: &Model, shared: &mut Shared, log: usize) -> Goes {
        let save = &mut self.saves[log];
        if save.taken.as_ref().is_some_and(|taken| Part::next(taken, model).is_some()) {
            if self.may(model) {
                self.saves[log].writing = true;
                return Goes::On;
            }
            return self.lock_lost(model, shared);
        }
        *save = Saving::default();
        self.places.retain(|batch| batch.saving != Some(log));
        match self.end {
            End::NotYet => Goes::On,
            End::Finishing => self.finish(model, shared),
            End::Saving => self.gone(shared),
        }
    }

    /// The next write of `log` goes `way`.
    pub fn write(&mut self, model: &Model, shared: &mut Shared, log: usize, way: Way) -> Goes {
        if !std::mem::take(&mut self.saves[log].writing) {
            return Goes::On;
        }
        let (result, lost) = {
            let day = time_of(self.number).date();
            let (taken, memory) = (self.saves[log].taken.as_mut().unwrap(), &mut self.memory);
            let write = async {
                match Part::next(taken, model).unwrap() {
                    Part::Records => {
                        memory.append_records(log, day, &taken.records).await?;
                        taken.records.clear();
                    }
                    Part::Contents => {
                        let (content_type, day, ids) = taken.contents.last().unwrap();
                        memory.append_contents(*content_type, *day, ids).await?;
                        taken.contents.pop();
                    }
                    Part::Document => {
                        memory.save_document(taken.document.as_ref().unwrap()).await?;
                        taken.document = None;
                    }
                }
                Ok(())
            };
            model.store.enter(&mut shared.disk, self.number, way, write)
        };
        shared.sent.extend(lost);
        match result {
            Ok(()) => self.next_write(model, shared, log),
            // It found a late write of an earlier run: it looked at it, and writes again while it holds the lock.
            Err(StateError::Conflict { .. }) if self.saves[log].late < model.world.rules.late_writes => {
                self.saves[log].late += 1;
                self.next_write(model, shared, log)
            }
            Err(StateError::Conflict { .. }) => {
                self.let_go(model, shared);
                self.gone(shared)
            }
            Err(_) if self.works() => {
                self.halted = true;
                // The others are not waited for.
                self.let_go(model, shared);
                Goes::On
            }
            // The storage failed at the end too: what was answered cannot be remembered.
            Err(_) => {
                self.excuse(shared);
                self.gone(shared)
            }
        }
    }

    /// Waits for no write any more. One that is under way may arrive all the same.
    pub fn let_go(&mut self, model: &Model, shared: &mut Shared) {
        for log in 0..RECORD_LOGS {
            let _nobody_waits = self.write(model, shared, log, Way::Lost);
        }
    }

    /// The stages have ended: saves for the last time.
    pub fn end(&mut self, model: &Model, shared: &mut Shared) -> Goes {
        self.progress.finish();
        self.end = End::Finishing;
        self.finish(model, shared)
    }

    /// Finishes what was left of earlier saves, one after the other, and begins the last one.
    fn finish(&mut self, model: &Model, shared: &mut Shared) -> Goes {
        match self.saves.iter().position(|save| save.taken.is_some()) {
            Some(log) => self.next_write(model, shared, log),
            None => {
                self.end = End::Saving;
                self.save(model, shared)
            }
        }
    }

    /// The process is killed. Writes that were under way may arrive all the same.
    pub fn kill(mut self, model: &Model, shared: &mut Shared, arrives: bool) {
        self.excuse(shared);
        let sent = shared.sent.len();
        self.let_go(model, shared);
        if !arrives {
            shared.sent.truncate(sent);
        }
        let _it_is_killed = self.gone(shared);
    }
}

/// A part of what is saved.
enum Part {
    Records,
    Contents,
    Document,
}

impl Part {
    /// The one that is written next, as in `pull/saving.rs`.
    fn next(unsaved: &Unsaved, model: &Model) -> Option<Self> {
        if unsaved.document.is_some() && !model.world.rules.in_order {
            Some(Self::Document)
        } else if !unsaved.records.is_empty() {
            Some(Self::Records)
        } else if !unsaved.contents.is_empty() {
            Some(Self::Contents)
        } else {
            unsaved.document.as_ref().map(|_| Self::Document)
        }
    }
}
