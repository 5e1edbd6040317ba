//! Rows of a file as one page of pictures and tables, for those who look at label events without Sentinel.
//!
//! - [`Row`] is a row as the report reads it, and what it says: the label, the direction of its change, how it came about.
//! - [`Figures`] is what is counted of rows. It does not grow with them, and their order does not matter.
//! - [`read`] takes rows from lines, and keeps which lines are none.
//! - [`page()`] is the figures as one HTML document that loads nothing and can be read without scripts.
//!
//! The figures mean what those of the workbook in `sentinel/workbook` mean: events in use leave out scanners
//! (`Discover`, `FileDeleted`), a change is a row with `LabelChange`, and a file's coverage is what was found of it last.

mod columns;
mod days;
mod events;
mod figures;
mod latest;
mod lines;
mod names;
mod page;
mod row;
mod sample;
mod top;

pub use days::{Day, Days};
pub use events::{Changed, Found, Unprotected};
pub use figures::Figures;
pub use latest::Latest;
pub use lines::{LINE_LIMIT, Reading, read};
pub use names::{Directions, LabelFigures, Lowering};
pub use page::{GENERATOR, page};
pub use row::{Direction, NoRow, Row, Source};
pub use sample::Sample;
pub use top::{Top, Weight};

#[cfg(test)]
mod tests;
