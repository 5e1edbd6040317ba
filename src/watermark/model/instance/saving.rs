//! How a run saves, write by write, and how it ends.

use super::{End, Goes, Instance};
use crate::{
    state::StateError,
    watermark::{
        Unsaved,
        model::{
            state::{Model, Shared},
            store::Way,
            world::time_of,
        },
    },
};

impl Instance {
    /// Takes what was answered and begins to save it.
    pub fn save(&mut self, model: &Model, shared: &mut Shared, all: bool) -> Goes {
        self.taken = Some(self.progress.take_unsaved(all));
        self.has_news &= !all;
        for batch in &mut self.places {
            batch.saving = batch.answered;
        }
        self.next_write(model, shared)
    }

    /// Begins the next write of what was taken, or goes on after the last.
    fn next_write(&mut self, model: &Model, shared: &mut Shared) -> Goes {
        if self.taken.as_ref().is_some_and(|taken| Part::next(taken, model).is_some()) {
            if self.may(model) {
                self.writing = true;
                return Goes::On;
            }
            return self.lock_lost(model, shared);
        }
        self.taken = None;
        self.late = 0;
        self.places.retain(|batch| !batch.saving);
        match self.end {
            End::NotYet => Goes::On,
            End::Finishing => {
                self.end = End::Saving;
                self.save(model, shared, true)
            }
            End::Saving => self.gone(shared),
        }
    }

    /// The write under way goes `way`.
    pub fn write(&mut self, model: &Model, shared: &mut Shared, way: Way) -> Goes {
        if !std::mem::take(&mut self.writing) {
            return Goes::On;
        }
        let (result, lost) = {
            let day = time_of(self.number).date();
            let (taken, memory) = (self.taken.as_mut().unwrap(), &mut self.memory);
            let write = async {
                match Part::next(taken, model).unwrap() {
                    Part::Records => {
                        memory.append_records(day, &taken.records).await?;
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
            Ok(()) => self.next_write(model, shared),
            // It found a late write of an earlier run: it looked at it, and writes again while it holds the lock.
            Err(StateError::Conflict { .. }) if self.late < model.world.rules.late_writes => {
                self.late += 1;
                self.next_write(model, shared)
            }
            Err(StateError::Conflict { .. }) => self.gone(shared),
            Err(_) if self.works() => {
                self.halted = true;
                Goes::On
            }
            // The storage failed at the end too: what was answered cannot be remembered.
            Err(_) => {
                self.excuse(shared);
                self.gone(shared)
            }
        }
    }

    /// The stages have ended: saves for the last time.
    pub fn end(&mut self, model: &Model, shared: &mut Shared) -> Goes {
        self.progress.finish();
        if self.taken.is_some() {
            self.end = End::Finishing;
            self.next_write(model, shared)
        } else {
            self.end = End::Saving;
            self.save(model, shared, true)
        }
    }

    /// The process is killed. A write that was under way may arrive all the same.
    pub fn kill(mut self, model: &Model, shared: &mut Shared, arrives: bool) {
        self.excuse(shared);
        let sent = shared.sent.len();
        let _it_is_killed = self.write(model, shared, Way::Lost);
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
