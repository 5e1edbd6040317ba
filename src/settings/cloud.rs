//! The clouds of Microsoft 365 and the hosts of each.

use std::str::FromStr;

use super::value::choice;

/// A cloud that a tenant can be in, by the name that `M365_CLOUD` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Cloud {
    /// Worldwide.
    #[default]
    Commercial,
    /// US Government Community Cloud: its own management host on the worldwide login.
    Gcc,
    /// US Government Community Cloud High.
    GccHigh,
    /// US Department of Defense.
    Dod,
}

/// Where the services of a cloud are. All are origins, without a trailing slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hosts {
    /// Office 365 Management APIs; the audience of their tokens too.
    pub management: &'static str,
    /// Where tokens are issued.
    pub authority: &'static str,
    /// Microsoft Graph; the audience of its tokens too.
    pub graph: &'static str,
    /// The audience of tokens for the Logs Ingestion API. Its host is the data collection endpoint.
    pub monitor: &'static str,
    /// The audience of a managed identity's token that stands in for an app registration's secret.
    pub token_exchange: &'static str,
}

/// Management hosts, authorities and scopes: "Office 365 Management Activity API reference", the scopes as clients in
/// use ask for them. Monitor audiences: "Logs Ingestion API overview". Graph hosts: "National cloud deployments".
/// Token exchange: the quickstart "msi-as-a-fic-secretless" of the Graph Bicep types.
const COMMERCIAL: Hosts = Hosts {
    management: "https://manage.office.com",
    authority: "https://login.microsoftonline.com",
    graph: "https://graph.microsoft.com",
    monitor: "https://monitor.azure.com",
    token_exchange: "api://AzureADTokenExchange",
};

const GCC: Hosts = Hosts { management: "https://manage-gcc.office.com", ..COMMERCIAL };

const GCC_HIGH: Hosts = Hosts {
    management: "https://manage.office365.us",
    authority: "https://login.microsoftonline.us",
    graph: "https://graph.microsoft.us",
    monitor: "https://monitor.azure.us",
    token_exchange: "api://AzureADTokenExchangeUSGov",
};

const DOD: Hosts =
    Hosts { management: "https://manage.protection.apps.mil", graph: "https://dod-graph.microsoft.us", ..GCC_HIGH };

impl Cloud {
    /// Every cloud that is supported.
    pub const ALL: [Self; 4] = [Self::Commercial, Self::Gcc, Self::GccHigh, Self::Dod];

    /// The word that `M365_CLOUD` takes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Commercial => "commercial",
            Self::Gcc => "gcc",
            Self::GccHigh => "gcchigh",
            Self::Dod => "dod",
        }
    }

    /// Where its services are.
    #[must_use]
    pub const fn hosts(self) -> &'static Hosts {
        match self {
            Self::Commercial => &COMMERCIAL,
            Self::Gcc => &GCC,
            Self::GccHigh => &GCC_HIGH,
            Self::Dod => &DOD,
        }
    }
}

impl FromStr for Cloud {
    type Err = String;

    /// Takes the word in any case. The error lists the valid ones.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        choice(text, &Self::ALL.map(|cloud| (cloud.as_str(), cloud)))
    }
}

/// The scope that asks for everything granted for an audience.
pub(super) fn scope(audience: &str) -> String {
    format!("{audience}/.default")
}
