//! What is kept of events as they are.

use time::OffsetDateTime;

use super::row::Direction;

/// A label that was lowered or removed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Changed {
    /// When.
    pub time: OffsetDateTime,
    /// Id of the record.
    pub id: String,
    /// Who.
    pub user: String,
    /// Which way.
    pub direction: Direction,
    /// Id of the label before.
    pub from: String,
    /// Id of the label after.
    pub to: String,
    /// Why.
    pub justification: String,
    /// Of what.
    pub item: String,
    /// Where.
    pub workload: String,
    /// On which device.
    pub device: String,
}

/// Encryption that was taken off.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unprotected {
    /// When.
    pub time: OffsetDateTime,
    /// Id of the record.
    pub id: String,
    /// Who.
    pub user: String,
    /// By what.
    pub operation: String,
    /// Id of the label after.
    pub label: String,
    /// Of what.
    pub item: String,
    /// Where.
    pub workload: String,
}

/// A file as a scanner or client found it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// When.
    pub time: OffsetDateTime,
    /// Share, site or folder.
    pub repository: String,
    /// Whether it has a label.
    pub labelled: bool,
    /// Whether it is encrypted.
    pub protected: bool,
    /// Whether sensitive information was found in it.
    pub sensitive: bool,
}
