//! Mixes: which kinds of records a feed has, and how often.

use std::sync::LazyLock;

use clap::ValueEnum;

use super::{Kinds, kind::Kind, labels, noise, published};
use crate::contents::ContentType::{self, Exchange, General, SharePoint};

/// Which records a feed has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Mix {
    /// A company's: label events of every kind in three content types, in office hours more by people and by night more
    /// by the scanner. At 40 % label events a record has 1,260 bytes on average.
    #[default]
    Company,
    /// Records with the members of published samples and field lists and no others, at every hour alike: label events of
    /// labelling clients and scanners (record types 93 to 97, in Audit.General alone) among short noise. At 40 % label
    /// events a record has 940 bytes on average.
    Published,
}

static COMPANY: LazyLock<Kinds> = LazyLock::new(|| Kinds::compile(&labels::KINDS, &noise::KINDS));
static PUBLISHED: LazyLock<Kinds> = LazyLock::new(|| Kinds::compile(&published::LABELS, &published::NOISE));

impl Mix {
    pub(super) fn kinds(self) -> &'static Kinds {
        match self {
            Self::Company => &COMPANY,
            Self::Published => &PUBLISHED,
        }
    }

    /// Whether label events come with the content type.
    pub(crate) fn labels_in(self, content_type: ContentType) -> bool {
        let kinds: &[Kind] = match self {
            Self::Company => &labels::KINDS,
            Self::Published => &published::LABELS,
        };
        kinds.iter().any(|kind| kind.content_type == content_type)
    }

    /// The content types of an even stream, in turn.
    pub(crate) const fn in_turn(self) -> &'static [ContentType] {
        match self {
            Self::Company => &ContentType::WITH_LABELS,
            Self::Published => &[General, SharePoint, General, Exchange],
        }
    }

    /// The content types of a past, each as often in ten as it is there.
    pub(crate) const fn in_ten(self) -> [ContentType; 10] {
        let [g, s, e] = ContentType::WITH_LABELS;
        match self {
            Self::Company => [g, g, g, s, s, s, s, e, e, e],
            Self::Published => [g, g, g, g, g, s, s, s, e, e],
        }
    }
}
