//! Health: what is told of each run, and whether the connector is well.
//!
//! - [`RunRecord`] is one run with its figures; [`Ring`] has the last of them, under `{tenant}/runs.json` in the state.
//! - [`Heartbeat`] is the row that each run sends to the table of runs, so that silence there means something.
//! - [`Reporter`] makes a run and then tells of it in both ways; neither can fail the run.
//! - [`Health`] is a [`crate::status::Status`] with the verdict on it. One value for all who look: the `status` subcommand
//!   shows it as text (its `Display`), the `Status` function as a [`page`], both as JSON.
//! - [`Fleet`] is the same of all tenants of a deployment, the worst first.

mod counted;
mod fleet;
mod fleet_text;
mod heartbeat;
mod look;
mod page;
mod reporter;
mod ring;
mod run_record;
mod span;
mod text;
mod verdict;

pub use fleet::{Fleet, TenantHealth};
pub use heartbeat::{Heartbeat, RUNS_COLUMNS_JSON, RUNS_STREAM};
pub use look::look_within;
pub use page::{SECURITY_POLICY, fleet_page, page};
pub use reporter::{Reporter, host_name};
pub use ring::{KEPT_RUNS, Ring, runs_key};
pub use run_record::{Outcome, RunRecord, Started};
pub use span::span;
pub use text::undelivered;
pub use verdict::{Health, LAG_LIMIT, SILENT_AFTER};
