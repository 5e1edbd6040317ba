//! The records of the tenant, rendered on demand.
//!
//! A [`Recipe`] is all that is kept of a generated content: its records come from the seed, the content's number and
//! the record's index, so they can be rendered at every retrieval and their ids listed without rendering anything.

use std::{fmt::Write, sync::Arc};

use bytes::Bytes;
use fastrand::Rng;
use time::{Duration, OffsetDateTime, Weekday};

mod kind;
mod labels;
mod noise;
mod template;

use kind::{Change, Kind};
use template::{Slot, Template};

use crate::{
    contents::ContentType,
    guid,
    tenant::{File, Label, Person, Site, Tenant},
};

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

/// Renders records for one tenant.
#[derive(Debug)]
pub struct Generator {
    tenant: Arc<Tenant>,
    kinds: Vec<Compiled>,
    tables: Vec<[[Table; 2]; 2]>,
}

impl Generator {
    /// Takes the templates apart.
    #[must_use]
    pub fn new(tenant: Arc<Tenant>) -> Self {
        let compile = |kind: &'static Kind, label| Compiled { kind, template: Template::new(&kind.text()), label };
        let kinds: Vec<Compiled> = labels::KINDS
            .iter()
            .map(|kind| compile(kind, true))
            .chain(noise::KINDS.iter().map(|kind| compile(kind, false)))
            .collect();
        let tables = ContentType::ALL
            .iter()
            .map(|&content_type| {
                [false, true].map(|labels| [false, true].map(|night| Table::of(&kinds, content_type, labels, night)))
            })
            .collect();
        Self { tenant, kinds, tables }
    }

