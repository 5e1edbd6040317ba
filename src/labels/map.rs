//! The static map of `LABELS`, for clouds without Graph.
//!
//! It is what people have at hand: the CSV or the JSON of `Get-Label`, an answer of Graph, or the object of ids and names
//! that the documentation of Microsoft's own connector puts into a query.

use std::{borrow::Cow, collections::HashMap, fmt, path::PathBuf};

use serde_json::{Map, Value};
use tokio::io::AsyncReadExt as _;

use super::{
    page::{Listed, Pages, text, whole},
    parents::{Entry, with_parents},
};

/// The largest map that is read. A label takes some 200 bytes in it, a whole answer of Graph some 2 KB.
pub const LARGEST_MAP: usize = 4 << 20;

/// The columns that `Get-Label` exports, for people.
pub const EXPORT: &str = "Get-Label | Select-Object ImmutableId, DisplayName, Priority, ParentLabelDisplayName";

/// Why a map cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    File(String),
    /// It is larger than [`LARGEST_MAP`].
    #[error("it has more than {LARGEST_MAP} bytes")]
    TooLarge,
    /// It is neither UTF-8 nor UTF-16 with a byte order mark.
    #[error("it is no text in UTF-8 or UTF-16")]
    Encoding,
    /// It begins as JSON does and is none.
    #[error("it is no JSON: {0}")]
    Json(String),
    /// It is a table that cannot be read.
    #[error("it is no CSV: {0}")]
    Csv(String),
    /// Its header names no id or no name.
    #[error("its header has {0}; it needs ImmutableId and DisplayName")]
    Header(String),
    /// Nothing in it has both an id and a name.
    #[error("nothing in it has an id and a name ({0} entries)")]
    NoLabel(usize),
}

/// What a column or member is called, in any case. Of `Get-Label`, `Name` may be a GUID, and `DisplayName` is what people
/// see; Graph leaves `displayName` null.
const ID: &[&str] = &["immutableid", "id", "guid"];
const NAME: &[&str] = &["displayname", "name"];
const PRIORITY: &[&str] = &["priority"];
const PARENT: &[&str] = &["parentlabeldisplayname", "parent", "parentid"];

/// Where a map is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapSource {
    /// In a file.
    Path(PathBuf),
    /// In the setting itself.
    Text(String),
}

impl MapSource {
    /// Reads the map.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub async fn read(&self) -> Result<Listed, MapError> {
        let path = match self {
            Self::Text(text) => return parse(text.as_bytes()),
            Self::Path(path) => path,
        };
        let file = |error: std::io::Error| MapError::File(error.to_string());
        let mut bytes = Vec::new();
        // One byte more tells that it is too large.
        let mut file_itself = tokio::fs::File::open(path).await.map_err(file)?.take(LARGEST_MAP as u64 + 1);
        file_itself.read_to_end(&mut bytes).await.map_err(file)?;
        parse(&bytes)
    }
}

impl fmt::Display for MapSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "the map {}", path.display()),
            Self::Text(_) => f.write_str("the map in LABELS"),
        }
    }
}

/// Reads a map's bytes.
///
/// # Errors
/// Why it cannot be used.
pub fn parse(bytes: &[u8]) -> Result<Listed, MapError> {
    if bytes.len() > LARGEST_MAP {
        return Err(MapError::TooLarge);
    }
    let text = decoded(bytes).ok_or(MapError::Encoding)?;
    let listed = if text.trim_start().starts_with(['[', '{']) { of_json(&text)? } else { of_csv(&text)? };
    if listed.labels.is_empty() { Err(MapError::NoLabel(listed.skipped)) } else { Ok(listed) }
}

/// The text, without a byte order mark. Windows PowerShell writes UTF-16 unless it is told otherwise.
fn decoded(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let units = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<_> = pairs.iter().copied().map(unit).collect();
        rest.is_empty().then(|| String::from_utf16(&units).ok()).flatten()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => units(rest, u16::from_le_bytes).map(Cow::Owned),
        [0xfe, 0xff, rest @ ..] => units(rest, u16::from_be_bytes).map(Cow::Owned),
        [0xef, 0xbb, 0xbf, rest @ ..] => std::str::from_utf8(rest).ok().map(Cow::Borrowed),
        bytes => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
    }
}

