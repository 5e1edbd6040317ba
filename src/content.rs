//! A content: one blob of records that the feed lists.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A content type of the feed, by the name that the Management Activity API gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ContentType {
    /// Label events of the clients, scanners and services that have no content type of their own.
    #[serde(rename = "Audit.General")]
    General,
    /// SharePoint and OneDrive, with the label events of files and sites.
    #[serde(rename = "Audit.SharePoint")]
    SharePoint,
    /// Exchange, with the labels found on mail in transport.
    #[serde(rename = "Audit.Exchange")]
    Exchange,
    /// Entra ID. It holds nothing that the default filter keeps.
    #[serde(rename = "Audit.AzureActiveDirectory")]
    AzureActiveDirectory,
    /// Data loss prevention; needs `ActivityFeed.ReadDlp`. It holds nothing that the default filter keeps.
    #[serde(rename = "DLP.All")]
    Dlp,
}

impl ContentType {
    /// Every content type that the API has.
    pub const ALL: [Self; 5] = [Self::General, Self::SharePoint, Self::Exchange, Self::AzureActiveDirectory, Self::Dlp];

    /// The name on the wire, `Audit.General` for example.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::General => "Audit.General",
            Self::SharePoint => "Audit.SharePoint",
            Self::Exchange => "Audit.Exchange",
            Self::AzureActiveDirectory => "Audit.AzureActiveDirectory",
            Self::Dlp => "DLP.All",
        }
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ContentType {
    type Err = String;

    /// Takes the name in any case. The error is the text that was no content type.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(text)).ok_or_else(|| text.to_owned())
    }
}

/// One blob of records that the feed listed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// The content type that it was listed under.
    pub content_type: ContentType,
    /// Opaque; never parsed.
    pub id: String,
    /// Where its records are fetched.
    pub uri: String,
    /// When it was published (`contentCreated`): what the feed's windows go by.
    #[serde(with = "time::serde::rfc3339")]
    pub created: OffsetDateTime,
    /// When the feed stops serving it (`contentExpiration`), where the feed said so.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub expires: Option<OffsetDateTime>,
}
