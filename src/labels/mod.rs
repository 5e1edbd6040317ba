//! Sensitivity labels: what the ids in the records stand for.

mod catalogue;

pub use catalogue::{Catalogue, Label};
