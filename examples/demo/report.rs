//! The page for a browser, as `labelstream report` makes it of the rows.

use std::{
    fs::{self, File},
    io::{self, BufReader},
    path::{Path, PathBuf},
};

use time::OffsetDateTime;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file cannot be read or written.
    #[error("the report: {}: {}", .0.display(), .1)]
    File(PathBuf, io::Error),
    /// The figures have no form.
    #[error("the report: {0}")]
    Figures(#[from] serde_json::Error),
}

/// Writes the report of `rows` to `page`.
///
/// # Errors
/// See [`ReportError`].
pub fn write(rows: &Path, page: &Path, company: &str) -> Result<(), ReportError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |error| ReportError::File(path, error)
    };
    let lines = BufReader::new(File::open(rows).map_err(failed(rows))?);
    let reading = labelstream::report::read(lines, &[], |_| ()).map_err(failed(rows))?;
    let title = format!("Sensitivity labels of {company}");
    let html = labelstream::report::page(&reading, &title, OffsetDateTime::now_utc())?;
    fs::write(page, html).map_err(failed(page))
}
