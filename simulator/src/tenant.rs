//! A small company, made from a seed: its people, devices, labels, sites, files and mails.

use fastrand::Rng;

use crate::guid;

/// A person of the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Given and family name.
    pub name: String,
    /// User principal name.
    pub upn: String,
    /// Object id, as `UserKey` has it.
    pub key: String,
    /// Department.
    pub department: &'static str,
    /// Names of the person's devices; never empty.
    pub devices: Vec<String>,
    /// The address that the person works from.
    pub ip: String,
    /// Office hours in UTC: the first hour, and the hour in which the person is gone.
    pub hours: (u8, u8),
}

/// A sensitivity label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Label id (GUID), as Graph and the audit records have it.
    pub id: String,
    /// Name; two labels under different parents may share one.
    pub name: &'static str,
    /// Index of the parent in [`Tenant::labels`].
    pub parent: Option<usize>,
    /// 0 is the least sensitive; unique over the whole tree.
    pub priority: u32,
    /// Whether it encrypts.
    pub protects: bool,
    /// Text for people.
    pub tooltip: &'static str,
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// File name with its extension.
    pub name: String,
    /// Extension without the dot.
    pub extension: &'static str,
    /// Index of its site in [`Tenant::sites`].
    pub site: usize,
    /// Folder under the site, without slashes at its ends.
    pub folder: &'static str,
    /// Bytes.
    pub size: u32,
}

/// A SharePoint site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Address, with a slash at its end.
    pub url: String,
    /// Site id (GUID).
    pub id: String,
}

/// The company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Tenant id (GUID).
    pub id: String,
    /// Mail domain.
    pub domain: String,
    /// Everybody.
    pub people: Vec<Person>,
    /// The label tree, parents before their sublabels.
    pub labels: Vec<Label>,
    /// Indexes of the labels that can be put on an item: those without sublabels.
    pub applicable: Vec<usize>,
    /// Id of a label that was deleted: some records still name it, Graph does not.
    pub retired_label: String,
    /// Sites.
    pub sites: Vec<Site>,
    /// Documents.
    pub files: Vec<File>,
    /// Subjects of mails.
    pub subjects: Vec<String>,
    /// Account of the nightly scanner.
    pub scanner: Person,
}

const GIVEN: [&str; 24] = [
    "Amina", "Bjørn", "Carla", "Dmitri", "Elif", "Farid", "Grace", "Hiroshi", "Ingrid", "João", "Kwame", "Lucía",
    "Mei", "Nikhil", "Olga", "Priya", "Quentin", "Rosa", "Siobhan", "Tomasz", "Ursula", "Viktor", "Yara", "Zoë",
];
const FAMILY: [&str; 24] = [
    "Abebe",
    "Bauer",
    "Castillo",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Goldberg",
    "Haddad",
    "Ivanova",
    "Jensen",
    "Kowalski",
    "Lindqvist",
    "Müller",
    "Nakamura",
    "O'Brien",
    "Petrov",
    "Quispe",
    "Rossi",
    "Singh",
    "Tanaka",
    "Ueda",
    "Vargas",
    "Weiß",
    "Yılmaz",
];
const DEPARTMENTS: [&str; 6] = ["Finance", "Legal", "Research", "Sales", "People", "Operations"];
const TOPICS: [&str; 16] = [
    "Budget",
    "Forecast",
    "Salary Review",
    "Merger Plan",
    "Customer List",
    "Contract",
    "Roadmap",
    "Patent Draft",
    "Audit Report",
    "Board Minutes",
    "Price List",
    "Incident Review",
    "Lieferantenliste",
    "Jahresabschluß",
    "Travel Policy",
    "Press Release",
];
const EXTENSIONS: [&str; 5] = ["docx", "xlsx", "pptx", "pdf", "csv"];
const FOLDERS: [&str; 4] =
    ["Shared Documents", "Shared Documents/2026", "Shared Documents/Archive/Old", "Shared Documents/Drafts"];

/// Name, parent, whether it protects, tooltip. Priorities follow the order.
const LABELS: [(&str, Option<usize>, bool, &str); 12] = [
    ("Personal", None, false, "Nothing of the company."),
    ("Public", None, false, "Made for the public."),
    ("General", None, false, "Everyday work, not for the public."),
    ("Confidential", None, false, "Harm if others had it."),
    ("All Employees", Some(3), true, "Confidential, for everybody here."),
    ("Finance", Some(3), true, "Confidential, for Finance."),
    ("Trusted Partners", Some(3), false, "Confidential, for partners under contract."),
    ("Highly Confidential", None, true, "Great harm if others had it."),
    ("All Employees", Some(7), true, "Highly confidential, for everybody here."),
    ("Finance", Some(7), true, "Highly confidential, for Finance."),
    ("Board", Some(7), true, "Highly confidential, for the board."),
    ("Project Ætna", Some(7), true, "Highly confidential, for one project."),
];

const PEOPLE: usize = 40;
const FILES: usize = 300;
const SUBJECTS: usize = 60;

