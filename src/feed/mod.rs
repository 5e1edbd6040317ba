//! The feed: a client of the Office 365 Management Activity API of one tenant.
//!
//! Deciding is pure: `window` (what to list), `classify` (what an error answer means), `listing` (what a page says),
//! `address` (where a token may go), `budget` (how fast to ask), `attempts` (whether to ask again), `subscription`
//! (what to start). `client` and `body` do the asking and nothing else.

pub mod address;
pub mod attempts;
mod body;
pub mod budget;
pub mod classify;
mod client;
mod error;
pub mod listing;
pub mod subscription;
pub mod window;

pub use address::PageUri;
pub use attempts::Patience;
pub use body::Body;
pub use budget::{Budget, Limits};
pub use client::{FeedClient, http_client};
pub use error::{FeedError, FeedErrorKind, Operation};
pub use listing::{Page, Skipped, content_of_entry};
pub use subscription::Subscription;
pub use window::Window;
