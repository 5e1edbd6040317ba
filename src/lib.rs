//! Labelstream streams Microsoft Purview Information Protection label events from the Office 365 Management Activity API
//! into Microsoft Sentinel.
//!
//! # Layout
//!
//! Read from top to bottom, these are the stations of one record:
//!
//! - [`handler`]: the Azure Functions host fires the timer, and a run begins. `labelstream pull` begins one from a shell.
//! - [`pull`]: the run. It alone knows the order of things: list → fetch → filter → row → batch → post → save.
//! - [`feed`]: the client of the Management Activity API. It lists the **contents** of a window and fetches them; what
//!   the feed answers is judged in `feed::error`, and how fast it may be asked in `feed::budget`.
//! - [`record`]: a content's body is cut into **records** while it comes in, each gets a first look, and the filter keeps
//!   the **label events**.
//! - [`row`]: a label event becomes a **row**, column by column as `infra/columns.json` declares them, with the label
//!   names of [`labels`], which a run knows from the state, Microsoft Graph or a map.
//! - [`batch`]: rows become the JSON array of one POST.
//! - [`ingestion`]: the client of the Logs Ingestion API, and what to do when it refuses a batch.
//! - [`watermark`]: what is settled. The answers reach it, and it says what may be saved; nothing before that moves it.
//! - [`state`]: where it is saved: a storage container or a folder. What cannot be delivered goes there too, as a
//!   [`dead_letter`].
//!
//! Beside the run: [`status`] (how a connector stands, by its state), [`health`] (what is told of runs, and whether the
//! status is well; of one tenant or of all of a list), [`doctor`] (whether all that it needs is there) and [`report`] (rows
//! of a file as pictures, without Sentinel).
//!
//! For a provider with many tenants: [`tenants`] (whose feeds it reads), [`fleet`] (what the timer queues, and what becomes
//! of a message), [`queue`] (the work queue).
//!
//! Around them: [`settings`] (what the operator chose), [`identity`] (tokens), [`assembly`] (a connector from its
//! settings), [`retry`] (when to try again), [`content`] (what the feed lists), [`telemetry`] (log lines), [`plain`]
//! (tables for a shell).
//!
//! Deciding is done by plain functions and values that know no network and no clock: windows, error classes, the filter,
//! the columns, batches, the plan of a delivery, the watermark. Reading and writing are thin clients around them, and
//! the clients do not know each other.

pub mod assembly;
pub mod batch;
pub mod content;
pub mod dead_letter;
pub mod doctor;
pub mod feed;
pub mod fleet;
pub mod handler;
pub mod health;
mod html;
pub mod identity;
pub mod ingestion;
pub mod labels;
pub mod plain;
pub mod pull;
pub mod queue;
pub mod record;
pub mod report;
pub mod retry;
pub mod row;
pub mod settings;
pub mod state;
pub mod status;
pub mod telemetry;
pub mod tenants;
pub mod watermark;
