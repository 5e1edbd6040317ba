//! Log lines, in the form that the Functions host reads them: one line per event, the invocation in every line of a run.
//!
//! The host has no log protocol for a custom handler. It reads lines: stdout is Information, stderr is Warning where
//! the line has "warn" in it, in any case and also inside a word, and Error otherwise (seen on host 4.1037.0). So
//! INFO, DEBUG and TRACE go to stdout, WARN and ERROR to stderr, and "warn" is masked in ERROR lines.

mod panics;
mod terminal;

use std::{
    fmt,
    io::{self, IsTerminal},
};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tracing::{Event, Level, Span, Subscriber, subscriber::SetGlobalDefaultError};
use tracing_subscriber::{
    EnvFilter,
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields, MakeWriter,
        format::Writer,
        writer::{BoxMakeWriter, MakeWriterExt},
    },
    layer::SubscriberExt,
    registry::LookupSpan,
};

pub(crate) use panics::caught;
pub use terminal::CLEAR_LINE;

/// The app setting that says what is logged: `debug`, or a list such as `info,labelstream::feed=debug`.
pub const LOG_SETTING: &str = "LABELSTREAM_LOG";

/// What is logged unless [`LOG_SETTING`] says otherwise: the libraries speak only when something is wrong.
const DEFAULT_FILTER: &str = "info,azure=warn,h2=warn,hyper=warn,reqwest=warn,rustls=warn,typespec=warn";

/// Why there are no log lines.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `init` or `init_to_stderr` was called before in this process.
    #[error("log lines are set up already")]
    Twice(#[from] SetGlobalDefaultError),
}

/// Sends log lines to stdout and stderr, as the Functions host expects them, and makes one line of a panic.
///
/// `filter` is the text of [`LOG_SETTING`]. One that cannot be read is reported in a line that names the setting, and
/// the default holds: a bad setting must not silence the rest.
///
/// # Errors
/// Log lines are set up already.
pub fn init(filter: Option<&str>) -> Result<(), TelemetryError> {
    install(filter, BoxMakeWriter::new(split(io::stdout, io::stderr)))
}

/// As [`init`], with every line on stderr: the stdout of a command line is for its data. On a terminal each line takes
/// the place of the progress that the command may be showing.
///
/// # Errors
/// Log lines are set up already.
pub fn init_to_stderr(filter: Option<&str>) -> Result<(), TelemetryError> {
    let writer = if io::stderr().is_terminal() {
        BoxMakeWriter::new(|| terminal::OverProgress(io::stderr()))
    } else {
        BoxMakeWriter::new(io::stderr)
    };
    install(filter, writer)
}

/// The span of one run. Lines logged inside it carry `run{invocation_id=…}`.
///
/// It is there at every level, so that a filter of `error` still tells which run failed.
#[must_use]
pub fn run_span(invocation_id: &str) -> Span {
    tracing::error_span!("run", invocation_id = %invocation_id)
}

/// The span of what is done for one of several tenants. Lines logged inside it carry `tenant{name=…}`, at every level as
/// those of [`run_span`].
#[must_use]
pub fn tenant_span(name: &str) -> Span {
    tracing::error_span!("tenant", name = %one_line(name))
}

/// What [`init`] installs, with writers of the caller's choice: `out` takes INFO, DEBUG and TRACE lines, `err` the rest.
pub fn subscriber<O, E>(filter: Option<&str>, out: O, err: E) -> impl Subscriber + Send + Sync + use<O, E>
where
    O: for<'w> MakeWriter<'w> + Send + Sync + 'static,
    E: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    lines(parse(filter).unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER)), split(out, err))
}

fn install(text: Option<&str>, writer: BoxMakeWriter) -> Result<(), TelemetryError> {
    let (filter, refused) = match parse(text) {
        Ok(filter) => (filter, None),
        Err(reason) => (EnvFilter::new(DEFAULT_FILTER), Some(reason)),
    };
    tracing::subscriber::set_global_default(lines(filter, writer))?;
    panics::hook();
    if let Some(reason) = refused {
        tracing::warn!(
            "{LOG_SETTING} is not a filter ({reason}): `info` is used; `info,labelstream::feed=debug` is one"
        );
    }
    Ok(())
}

/// The person's directives come after the default ones and so replace them, target by target.
fn parse(text: Option<&str>) -> Result<EnvFilter, String> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    let directives = text.map_or_else(|| DEFAULT_FILTER.to_owned(), |text| format!("{DEFAULT_FILTER},{text}"));
    EnvFilter::builder().parse(directives).map_err(|error| error.to_string())
}

fn split<O, E>(out: O, err: E) -> impl for<'w> MakeWriter<'w> + Send + Sync + 'static
where
    O: for<'w> MakeWriter<'w> + Send + Sync + 'static,
    E: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    err.with_max_level(Level::WARN).or_else(out)
}

fn lines<W>(filter: EnvFilter, writer: W) -> impl Subscriber + Send + Sync + use<W>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer()
        .event_format(Lines)
        .with_ansi(false)
        .with_writer(writer)
        // Its own complaints would be lines of another form.
        .log_internal_errors(false);
    tracing_subscriber::registry().with(filter).with(layer)
}

/// Formats an event: time, level, spans, target, message and fields.
struct Lines;

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let level = *event.metadata().level();
        let mut text = String::new();
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            text.push_str(span.name());
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>().filter(|fields| !fields.is_empty()) {
                text.push_str(&format!("{{{fields}}}"));
            }
            text.push(' ');
        }
        text.push_str(&format!("{}: ", event.metadata().target()));
        context.field_format().format_fields(Writer::new(&mut text), event)?;
        writer.write_str(&line(OffsetDateTime::now_utc(), level, &text))
    }
}

/// One line, its end included. It begins with the time, and so never with `LanguageWorkerConsoleLog`, which the host
/// would take for a line of its own system log.
fn line(at: OffsetDateTime, level: Level, text: &str) -> String {
    // Milliseconds are enough; a time that has no RFC 3339 form (a year beyond 9999) still leaves a line.
    let at = at.replace_millisecond(at.millisecond()).unwrap_or(at);
    let at = at.format(&Rfc3339).unwrap_or_else(|_| "-".to_owned());
    let text = one_line(text);
    let text = if level == Level::ERROR { mask_warn(&text) } else { text };
    format!("{at} {level} {text}\n")
}

/// Escapes what would end a line or steer a terminal.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Parts every "warn" after its first letter, in any case: `w-arning`.
fn mask_warn(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.as_bytes().windows(4).position(|four| four.eq_ignore_ascii_case(b"warn")) {
        let (before, after) = rest.split_at(at + 1);
        masked.push_str(before);
        masked.push('-');
        rest = after;
    }
    masked + rest
}

#[cfg(test)]
mod tests;
