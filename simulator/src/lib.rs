//! The Microsoft side on loopback, for tests, the demo and benchmarks.
//!
//! One server plays the managed identity and the login endpoint (`identity`), the Management Activity API
//! (`feed`), Microsoft Graph's labels (`graph`) and Azure Monitor's ingestion endpoint (`ingestion`). It shares no code
//! with the connector, so that it can judge it.
//!
//! ```no_run
//! # async fn demo() -> Result<(), Box<dyn std::error::Error>> {
//! use labelstream_simulator::{Config, Effect, Endpoint, Fault, History, Simulator, When};
//!
//! let simulator = Simulator::start(Config::default()).await?;
//! simulator.publish_history(&History::default());
//! simulator.fault(Fault::new(Endpoint::Retrieve, When::Every(10), Effect::af("AF50000")))?;
//! // Run a connector with `simulator.environment()`, and then:
//! assert!(simulator.report().is_clean());
//! # Ok(())
//! # }
//! ```
//!
//! - [`tenant`]: a seeded company: people, labels, sites, files, mails.
//! - [`events`]: its records, label events and noise, of one mix or another, rendered on demand from recipes; `schedule`: when
//!   they appear.
//! - [`contents`]: what the feed holds; `window`: the rules of a listing; `publish`: how contents get there.
//! - [`faults`]: what can go wrong, as values; `strike` and `wire` carry it out.
//! - [`ledger`]: what was published and what arrived; [`rule`]: what a label event is, read independently.
//! - [`provider`]: many tenants at one address, and the login endpoint over TLS (`tls`).
//! - [`under_way`]: how many requests there are at once, of several simulators together.
//! - `sender`: a process that posts, as the ledger knows it.
//! - `shared`: the state of one tenant; `server`: the routes to it; `control`: its remote control under `/_sim/`.
//! - `simulator`: a tenant and control of it from the same process; `environment`: the app settings for it.

pub mod config;
pub mod contents;
pub mod events;
pub mod faults;
pub mod ingestion;
pub mod ledger;
pub mod provider;
pub mod publish;
pub mod requests;
pub mod rule;
pub mod schedule;
pub mod stream;
pub mod tenant;
pub mod under_way;

mod answer;
mod control;
mod directory;
mod environment;
mod feed;
mod graph;
mod guid;
mod identity;
mod query;
mod record;
mod sender;
mod server;
mod shared;
mod simulator;
mod strike;
mod tls;
mod window;
mod wire;

pub use config::Config;
pub use contents::ContentType;
pub use environment::Environment;
pub use events::Mix;
pub use faults::{Answer, Effect, Fault, ResetAt, RetryAfter, Spoil, When};
pub use ledger::{Heartbeat, Report};
pub use provider::{Isolation, Provider, ProviderConfig, ProviderReport, Trouble};
pub use publish::{Order, Published, RawRecord};
pub use requests::{Endpoint, Requests};
pub use schedule::{Bulk, History};
pub use sender::Sender;
pub use simulator::Simulator;
pub use tenant::Tenant;
pub use under_way::UnderWay;
