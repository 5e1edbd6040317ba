//! What was lowered and removed, by whom and why; who works with labels; what is encrypted and no longer is.

use super::{
    adoption::ROWS,
    buckets::buckets,
    overview::name,
    picture::{Picture, Pictures, Series},
    share,
    table::{Column, Table},
};
use crate::{
    html::{add, clock, number},
    report::{figures::Figures, row::Direction},
};

/// Ways down, reasons, the latest ones with names, and changes by workload.
pub(super) fn changes(page: &mut String, figures: &Figures) {
    let all = figures.lowered_in_all();
    page.push_str("<section>\n<h2>Labels lowered and removed</h2>\n");
    page.push_str("<h3>From and to</h3>\n");
    let rows = figures.ways_down.ranked().into_iter().take(ROWS).map(|((from, to), changes)| {
        vec![
            label(figures, from, "(not in the record)"),
            label(figures, to, "(removed)"),
            number(*changes),
            share(*changes, all),
        ]
    });
    let columns = vec![Column::text("From"), Column::text("To"), Column::number("Changes"), Column::number("Share")];
    Table::new(columns, rows.collect()).write(page);
    page.push_str("<h3>Justifications</h3>\n");
    let rows = figures.justifications.ranked().into_iter().take(ROWS).map(|(reason, changes)| {
        let reason = if reason.is_empty() { "(none in the record)" } else { reason };
        vec![reason.to_owned(), number(*changes), share(*changes, all)]
    });
    let columns = vec![Column::text("Reason given"), Column::number("Changes"), Column::number("Share")];
    Table::new(columns, rows.collect()).write(page);
    page.push_str("<h3>The latest</h3>\n");
    let rows = figures.lowered.iter().map(|changed| {
        vec![
            clock(changed.time).replace(" UTC", ""),
            changed.user.clone(),
            name(changed.direction).to_owned(),
            label(figures, &changed.from, ""),
            label(figures, &changed.to, ""),
            changed.justification.clone(),
            changed.item.clone(),
            place(&changed.workload, &changed.device),
        ]
    });
    let mut columns = vec![Column::short("When"), Column::text("User"), Column::short("Change")];
    columns.extend(["From", "To", "Reason given", "Item", "Where"].map(Column::text));
    Table::new(columns, rows.collect()).write(page);
    if all > figures.lowered.len() as u64 {
        let all = number(all);
        add(page, format_args!("<p class=\"soft\">The latest {} of {all}.</p>\n", figures.lowered.len()));
    }
    page.push_str("<h3>Directions by workload</h3>\n");
    let rows = figures.workloads.ranked().into_iter().take(ROWS);
    let rows = rows.map(|(workload, ways)| {
        std::iter::once(workload.clone()).chain(ways.0.iter().map(|changes| number(*changes))).collect()
    });
    let columns = std::iter::once(Column::text("Workload"));
    let columns = columns.chain(Direction::ALL.map(|way| Column::number(name(way))));
    Table::new(columns.collect(), rows.collect()).write(page);
    page.push_str("</section>\n");
}

fn label(figures: &Figures, id: &str, without: &str) -> String {
    if id.is_empty() { without.to_owned() } else { figures.label(id) }
}

fn place(workload: &str, device: &str) -> String {
    if device.is_empty() { workload.to_owned() } else { format!("{workload}, {device}") }
}

/// Who works with labels the most, and who lowers them the most.
pub(super) fn people(page: &mut String, figures: &Figures) {
    page.push_str(
        "<section>\n<h2>People</h2>\n<p class=\"soft\">A large figure is no accusation: look at what the items are.</p>\n\
         <div class=\"beside\"><div>\n<h3>Most active</h3>\n",
    );
    let rows = figures.active.ranked().into_iter().take(ROWS);
    let rows = rows.map(|(user, events)| vec![user.clone(), number(*events)]);
    Table::new(vec![Column::text("User"), Column::number("Label events")], rows.collect()).write(page);
    page.push_str("</div><div>\n<h3>Most labels lowered and removed</h3>\n");
    let rows = figures.lowering.ranked().into_iter().take(ROWS).map(|(user, lowering)| {
        vec![user.clone(), number(lowering.downgraded), number(lowering.removed), number(lowering.without_reason)]
    });
    let columns = vec![
        Column::text("User"),
        Column::number("Lowered"),
        Column::number("Removed"),
        Column::number("Without a reason"),
    ];
    Table::new(columns, rows.collect()).write(page);
    page.push_str("</div></div>\n</section>\n");
}

/// What is encrypted after the event, and where encryption was taken off.
pub(super) fn protection(page: &mut String, figures: &Figures, pictures: &mut Pictures) {
    page.push_str(
        "<section>\n<h2>Protection</h2>\n<p class=\"soft\">As far as the records tell: Office applications and information \
         protection clients report it, SharePoint and Exchange do not.</p>\n",
    );
    let spans = buckets(&figures.days);
    let series = [("Encrypted", "t1", 0), ("Not encrypted", "t4", 1)].map(|(name, tone, at)| {
        Series::new(name, tone, spans.iter().map(|span| span.sum(|day| day.encrypted[at])).collect())
    });
    pictures.add(
        page,
        Picture {
            title: "Protection over time".to_owned(),
            note: "Events after which the item is encrypted, and is not.",
            times: spans.iter().map(|span| span.name.clone()).collect(),
            series: series.into(),
        },
        None,
    );
    page.push_str("<h3>Encryption removed</h3>\n");
    let rows = figures.unprotected.iter().map(|event| {
        vec![
            clock(event.time).replace(" UTC", ""),
            event.user.clone(),
            event.operation.clone(),
            label(figures, &event.label, ""),
            event.item.clone(),
            event.workload.clone(),
        ]
    });
    let mut columns = vec![Column::short("When")];
    columns.extend(["User", "Operation", "Label after", "Item", "Where"].map(Column::text));
    Table::new(columns, rows.collect()).write(page);
    if figures.unprotected_in_all > figures.unprotected.len() as u64 {
        let all = number(figures.unprotected_in_all);
        add(page, format_args!("<p class=\"soft\">The latest {} of {all}.</p>\n", figures.unprotected.len()));
    }
    page.push_str("</section>\n");
}
