//! What one record says: who, when, on which device, about which item, with which labels.

use std::fmt::Write;

use fastrand::Rng;
use time::{Duration, OffsetDateTime};

use super::{
    kind::{Change, Kind},
    scramble,
    template::Slot,
};
use crate::{
    guid,
    tenant::{File, Label, Person, Site, Tenant},
};

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
pub(crate) struct Facts<'a> {
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
    /// Draws a record of `kind` that its content, created at `created`, can hold.
    pub fn draw(tenant: &'a Tenant, kind: &Kind, id: u128, created: OffsetDateTime, rng: &mut Rng) -> Self {
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

    fn protects(&self) -> bool {
        self.new.is_some_and(|label| label.protects)
    }

    fn downgraded(&self) -> bool {
        self.new.map(|label| label.priority) < self.old.map(|label| label.priority)
    }

    /// Why the label was lowered or removed, where it was.
    fn justification(&self) -> Option<&'static str> {
        let asked = self.downgraded() || self.new.is_none();
        asked.then(|| JUSTIFICATIONS[self.salt as usize % JUSTIFICATIONS.len()])
    }

    /// The label's id; rarely that of a deleted label, which Graph does not know.
    fn new_label(&self) -> &str {
        if self.salt.is_multiple_of(128) {
            return &self.tenant.retired_label;
        }
        self.new.map_or("", |label| &label.id)
    }

    /// Writes what stands in a slot.
    pub fn fill(&self, out: &mut String, slot: Slot) {
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
            Slot::Protected => out.push_str(if self.protects() { "true" } else { "false" }),
            Slot::Protection if self.protects() => {
                out.push_str(r#""ProtectionType":"Template","TemplateId":""#);
                guid::push(out, guid::version_4(self.bits(0)));
                out.push_str(r#"","IsProtected":true,"ProtectionOwner":""#);
                out.push_str(&self.person.upn);
                out.push('"');
            }
            Slot::Protection => out.push_str(r#""IsProtected":false"#),
            Slot::LabelEventType => out.push_str(if self.downgraded() { "2" } else { "1" }),
            Slot::ActionSource => out.push_str(["1", "2", "3", "3", "3", "4"][self.salt as usize % 6]),
            Slot::Justification => out.push_str(self.justification().unwrap_or_default()),
            Slot::Justified => {
                if let Some(text) = self.justification() {
                    out.push_str(r#","JustificationText":""#);
                    out.push_str(text);
                    out.push('"');
                }
            }
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