    /// How many records a recipe makes.
    #[must_use]
    pub fn records(&self, recipe: &Recipe) -> u32 {
        match recipe.choice {
            Choice::Weighted { records, .. } => records,
            Choice::EachKind => u32::try_from(self.of_type(recipe.content_type).count()).unwrap_or(u32::MAX),
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

    fn of_type(&self, content_type: ContentType) -> impl Iterator<Item = &Compiled> {
        self.kinds.iter().filter(move |compiled| compiled.kind.content_type == content_type)
    }

    fn table(&self, content_type: ContentType, labels: bool, night: bool) -> Option<&Table> {
        self.tables.get(content_type as usize).map(|tables| &tables[usize::from(labels)][usize::from(night)])
    }

    fn is_label(&self, recipe: &Recipe, index: u32) -> bool {
        match recipe.choice {
            Choice::Weighted { records, labels } => {
                let (records, labels, index) = (u64::from(records.max(1)), u64::from(labels), u64::from(index));
                let wanted = (index + 1) * labels / records > index * labels / records;
                wanted && self.table(recipe.content_type, true, false).is_some_and(|table| !table.kinds.is_empty())
            }
            Choice::EachKind => {
                self.of_type(recipe.content_type).nth(index as usize).is_some_and(|compiled| compiled.label)
            }
        }
    }

    fn choose(&self, recipe: &Recipe, index: u32, night: bool, rng: &mut Rng) -> Option<&Compiled> {
        match recipe.choice {
            Choice::EachKind => self.of_type(recipe.content_type).nth(index as usize),
            Choice::Weighted { .. } => {
                let label = self.is_label(recipe, index);
                let drawn = self.table(recipe.content_type, label, night).and_then(|table| table.draw(rng));
                drawn.and_then(|at| self.kinds.get(at))
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

const JUSTIFICATIONS: [&str; 6] = [
    "Previous label no longer applies",
    "Previous label was incorrect",
    "Shared with a customer under NDA",
    "Freigegeben von der Geschäftsführung",
    "Other: needed at home tonight",
    "The press release is out",
];
const APPS: [(&str, &str); 4] =
    [("Word", "WINWORD"), ("Excel", "EXCEL"), ("PowerPoint", "POWERPNT"), ("Outlook", "OUTLOOK")];

/// Everything that one record says.
struct Facts<'a> {
    tenant: &'a Tenant,
    id: u128,
    time: OffsetDateTime,
    person: &'a Person,
    device: &'a str,
    receivers: [&'a Person; 2],
    new: Option<&'a Label>,
    old: Option<&'a Label>,
    file: Option<&'a File>,
    site: Option<&'a Site>,
    subject: &'a str,
    salt: u64,
    number: u32,
}

impl<'a> Facts<'a> {
    fn draw(tenant: &'a Tenant, kind: &Kind, id: u128, created: OffsetDateTime, rng: &mut Rng) -> Self {
        let time = created - Duration::seconds(rng.i64(300..5_400));
        let person = if kind.by_scanner { &tenant.scanner } else { at_work(tenant, time, rng) };
        let label = |rng: &mut Rng| rng.choice(&tenant.applicable).and_then(|&at| tenant.labels.get(at));
        let mut old = label(rng).filter(|_| kind.change != Change::Applied);
        let mut new = label(rng).filter(|_| kind.change != Change::Removed);
        if kind.change == Change::Updated && new == old {
            new = tenant.labels.last().filter(|last| Some(*last) != old).or_else(|| tenant.labels.first());
        }
        // Few changes go down; those that do carry a justification.
        let down = new.map(|label| label.priority) < old.map(|label| label.priority);
        if kind.change == Change::Updated && down && rng.u8(..) < 128 {
            std::mem::swap(&mut old, &mut new);
        }
        let file = rng.choice(&tenant.files);
        Self {
            tenant,
            id,
            time,
            person,
            device: rng.choice(&person.devices).map_or("", String::as_str),
            receivers: [rng.choice(&tenant.people).unwrap_or(person), rng.choice(&tenant.people).unwrap_or(person)],
            new,
            old,
            file,
            site: file.and_then(|file| tenant.sites.get(file.site)),
            subject: rng.choice(&tenant.subjects).map_or("", String::as_str),
            salt: rng.u64(..),
            number: rng.u32(1..400),
        }
    }

    fn downgraded(&self) -> bool {
        self.new.map(|label| label.priority) < self.old.map(|label| label.priority)
    }

    /// The label's id; rarely that of a deleted label, which Graph does not know.
    fn new_label(&self) -> &str {
        if self.salt.is_multiple_of(128) {
            return &self.tenant.retired_label;
        }
        self.new.map_or("", |label| &label.id)
    }

    fn fill(&self, out: &mut String, slot: Slot) {
        match slot {
            Slot::Id => guid::push(out, self.id),
            Slot::Time => push_time(out, self.time),
            Slot::Org => out.push_str(&self.tenant.id),
            Slot::Upn => out.push_str(&self.person.upn),
            Slot::Alias => out.push_str(self.person.upn.split('@').next().unwrap_or_default()),
            Slot::Key => out.push_str(&self.person.key),
            Slot::Ip => out.push_str(&self.person.ip),
            Slot::Device => out.push_str(self.device),
            Slot::Department => out.push_str(self.person.department),
            Slot::Domain => out.push_str(&self.tenant.domain),
            Slot::Guid(nth) => guid::push(out, guid::version_4(self.bits(nth))),
            Slot::NewLabel => out.push_str(self.new_label()),
            Slot::NewLabelName => out.push_str(self.new.map_or("", |label| label.name)),
            Slot::NewOrder => push_number(out, self.new.map_or(0, |label| label.priority)),
            Slot::OldLabel => out.push_str(self.old.map_or("", |label| &label.id)),
            Slot::OldOrder => push_number(out, self.old.map_or(0, |label| label.priority)),
            Slot::Protected => {
                out.push_str(if self.new.is_some_and(|label| label.protects) { "true" } else { "false" })
            }
            Slot::LabelEventType => out.push_str(if self.downgraded() { "2" } else { "1" }),
            Slot::ActionSource => out.push_str(["1", "2", "3", "3", "3", "4"][self.salt as usize % 6]),
            Slot::Justification if self.downgraded() || self.new.is_none() => {
                out.push_str(JUSTIFICATIONS[self.salt as usize % JUSTIFICATIONS.len()]);
            }
            Slot::Justification => {}
            Slot::SiteUrl => out.push_str(self.site.map_or("", |site| &site.url)),
            Slot::SiteId => out.push_str(self.site.map_or("", |site| &site.id)),
            Slot::FileName => out.push_str(self.file.map_or("", |file| &file.name)),
            Slot::Extension => out.push_str(self.file.map_or("", |file| file.extension)),
            Slot::Folder => out.push_str(self.file.map_or("", |file| file.folder)),
            Slot::Size => push_number(out, self.file.map_or(0, |file| file.size)),
            Slot::Subject => out.push_str(self.subject),
            Slot::Receivers => {
                for (nth, person) in self.receivers.iter().enumerate() {
                    out.push_str(if nth == 0 { "\"" } else { ",\"" });
                    out.push_str(&person.upn);
                    out.push('"');
                }
            }
            Slot::Application => out.push_str(APPS[self.salt as usize % APPS.len()].0),
            Slot::Process => out.push_str(APPS[self.salt as usize % APPS.len()].1),
            Slot::Number => push_number(out, self.number),
            Slot::Token => push_token(out, self.bits(9)),
        }
    }

    fn bits(&self, nth: u8) -> u128 {
        let low = scramble(self.salt ^ (u64::from(nth) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        u128::from(low) << 64 | u128::from(scramble(low))
    }
}

/// Somebody in office at `time`, or, after a few tries, somebody who works late.
fn at_work<'a>(tenant: &'a Tenant, time: OffsetDateTime, rng: &mut Rng) -> &'a Person {
    let mut person = rng.choice(&tenant.people);
    for _ in 0..3 {
        if person.is_some_and(|person| (person.hours.0..person.hours.1).contains(&time.hour())) {
            break;
        }
        person = rng.choice(&tenant.people);
    }
    person.unwrap_or(&tenant.scanner)
}

fn push_number(out: &mut String, number: u32) {
    // Writing to a String cannot fail.
    if write!(out, "{number}").is_err() {
        out.push('0');
    }
}

/// `2026-11-22T10:11:12`: UTC without a zone, as the feed has it.
pub(crate) fn push_time(out: &mut String, at: OffsetDateTime) {
    let (year, month, day) = (at.year().unsigned_abs(), u32::from(u8::from(at.month())), u32::from(at.day()));
    let (hour, minute, second) = (u32::from(at.hour()), u32::from(at.minute()), u32::from(at.second()));
    push_number(out, year);
    for (sign, number) in [('-', month), ('-', day), ('T', hour), (':', minute), (':', second)] {
        out.push(sign);
        out.push(char::from(b'0' + (number / 10) as u8));
        out.push(char::from(b'0' + (number % 10) as u8));
    }
}

fn push_token(out: &mut String, bits: u128) {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for step in 0..21 {
        out.push(char::from(LETTERS[(bits >> (step * 6)) as usize & 63]));
    }
}

#[cfg(test)]
mod tests;