fn of_json(text: &str) -> Result<Listed, MapError> {
    let json: Value = serde_json::from_str(text).map_err(|error| MapError::Json(error.to_string()))?;
    match json {
        Value::Array(entries) => Ok(listed(entries.iter().map(of_value))),
        Value::Object(members) => of_object(&members, text),
        // It begins as one of the two.
        _ => Ok(Listed::default()),
    }
}

fn of_object(members: &Map<String, Value>, json: &str) -> Result<Listed, MapError> {
    if members.get("value").is_some_and(Value::is_array) {
        let mut pages = Pages::default();
        pages.take(json.as_bytes()).map_err(MapError::Json)?;
        return Ok(pages.into_listed());
    }
    let is_label = named(members, ID).is_some() && named(members, NAME).is_some();
    // PowerShell writes an array of one as the one.
    if is_label {
        return Ok(listed([of_members(members)]));
    }
    Ok(listed(members.iter().map(|(id, value)| match value {
        Value::String(name) => of_name(id, name),
        Value::Object(label) => of_members(label).or_else(|| {
            let with_id = [("id".to_owned(), Value::from(id.as_str()))].into_iter().chain(label.clone()).collect();
            of_members(&with_id)
        }),
        _ => None,
    })))
}

/// `Parent\Child`, or a name alone.
fn of_name(id: &str, name: &str) -> Option<Entry> {
    let (parent, name) = match name.rsplit_once('\\') {
        Some((parent, name)) => (Some(parent.trim()), name.trim()),
        None => (None, name.trim()),
    };
    let parents = parent.into_iter().filter(|parent| !parent.is_empty()).map(str::to_owned).collect();
    Entry::new(Some(id.trim().to_owned()), Some(name.to_owned()), None, parents)
}

fn of_value(value: &Value) -> Option<Entry> {
    of_members(value.as_object()?)
}

fn of_members(members: &Map<String, Value>) -> Option<Entry> {
    let priority = PRIORITY.iter().find_map(|name| member(members, name).and_then(whole));
    let parents = PARENT.iter().filter_map(|name| member(members, name));
    let parents = parents.flat_map(|parent| [text(parent), text(&parent["id"]), text(&parent["name"])]).flatten();
    Entry::new(named(members, ID), named(members, NAME), priority, parents.collect())
}

/// The first of these members that is a text that says something.
fn named(members: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| member(members, name).and_then(text))
}

fn member<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    members.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The table of `Export-Csv`. Windows PowerShell puts a line `#TYPE` before it, and `-UseCulture` and spreadsheets part
/// the columns by the sign of the country.
fn of_csv(text: &str) -> Result<Listed, MapError> {
    let table = match text.trim_start().strip_prefix("#TYPE") {
        Some(rest) => rest.split_once('\n').map_or("", |(_, table)| table),
        None => text,
    };
    let header = table.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let times = |sign: u8| header.bytes().filter(|byte| *byte == sign).count();
    let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|sign| (times(*sign), *sign == b',')).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(table.as_bytes());
    let unreadable = |error: csv::Error| MapError::Csv(error.to_string());
    let columns: HashMap<_, _> =
        reader.headers().map_err(unreadable)?.iter().enumerate().map(|(at, name)| (name.to_lowercase(), at)).collect();
    let places = |names: &[&str]| names.iter().filter_map(|name| columns.get(*name).copied()).collect::<Vec<_>>();
    let (ids, names, priorities, parents) = (places(ID), places(NAME), places(PRIORITY), places(PARENT));
    if ids.is_empty() || names.is_empty() {
        let what = if ids.is_empty() { "no column for the id" } else { "no column for the name" };
        return Err(MapError::Header(what.to_owned()));
    }
    let mut entries = Vec::new();
    for row in reader.records() {
        let row = row.map_err(unreadable)?;
        let cells = |places: &[usize]| -> Vec<String> {
            places.iter().filter_map(|at| row.get(*at)).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
        };
        let first = |places: &[usize]| cells(places).into_iter().next();
        let priority = first(&priorities).and_then(|cell| cell.parse().ok());
        entries.push(Entry::new(first(&ids), first(&names), priority, cells(&parents)));
    }
    Ok(listed(entries))
}

fn listed(entries: impl IntoIterator<Item = Option<Entry>>) -> Listed {
    let mut skipped = 0;
    let whole = entries.into_iter().filter_map(|entry| {
        skipped += usize::from(entry.is_none());
        entry
    });
    let labels = with_parents(whole.collect());
    Listed { labels, skipped }
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
