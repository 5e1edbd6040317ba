//! What the report begins with: the figures for a glance, what has to be known of them, changes and the timeline.

use super::{
    buckets::{buckets, hours},
    different,
    picture::{Picture, Pictures, Series},
    share,
};
use crate::{
    html::{add, clock, escaped, number},
    report::{
        figures::Figures,
        lines::Reading,
        names::LabelFigures,
        row::{Direction, shown},
    },
};

/// How many tenants are named.
const TENANTS: usize = 5;

/// The period, the tenants, and the figures for a glance.
pub(super) fn head(page: &mut String, figures: &Figures) {
    let period = figures
        .span
        .map_or_else(|| "no rows".to_owned(), |(first, last)| format!("{} to {}", clock(first), clock(last)));
    let tenants: Vec<_> = figures.tenants.ranked().into_iter().map(|(tenant, _)| escaped(tenant)).collect();
    let more = if tenants.len() > TENANTS { format!(" and {} more", tenants.len() - TENANTS) } else { String::new() };
    let word = if tenants.len() == 1 { "Tenant" } else { "Tenants" };
    let named = if tenants.is_empty() {
        "not in the rows".to_owned()
    } else {
        tenants.iter().take(TENANTS).map(String::as_str).collect::<Vec<_>>().join(", ")
    };
    add(page, format_args!("<p class=\"soft\">{period} &middot; {word} <bdi>{named}</bdi>{more}</p>\n"));
    let names = if figures.labelled == 0 { "no labels".to_owned() } else { share(figures.named, figures.labelled) };
    let [applied, upgraded] = [Direction::Applied, Direction::Upgraded].map(|way| figures.directions[way as usize]);
    let [lowered, removed] = [Direction::Downgraded, Direction::Removed].map(|way| figures.directions[way as usize]);
    let facts = [
        ("Label events", number(figures.rows), "rows, each record once", ""),
        ("Labels with a name", names, "of the rows that have a label", ""),
        ("Users", different(&figures.users), "who acted", ""),
        ("Files, mails and sites", different(&figures.items), "different ones", ""),
        ("Applied or raised", number(applied + upgraded), "labels", "good"),
        ("Lowered", number(lowered), "labels", if lowered > 0 { "note" } else { "" }),
        ("Removed", number(removed), "labels", if removed > 0 { "bad" } else { "" }),
        ("Without a reason", number(figures.without_reason), "lowered or removed by hand", ""),
    ];
    page.push_str("<dl class=\"facts\">\n");
    for (name, value, more, class) in facts {
        let value = escaped(&value);
        add(
            page,
            format_args!(
                "<div><dt>{name}</dt><dd class=\"value {class}\">{value}</dd><dd class=\"soft\">{more}</dd></div>\n"
            ),
        );
    }
    page.push_str("</dl>\n");
}

/// What has to be known to read the figures rightly.
pub(super) fn notes(page: &mut String, reading: &Reading) {
    let figures = &reading.figures;
    let mut notes = Vec::new();
    if reading.no_rows > 0 {
        let named: Vec<_> =
            reading.named.iter().map(|(line, why)| format!("line {} ({})", number(*line), shown(why))).collect();
        let more = if reading.no_rows > named.len() as u64 { ", …" } else { "" };
        notes.push(format!(
            "{} of {} lines are no rows and were left out: {}{more}",
            number(reading.no_rows),
            number(reading.lines),
            named.join(", ")
        ));
    }
    if figures.repeats > 0 {
        notes.push(format!(
            "{} rows were there before, with the same record id, and count once.",
            number(figures.repeats)
        ));
    }
    if figures.may_repeat {
        notes.push(
            "There are more records than are remembered: later rows that are there twice count twice.".to_owned(),
        );
    }
    if figures.named < figures.labelled {
        notes.push("Labels without a name are shown by the beginning of their id.".to_owned());
    }
    let is_estimate = |(_, label): &(_, &LabelFigures)| label.people.is_estimate() || label.items.is_estimate();
    let samples = [figures.users.is_estimate(), figures.items.is_estimate(), figures.found.is_estimate()];
    if samples.contains(&true) || figures.labels.ranked().iter().any(is_estimate) {
        notes.push("Figures with ≈ are estimates from a sample, wrong by a few percent at most.".to_owned());
    }
    let forgotten = figures.forgotten();
    if forgotten > 0 {
        let forgotten = number(forgotten);
        notes.push(format!(
            "There are more names than are kept: the figure of one in a table may be too low by up to {forgotten}."
        ));
    }
    if figures.days.left_out > 0 {
        let rows = number(figures.days.left_out);
        notes.push(format!("{rows} rows are older than the pictures go back; they are in the tables."));
    }
    if notes.is_empty() {
        return;
    }
    page.push_str("<ul class=\"notes\">\n");
    for note in notes {
        add(page, format_args!("<li>{}</li>\n", escaped(&note)));
    }
    page.push_str("</ul>\n");
}

/// Changes by direction, and the timeline.
pub(super) fn overview(page: &mut String, figures: &Figures, pictures: &mut Pictures) {
    page.push_str("<section>\n<h2>Overview</h2>\n");
    let spans = buckets(&figures.days);
    let times: Vec<_> = spans.iter().map(|span| span.name.clone()).collect();
    let series = Direction::ALL.map(|way| {
        Series::new(
            name(way),
            tone(way),
            spans.iter().map(|span| span.sum(|day| day.directions[way as usize])).collect(),
        )
    });
    pictures.add(
        page,
        Picture {
            title: "Changes by direction".to_owned(),
            note: "How labels were applied, raised, lowered and removed.",
            times: times.clone(),
            series: series.into(),
        },
        None,
    );
    let kinds = [("Lowered or removed", "t5"), ("Other changes", "t2"), ("Opened, found, sent and others", "t0")];
    let of_spans = |kind: usize| {
        spans.iter().map(|span| span.sum(|day| day.hours.iter().map(|hour| hour[kind]).sum())).collect::<Vec<_>>()
    };
    let picture = |note, times, of: &dyn Fn(usize) -> Vec<u64>| Picture {
        title: "Timeline".to_owned(),
        note,
        times,
        series: kinds.iter().enumerate().map(|(at, (name, tone))| Series::new(*name, tone, of(at))).collect(),
    };
    let whole = picture("All label events.", times, &of_spans);
    match hours(&figures.days) {
        Some(hours) => {
            let table = whole.table();
            let times = hours.iter().map(|(name, _)| name.clone()).collect();
            let fine = picture("All label events by the hour.", times, &|kind| {
                hours.iter().map(|(_, figures)| figures[kind]).collect()
            });
            pictures.add(page, fine, Some(table));
        }
        None => pictures.add(page, whole, None),
    }
    page.push_str("</section>\n");
}

/// A direction, for people.
pub(super) const fn name(direction: Direction) -> &'static str {
    match direction {
        Direction::Upgraded => "Raised",
        Direction::Downgraded => "Lowered",
        Direction::SameOrder => "Same rank",
        Direction::Unknown => "Not known",
        Direction::Applied | Direction::Removed => direction.as_str(),
    }
}

const fn tone(direction: Direction) -> &'static str {
    match direction {
        Direction::Applied => "t1",
        Direction::Upgraded => "t2",
        Direction::SameOrder => "t0",
        Direction::Downgraded => "t5",
        Direction::Removed => "t6",
        Direction::Unknown => "other",
    }
}
