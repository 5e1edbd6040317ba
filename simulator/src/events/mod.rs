//! The records of the tenant, rendered on demand.
//!
//! A [`Recipe`] is all that is kept of a generated content: its records come from the seed, the content's number and
//! the record's index, so they can be rendered at every retrieval and their ids listed without rendering anything.

use std::sync::Arc;

use bytes::Bytes;
use fastrand::Rng;
use time::{OffsetDateTime, Weekday};

mod facts;
mod kind;
mod labels;
mod mix;
mod noise;
mod published;
mod template;

use facts::Facts;
pub(crate) use facts::push_time;
use kind::Kind;
pub use mix::Mix;
use template::Template;

use crate::{contents::ContentType, guid, tenant::Tenant};

/// How the records of a generated content are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// By the weights of the hour: `labels` label events among `records`, evenly spread.
    Weighted {
        /// How many records.
        records: u32,
        /// How many of them are label events; at most `records`.
        labels: u32,
    },
    /// One record of each kind of the content type, label events and noise.
    EachKind,
}

/// What a generated content is made from. The same recipe and tenant make the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    /// Seed of the run.
    pub seed: u64,
    /// Number of the content, unique in its run.
    pub number: u64,
    /// Its content type.
    pub content_type: ContentType,
    /// When it is published; its events happened up to 90 minutes before.
    pub created: OffsetDateTime,
    /// Which records.
    pub choice: Choice,
}

/// Kinds of one content type, with weights summed up for drawing.
#[derive(Debug, Default)]
struct Table {
    kinds: Vec<(u32, usize)>,
}

impl Table {
    fn of(kinds: &[Compiled], content_type: ContentType, labels: bool, night: bool) -> Self {
        let mut sum = 0;
        let fits = |compiled: &Compiled| compiled.kind.content_type == content_type && compiled.label == labels;
        let weighed = kinds.iter().enumerate().filter(|(_, compiled)| fits(compiled)).filter_map(|(at, compiled)| {
            let (day, dark) = compiled.kind.weights;
            let weight = u32::from(if night { dark } else { day });
            sum += weight;
            (weight > 0).then_some((sum, at))
        });
        Self { kinds: weighed.collect() }
    }

    fn draw(&self, rng: &mut Rng) -> Option<usize> {
        let (sum, _) = self.kinds.last()?;
        let drawn = rng.u32(0..*sum);
        let at = self.kinds.partition_point(|(upto, _)| *upto <= drawn);
        self.kinds.get(at).map(|(_, kind)| *kind)
    }
}

#[derive(Debug)]
struct Compiled {
    kind: &'static Kind,
    template: Template,
    label: bool,
}

/// The kinds of records of a mix.
#[derive(Debug)]
struct Kinds {
    kinds: Vec<Compiled>,
    tables: Vec<[[Table; 2]; 2]>,
}

/// Renders records for one tenant.
#[derive(Debug)]
pub struct Generator {
    tenant: Arc<Tenant>,
    mix: Mix,
}

impl Kinds {
    /// Takes the templates apart.
    fn compile(labels: &'static [Kind], noise: &'static [Kind]) -> Self {
        let compile = |kind: &'static Kind, label| Compiled { kind, template: Template::new(&kind.text()), label };
        let kinds: Vec<Compiled> = labels
            .iter()
            .map(|kind| compile(kind, true))
            .chain(noise.iter().map(|kind| compile(kind, false)))
            .collect();
        let tables = ContentType::ALL
            .iter()
            .map(|&content_type| {
                [false, true].map(|labels| [false, true].map(|night| Table::of(&kinds, content_type, labels, night)))
            })
            .collect();
        Self { kinds, tables }
    }

    fn of_type(&self, content_type: ContentType) -> impl Iterator<Item = &Compiled> {
        self.kinds.iter().filter(move |compiled| compiled.kind.content_type == content_type)
    }

    fn table(&self, content_type: ContentType, labels: bool, night: bool) -> Option<&Table> {
        self.tables.get(content_type as usize).map(|tables| &tables[usize::from(labels)][usize::from(night)])
    }
}

