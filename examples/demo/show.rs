//! The demo itself: a company with a past, a connector that catches up with it, and the picture of what arrived.

use std::{
    env,
    io::{self, IsTerminal, Write},
};

use labelstream_simulator::{Config, Simulator};
use time::OffsetDateTime;

use crate::{
    event::{Event, Names},
    faults,
    link::{Link, LinkError},
    message::{Progress, Pulled},
    options::Options,
    picture::Picture,
    places::{PlaceError, Places},
    progress::Shown,
    proof::Proof,
    report::{self, ReportError},
    tally::{RowsFile, Tally},
    text::{Paint, count, counted},
    watch,
    week::week,
};

/// How many runs may be needed: one as a rule, and another one after each that failed.
const RUNS_AT_MOST: u32 = 5;

/// Why the demo ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// There is no place for its files.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The simulator cannot start.
    #[error("the simulator cannot start: {0}")]
    Simulator(io::Error),
    /// A fault cannot be switched on.
    #[error("a fault cannot be switched on: {0}")]
    Fault(String),
    /// The connector is gone.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The rows cannot be read back.
    #[error("the rows cannot be read back: {0}")]
    Rows(io::Error),
    /// The report cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The picture cannot be shown.
    #[error("the output cannot be written: {0}")]
    Output(io::Error),
}

/// A demo under way.
pub struct Demo {
    pub simulator: Simulator,
    pub shown: Shown,
    pub paint: Paint,
    pub pulled: Pulled,
    link: Link,
    names: Names,
    rows: RowsFile,
    tally: Tally,
}

/// Shows it; whether everything arrived as it should.
///
/// # Errors
/// See [`DemoError`].
pub async fn show(options: &Options) -> Result<bool, DemoError> {
    let [state, rows, report] = [&options.state, &options.rows, &options.report].map(Option::as_deref);
    let places = Places::make(&env::temp_dir(), state, rows, report)?;
    let config =
        Config { seed: options.seed, keep_rows: false, rows_file: Some(places.rows.clone()), ..Config::default() };
    let simulator = Simulator::start(config).await.map_err(DemoError::Simulator)?;
    let contents = publish(&simulator, options);
    if options.faults {
        faults::switch_on(&simulator).map_err(DemoError::Fault)?;
    }
    let mut shown = Shown::new(simulator.report().totals.published_records);
    introduce(&mut shown, &simulator, contents);
    let paint =
        Paint::new(io::stdout().is_terminal(), env::var_os("NO_COLOR").as_deref(), env::var_os("TERM").as_deref());
    let mut demo = Demo {
        link: Link::start(&simulator.environment(), &places.state, &places.log)?,
        names: Names::of(simulator.tenant()),
        rows: RowsFile::open(&places.rows).map_err(DemoError::Rows)?,
        tally: Tally::default(),
        pulled: Pulled::default(),
        simulator,
        shown,
        paint,
    };
    demo.catch_up().await?;
    let mut holds = demo.draw(options, &places)?;
    if options.keep_running {
        watch::watch(&mut demo, options.seed).await?;
        tokio::select! {
            done = demo.catch_up() => done?,
            // Another Ctrl-C: it is not waited for.
            _ = tokio::signal::ctrl_c() => {}
        }
        holds = demo.draw(options, &places)?;
    }
    demo.link.end().await?;
    Ok(holds)
}

/// Publishes the company's past; how many contents it has.
fn publish(simulator: &Simulator, options: &Options) -> u64 {
    let planned = week(options.days, options.records, OffsetDateTime::now_utc(), options.seed);
    for content in &planned {
        let published = simulator.publish(content.content_type, content.created, content.labels, content.noise);
        if let Some(again) = content.again {
            simulator.list_again(&published.id, None, again, false);
        }
    }
    planned.len() as u64
}

fn introduce(shown: &mut Shown, simulator: &Simulator, contents: u64) {
    let (tenant, totals) = (simulator.tenant(), simulator.report());
    shown.say(&format!(
        " The company {}: {} people, {} labels, {} with {} records, {} of them label events.",
        tenant.domain,
        tenant.people.len(),
        tenant.labels.len(),
        counted(contents, "content", "contents"),
        count(totals.totals.published_records),
        count(totals.published)
    ));
    shown.say(&format!(
        " Microsoft's side of it is at {}; the connector starts with nothing but app settings.",
        simulator.base()
    ));
}

impl Demo {
    /// One run of the connector. The events that are new are handed to `seen`.
    ///
    /// # Errors
    /// See [`DemoError`].
    pub async fn pull(&mut self, seen: impl FnMut(Event)) -> Result<(), DemoError> {
        let (before, shown) = (&self.pulled, &mut self.shown);
        let so_far = |progress: Progress| Progress {
            contents: before.contents + progress.contents,
            records: before.records + progress.records,
            rows: before.rows + progress.rows,
            posts: before.posts + progress.posts,
        };
        let pulled = self.link.pull(|progress| shown.at(so_far(progress))).await;
        self.shown.clear();
        self.rows.count(&self.names, &mut self.tally, seen).map_err(DemoError::Rows)?;
        match pulled {
            Ok(pulled) => {
                self.pulled += pulled;
                Ok(())
            }
            // The next run goes on where this one stopped, as with the timer of a function app.
            Err(failed @ LinkError::Run(_)) => {
                self.shown.say(&format!(" {failed}"));
                Ok(())
            }
            Err(gone) => Err(gone.into()),
        }
    }

    /// Runs until nothing is missing, or it does not come.
    async fn catch_up(&mut self) -> Result<(), DemoError> {
        for _ in 0..RUNS_AT_MOST {
            self.pull(|_| ()).await?;
            if self.simulator.report().missing == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Draws the picture; whether the proof holds.
    fn draw(&self, options: &Options, places: &Places) -> Result<bool, DemoError> {
        let report = self.simulator.report();
        let proof = Proof::of(&report);
        report::write(&places.rows, &places.report, &self.simulator.tenant().domain)?;
        let picture = Picture {
            tenant: self.simulator.tenant(),
            days: options.days,
            tally: &self.tally,
            pulled: &self.pulled,
            report: &report,
            proof: &proof,
            faults: faults::struck(&self.simulator),
            places,
            paint: self.paint,
        };
        write_lines(&picture.lines())?;
        Ok(proof.holds())
    }
}

/// Writes lines to stdout.
///
/// # Errors
/// It cannot be written to.
pub fn write_lines(lines: &[String]) -> Result<(), DemoError> {
    let mut out = io::stdout().lock();
    let mut write = || {
        lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        out.flush()
    };
    write().map_err(DemoError::Output)
}
