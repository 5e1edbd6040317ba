//! The report as one HTML document. It loads nothing: style, scripts and figures are in it, and its policy allows no
//! other. Without scripts the tables are there in place of the pictures.

mod adoption;
mod buckets;
mod changes;
mod overview;
mod picture;
mod table;

use std::sync::LazyLock;

use time::OffsetDateTime;

use self::picture::Pictures;
use super::{lines::Reading, row::shown};
use crate::html::{add, clock, escaped, number, source_of};

const STYLE: &str = concat!(include_str!("../../html/base.css"), include_str!("report.css"));
/// Apache ECharts; `charts/README.md` tells what is in it.
const CHARTS: &str = include_str!("charts/charts.min.js");
const SCRIPT: &str = include_str!("report.js");

/// The mark by which a file is known to be a report.
pub const GENERATOR: &str = "<meta name=\"generator\" content=\"Labelstream ";

/// Nothing is loaded, sent or framed; exactly these scripts run and exactly this style is used.
static SECURITY_POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; script-src {} {}; style-src {}; base-uri 'none'; form-action 'none'",
        source_of(CHARTS),
        source_of(SCRIPT),
        source_of(STYLE)
    )
});

/// The page of what was read, under `title`, as made at `now`.
///
/// # Errors
/// The figures cannot be written as JSON.
pub fn page(reading: &Reading, title: &str, now: OffsetDateTime) -> Result<String, serde_json::Error> {
    let figures = &reading.figures;
    let title = escaped(&shown(title));
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         {GENERATOR}{}\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n<header>\n<h1>{title}</h1>\n",
        escaped(&SECURITY_POLICY),
        env!("CARGO_PKG_VERSION")
    );
    let mut pictures = Pictures::default();
    overview::head(&mut page, figures);
    overview::notes(&mut page, reading);
    page.push_str("</header>\n");
    overview::overview(&mut page, figures, &mut pictures);
    adoption::adoption(&mut page, figures, &mut pictures);
    adoption::coverage(&mut page, figures);
    changes::changes(&mut page, figures);
    changes::people(&mut page, figures);
    changes::protection(&mut page, figures, &mut pictures);
    adoption::auto_labelling(&mut page, figures, &mut pictures);
    add(
        &mut page,
        format_args!(
            "<footer class=\"soft\">Made {} by Labelstream {} from {} rows. Times and days are UTC. Nothing is loaded from \
             anywhere: the page can be kept, sent and printed.</footer>\n</main>\n",
            clock(now),
            env!("CARGO_PKG_VERSION"),
            number(figures.rows)
        ),
    );
    add(&mut page, format_args!("<script type=\"application/json\" id=\"pictures\">{}</script>\n", pictures.json()?));
    add(&mut page, format_args!("<script>{CHARTS}</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"));
    Ok(page)
}

/// So many of `whole`, for people.
fn share(part: u64, whole: u64) -> String {
    // Down, so that 100 % means all of them.
    let thousandths = if whole == 0 { 0 } else { u128::from(part) * 1_000 / u128::from(whole) };
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}

/// How many different ones, and whether that is an estimate.
fn different<V>(sample: &super::Sample<V>) -> String {
    let about = if sample.is_estimate() { "≈ " } else { "" };
    format!("{about}{}", number(sample.number()))
}
