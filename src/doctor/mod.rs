//! Doctor: whether all that the connector needs is there, and what to do about what is not.
//!
//! [`Check`] lists what is looked at, a [`Finding`] says how it stands and how to mend it, a [`Report`] has them all.
//! Each other file looks at one thing: it asks, and judges by a plain function what it was told. [`examine`] knows their
//! order; for the tenants of a list [`examine_fleet`] does, and a [`FleetReport`] has what is told of them. A check whose ground is missing is skipped and says because of what, so that one fault is told once.

mod check;
mod clock;
mod examine;
mod feed;
mod fleet;
mod fleet_report;
mod host;
mod identity;
mod ingestion;
mod labels;
mod report;
mod settings;
mod state;

pub use check::Check;
pub use examine::{Options, examine};
pub use fleet::examine_fleet;
pub use fleet_report::{FleetReport, TenantReport};
pub use ingestion::TEST_OPERATION;
pub use report::{Finding, Report, Verdict};
