//! `labelstream report`: rows of a file as one page of pictures and tables.

use std::{
    fs::{self, File},
    io::{self, BufReader, ErrorKind, IsTerminal, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Args;
use labelstream::{
    report::{self, GENERATOR, Reading},
    telemetry::{CLEAR_LINE, one_line},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    choice::{TenantArguments, picked},
    print, progress, say, wrong_use,
};

/// How often the progress is written anew.
const EVERY: Duration = Duration::from_millis(300);
/// After how many lines the clock is looked at.
const LINES: u64 = 1_024;
/// Of a file, what is read of it at once, in bytes.
const BUFFER: usize = 256 << 10;
/// In how many bytes of a report the mark stands that it is one.
const MARKED_WITHIN: u64 = 4_096;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  # of what `pull --dry-run --output rows.ndjson` wrote
  labelstream report rows.ndjson --html report.html
  # of several files, or of what comes through a pipe
  cat rows-*.ndjson | labelstream report - --html report.html
  # with a title of its own
  labelstream report rows.ndjson --html report.html --title Contoso
  # of one tenant, by id; with TENANTS also by name
  labelstream report rows.ndjson --html contoso.html --tenant Contoso

The page is one file: it loads nothing, works offline, in dark and light, on paper, and without scripts. It shows names, \
files and reasons of people: give it to those only who may see them.

Rows are read one by one and only counted: a file may be of any size. A line that is no row is left out and named.

Exit status: 0 done; 1 failed, or no line is a row; 2 wrong use.")]
pub struct ReportArguments {
    /// Rows, one JSON object a line, as `pull --output` writes them; `-` is standard input.
    #[arg(value_name = "FILE")]
    rows: PathBuf,
    /// Write the page to this file; `-` is standard output. A report that is there is replaced, any other file is not.
    #[arg(long, value_name = "OUT")]
    html: PathBuf,
    /// What stands above it.
    #[arg(long, value_name = "TEXT", default_value = "Sensitivity labels")]
    title: String,
    /// Only rows of this tenant, by its id (`OrganizationId`), or by its name where TENANTS has a list; may be given
    /// several times.
    #[arg(long, value_name = "TENANT")]
    tenant: Vec<String>,
    /// The list of TENANTS=state is in this folder in place of the storage account.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}: {1}")]
    Rows(String, io::Error),
    #[error("{name}: no line of {lines} is a row{first}. Rows are what `labelstream pull --output FILE` writes")]
    NoRows { name: String, lines: u64, first: String },
    #[error("{name}: none of {rows} rows is of --tenant {tenants}, by its OrganizationId")]
    NoneOf { name: String, rows: u64, tenants: String },
    #[error("the figures cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("--html {}: {}", .0.display(), .1)]
    Page(PathBuf, io::Error),
}

pub fn report(arguments: ReportArguments) -> ExitCode {
    match misuse(&arguments) {
        Ok(None) => {}
        Ok(Some(problem)) => return wrong_use(&problem),
        Err(failure) => return failed(&failure),
    }
    let tenants = match ids(&arguments.tenant, arguments.state.as_deref()) {
        Ok(tenants) => tenants,
        Err(status) => return status,
    };
    let (reading, page) = match made(&arguments, &tenants) {
        Ok(made) => made,
        Err(failure) => return failed(&failure),
    };
    if is_stream(&arguments.html) {
        let status = print(&page, ExitCode::SUCCESS);
        tell(&reading, "standard output");
        return status;
    }
    match fs::write(&arguments.html, page) {
        Ok(()) => {
            tell(&reading, &arguments.html.display().to_string());
            ExitCode::SUCCESS
        }
        Err(error) => failed(&Failure::Page(arguments.html, error)),
    }
}

fn failed(failure: &Failure) -> ExitCode {
    say(&format!("failed: {}", one_line(&failure.to_string())));
    ExitCode::FAILURE
}

fn is_stream(path: &Path) -> bool {
    path == Path::new("-")
}

/// What is wrong with the arguments, before anything long begins.
fn misuse(arguments: &ReportArguments) -> Result<Option<String>, Failure> {
    let (rows, html) = (&arguments.rows, &arguments.html);
    if !is_stream(rows) && !rows.exists() {
        return Ok(Some(format!("there is no file {}", rows.display())));
    }
    if is_stream(html) {
        return Ok(io::stdout().is_terminal().then(|| {
            "--html - is standard output, and that is a terminal: name a file, or send it on with > report.html"
                .to_owned()
        }));
    }
    if replaces_another(html).map_err(|error| Failure::Page(html.clone(), error))? {
        return Ok(Some(format!(
            "--html {}: it is there and no report of labelstream: name another file, or delete it",
            html.display()
        )));
    }
    Ok(None)
}

/// Whether `path` has something that is no report, and would be lost.
fn replaces_another(path: &Path) -> io::Result<bool> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    // What is no file, as a pipe, has nothing to lose. Of a folder, writing says what is wrong.
    if !metadata.is_file() || metadata.len() == 0 {
        return Ok(false);
    }
    let mut begin = Vec::new();
    File::open(path)?.take(MARKED_WITHIN).read_to_end(&mut begin)?;
    Ok(!String::from_utf8_lossy(&begin).contains(GENERATOR))
}

/// The ids of tenants. Only a name needs the list.
fn ids(tenants: &[String], state: Option<&Path>) -> Result<Vec<String>, ExitCode> {
    let id = |text: &str| Uuid::try_parse(text.trim()).ok().map(|id| id.hyphenated().to_string());
    if let Some(ids) = tenants.iter().map(|tenant| id(tenant)).collect() {
        return Ok(ids);
    }
    let named = TenantArguments { tenant: tenants.to_vec() };
    match picked(&named, state, false)? {
        Some(picked) => Ok(picked.entries.iter().filter_map(|entry| entry.id.clone()).collect()),
        None => Ok(tenants.to_vec()),
    }
}

fn made(arguments: &ReportArguments, tenants: &[String]) -> Result<(Reading, String), Failure> {
    let reading = read(&arguments.rows, tenants)?;
    if reading.figures.rows == 0 && reading.of_others > 0 {
        let (name, rows) = (name(&arguments.rows), reading.of_others);
        return Err(Failure::NoneOf { name, rows, tenants: arguments.tenant.join(", ") });
    }
    if reading.figures.rows == 0 {
        let first = reading.named.first().map(|(number, why)| format!("; line {number}: {why}"));
        let (name, first) = (name(&arguments.rows), first.unwrap_or_default());
        return Err(Failure::NoRows { name, lines: reading.lines, first });
    }
    let page = report::page(&reading, &arguments.title, OffsetDateTime::now_utc())?;
    Ok((reading, page))
}

fn name(path: &Path) -> String {
    if is_stream(path) { "standard input".to_owned() } else { path.display().to_string() }
}

fn read(path: &Path, tenants: &[String]) -> Result<Reading, Failure> {
    let failure = |error| Failure::Rows(name(path), error);
    let (input, size): (Box<dyn Read>, _) = if is_stream(path) {
        (Box::new(io::stdin().lock()), None)
    } else {
        let file = File::open(path).map_err(failure)?;
        let size = file.metadata().map_err(failure)?.len();
        (Box::new(file), Some(size).filter(|size| *size > 0))
    };
    let mut shown = Shown::new(size);
    let reading = report::read(BufReader::with_capacity(BUFFER, input), tenants, |reading| shown.at(reading));
    shown.clear();
    reading.map_err(failure)
}

/// How far the reading is, in one line of a terminal.
struct Shown {
    is_terminal: bool,
    size: Option<u64>,
    last: Instant,
}

impl Shown {
    fn new(size: Option<u64>) -> Self {
        Self { is_terminal: io::stderr().is_terminal(), size, last: Instant::now() }
    }

    fn at(&mut self, reading: &Reading) {
        if !self.is_terminal || !reading.lines.is_multiple_of(LINES) || self.last.elapsed() < EVERY {
            return;
        }
        self.last = Instant::now();
        let part = self.size.map_or_else(String::new, |size| format!(", {} %", reading.bytes * 100 / size));
        let line = progress::line(&format!("{} rows{part}", reading.figures.rows));
        // A terminal that cannot be written to needs no progress.
        io::stderr().write_all(line.as_bytes()).ok();
    }

    fn clear(&self) {
        if self.is_terminal {
            io::stderr().write_all(CLEAR_LINE.as_bytes()).ok();
        }
    }
}

/// Says what was read, and which lines were not.
fn tell(reading: &Reading, to: &str) {
    let figures = &reading.figures;
    let days = figures.days.iter().count();
    let count = |number: u64, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
    say(&format!("{to}: {} on {}.", count(figures.rows, "label event"), count(days as u64, "day")));
    if figures.repeats > 0 {
        say(&format!("{} rows were there before, with the same record id, and count once.", figures.repeats));
    }
    if reading.of_others > 0 {
        say(&format!("{} rows of other tenants were left out.", reading.of_others));
    }
    if reading.no_rows > 0 {
        say(&format!("{} of {} lines are no rows and were left out:", reading.no_rows, reading.lines));
        for (number, why) in &reading.named {
            say(&one_line(&format!("  line {number}: {why}")));
        }
    }
}
