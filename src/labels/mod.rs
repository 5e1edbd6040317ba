//! Sensitivity labels: what the ids in the records stand for.
//!
//! A [`Keeper`] has the [`Catalogue`] of one tenant: it reads what is stored ([`Stored`]), and has [`GraphClient`] list the
//! labels anew once a day, or when a record has an id that is not known. Or it reads a static map ([`map`]). What sources
//! list becomes labels by pure readings (`page`, `map`, `parents`). Nothing here can fail a run.

mod catalogue;
mod graph;
mod keeper;
pub mod map;
mod page;
mod parents;
mod stored;

pub use catalogue::{Catalogue, Label};
pub use graph::{GraphClient, GraphError};
pub use keeper::{Keeper, LONGEST, Standing, map_fix};
pub use map::{MapError, MapSource};
pub use page::Listed;
pub use stored::{Failure, PAUSE_AFTER_FAILURE, REFRESH_EVERY, Stored, StoredError};
