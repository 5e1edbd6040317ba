//! The feed: a client of the Office 365 Management Activity API of one tenant.
//!
//! Deciding is pure: [`window`] (what to list), [`classify`] (what an error answer means), [`listing`] (what a page
//! says), [`address`](mod@self) (where a token may go), [`budget::Pace`] and [`attempts`] (when to ask again),
//! [`subscription`] (what to start). [`FeedClient`] does the asking and nothing else.

mod attempts;
pub mod budget;
pub mod classify;
mod error;
pub mod subscription;
pub mod window;

pub use attempts::Patience;
pub use budget::{Budget, Limits};
pub use error::{FeedError, FeedErrorKind, Operation};
pub use subscription::Subscription;
pub use window::Window;