impl Tenant {
    /// Makes a company. The same seed makes the same company.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x7e6a_17c0_55ab_1e5d);
        let id = new_guid(&mut rng);
        let domain = format!("fabrikam{}.example", rng.u32(100..1000));
        let people: Vec<Person> = (0..PEOPLE).map(|number| person(&mut rng, number, &domain)).collect();
        let labels: Vec<Label> =
            LABELS.iter().zip(0..).map(|(entry, priority)| label(&mut rng, *entry, priority)).collect();
        let applicable = (0..labels.len()).filter(|&at| labels.iter().all(|other| other.parent != Some(at))).collect();
        let host = domain.split('.').next().unwrap_or_default();
        let sites: Vec<Site> = DEPARTMENTS
            .iter()
            .map(|name| Site {
                url: format!("https://{host}.sharepoint.example/sites/{name}/"),
                id: new_guid(&mut rng),
            })
            .collect();
        let files = (0..FILES).map(|number| file(&mut rng, number, sites.len())).collect();
        let subjects = (0..SUBJECTS).map(|_| subject(&mut rng)).collect();
        let retired_label = new_guid(&mut rng);
        let scanner = Person {
            name: "Purview Scanner".to_owned(),
            upn: format!("purview.scanner@{domain}"),
            key: new_guid(&mut rng),
            department: "Operations",
            devices: vec!["SCANNER01".to_owned(), "SCANNER02".to_owned()],
            ip: "10.20.0.9".to_owned(),
            hours: (0, 24),
        };
        Self { id, domain, people, labels, applicable, retired_label, sites, files, subjects, scanner }
    }

    /// `Parent\Child` of a label, or its name alone.
    #[must_use]
    pub fn label_path(&self, label: &Label) -> String {
        match label.parent.and_then(|at| self.labels.get(at)) {
            Some(parent) => format!("{}\\{}", parent.name, label.name),
            None => label.name.to_owned(),
        }
    }
}

fn new_guid(rng: &mut Rng) -> String {
    guid::text(guid::version_4(rng.u128(..)))
}

fn pick<T: Copy>(rng: &mut Rng, from: &[T], otherwise: T) -> T {
    rng.choice(from).copied().unwrap_or(otherwise)
}

fn person(rng: &mut Rng, number: usize, domain: &str) -> Person {
    let (given, family) = (pick(rng, &GIVEN, "Ada"), pick(rng, &FAMILY, "Lovelace"));
    let ascii: String =
        format!("{given}.{family}").chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
    let start = rng.u8(6..10);
    let devices =
        (0..rng.usize(1..3)).map(|nth| format!("{}-{number:02}{nth}", pick(rng, &["LT", "WS", "MBP"], "LT"))).collect();
    Person {
        name: format!("{given} {family}"),
        upn: format!("{}{number}@{domain}", ascii.to_lowercase()),
        key: new_guid(rng),
        department: pick(rng, &DEPARTMENTS, "Operations"),
        devices,
        ip: format!("10.{}.{}.{}", rng.u8(16..32), rng.u8(..), rng.u8(1..255)),
        hours: (start, start + 9),
    }
}

fn label(rng: &mut Rng, entry: (&'static str, Option<usize>, bool, &'static str), priority: u32) -> Label {
    let (name, parent, protects, tooltip) = entry;
    Label { id: new_guid(rng), name, parent, priority, protects, tooltip }
}

fn file(rng: &mut Rng, number: usize, sites: usize) -> File {
    let extension = pick(rng, &EXTENSIONS, "docx");
    let topic = pick(rng, &TOPICS, "Budget");
    File {
        name: format!("{topic} {} {number}.{extension}", rng.u16(2022..2027)),
        extension,
        site: rng.usize(0..sites.max(1)),
        folder: pick(rng, &FOLDERS, "Shared Documents"),
        size: rng.u32(12_000..9_000_000),
    }
}

fn subject(rng: &mut Rng) -> String {
    let prefix = pick(rng, &["", "RE: ", "FW: ", "AW: "], "");
    format!(
        "{prefix}{} {}",
        pick(rng, &TOPICS, "Budget"),
        pick(rng, &["Q1", "Q2", "Q3", "Q4", "draft", "– final"], "Q1")
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_seed_is_a_tenant() {
        assert_eq!(Tenant::new(7), Tenant::new(7));
        assert_ne!(Tenant::new(7), Tenant::new(8));
    }

    #[test]
    fn labels_form_a_tree_with_unique_priorities_and_shared_names() {
        let tenant = Tenant::new(1);
        let priorities: BTreeSet<u32> = tenant.labels.iter().map(|label| label.priority).collect();
        assert_eq!(priorities.len(), tenant.labels.len());
        let names: BTreeSet<&str> = tenant.labels.iter().map(|label| label.name).collect();
        assert!(names.len() < tenant.labels.len(), "two labels share a name");
        let paths: BTreeSet<String> = tenant.labels.iter().map(|label| tenant.label_path(label)).collect();
        assert_eq!(paths.len(), tenant.labels.len(), "their paths differ");
        assert!(tenant.applicable.iter().all(|&at| tenant.labels.iter().all(|other| other.parent != Some(at))));
        assert!(tenant.labels.iter().enumerate().all(|(at, label)| label.parent.is_none_or(|parent| parent < at)));
    }

    #[test]
    fn people_have_addresses_and_devices_of_their_own() {
        let tenant = Tenant::new(3);
        let upns: BTreeSet<&str> = tenant.people.iter().map(|person| person.upn.as_str()).collect();
        assert_eq!(upns.len(), tenant.people.len());
        assert!(tenant.people.iter().all(|person| !person.devices.is_empty() && person.hours.0 < person.hours.1));
        assert!(tenant.people.iter().all(|person| person.upn.is_ascii()));
    }
}