impl Generator {
    /// For this tenant, of [`Mix::Company`].
    #[must_use]
    pub const fn new(tenant: Arc<Tenant>) -> Self {
        Self { tenant, mix: Mix::Company }
    }

    /// Of another mix.
    #[must_use]
    pub fn with_mix(self, mix: Mix) -> Self {
        Self { mix, ..self }
    }

    /// How many records a recipe makes.
    #[must_use]
    pub fn records(&self, recipe: &Recipe) -> u32 {
        match recipe.choice {
            Choice::Weighted { records, .. } => records,
            Choice::EachKind => {
                u32::try_from(self.mix.kinds().of_type(recipe.content_type).count()).unwrap_or(u32::MAX)
            }
        }
    }

    /// The ids of the recipe's label events, in the order of the records, without rendering.
    pub fn label_ids<'a>(&'a self, recipe: &'a Recipe) -> impl Iterator<Item = u128> + 'a {
        (0..self.records(recipe))
            .filter(|&index| self.is_label(recipe, index))
            .map(|index| guid::version_4(draws(recipe, index).u128(..)))
    }

    /// The body of the recipe's content: a JSON array.
    #[must_use]
    pub fn render(&self, recipe: &Recipe) -> Bytes {
        let records = self.records(recipe);
        let mut out = String::with_capacity(records as usize * 1_300 + 2);
        out.push('[');
        let night = is_night(recipe.created);
        for index in 0..records {
            if index > 0 {
                out.push(',');
            }
            let mut rng = draws(recipe, index);
            let id = guid::version_4(rng.u128(..));
            if let Some(compiled) = self.choose(recipe, index, night, &mut rng) {
                let facts = Facts::draw(&self.tenant, compiled.kind, id, recipe.created, &mut rng);
                compiled.template.splice(&mut out, |out, slot| facts.fill(out, slot));
            }
        }
        out.push(']');
        Bytes::from(out)
    }

    fn is_label(&self, recipe: &Recipe, index: u32) -> bool {
        match recipe.choice {
            Choice::Weighted { records, labels } => {
                let (records, labels, index) = (u64::from(records.max(1)), u64::from(labels), u64::from(index));
                let wanted = (index + 1) * labels / records > index * labels / records;
                wanted
                    && self
                        .mix
                        .kinds()
                        .table(recipe.content_type, true, false)
                        .is_some_and(|table| !table.kinds.is_empty())
            }
            Choice::EachKind => {
                self.mix.kinds().of_type(recipe.content_type).nth(index as usize).is_some_and(|compiled| compiled.label)
            }
        }
    }

    fn choose(&self, recipe: &Recipe, index: u32, night: bool, rng: &mut Rng) -> Option<&Compiled> {
        match recipe.choice {
            Choice::EachKind => self.mix.kinds().of_type(recipe.content_type).nth(index as usize),
            Choice::Weighted { .. } => {
                let label = self.is_label(recipe, index);
                let drawn = self.mix.kinds().table(recipe.content_type, label, night).and_then(|table| table.draw(rng));
                drawn.and_then(|at| self.mix.kinds().kinds.get(at))
            }
        }
    }
}

/// The random numbers of one record; the first 128 bits are its id.
fn draws(recipe: &Recipe, index: u32) -> Rng {
    let place = recipe.number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (u64::from(index) << 1);
    Rng::with_seed(recipe.seed.rotate_left(17) ^ scramble(place ^ ((recipe.content_type as u64) << 60)))
}

/// The finaliser of splitmix64: neighbouring numbers become unlike.
const fn scramble(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Whether the company is quiet: before 6 and from 19 o'clock UTC, and on weekends.
#[must_use]
pub fn is_night(at: OffsetDateTime) -> bool {
    matches!(at.weekday(), Weekday::Saturday | Weekday::Sunday) || !(6..19).contains(&at.hour())
}

#[cfg(test)]
mod tests;
