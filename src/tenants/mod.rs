//! Tenants: the list of those that one deployment reads, for providers.
//!
//! The app setting `TENANTS` says where the list is ([`Source`]): it is a JSON array itself, a file, or the blob
//! [`LIST_KEY`] of the state container. An [`Entry`] has the settings of one tenant; what is absent in it comes from the
//! app settings. A bad entry stops its tenant alone.
//!
//! [`key`] says which key of an entry stands for which app setting, [`entry`](Entry) reads one, [`List`] all of them,
//! [`edit`] changes the stored list, [`read()`] fetches it.

pub mod edit;
mod entry;
mod fault;
pub mod key;
mod list;
mod read;
mod source;

pub use entry::Entry;
pub use fault::{EntryFault, TenantError};
pub use list::{List, ListError, NoSuchTenant};
pub use read::{LIST_KEY, ReadError, read};
pub use source::{Source, TENANTS};
