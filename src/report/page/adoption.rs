//! Which labels are used, where, and how they come about; and how much of what was found is labelled.

use std::collections::BTreeMap;

use super::{
    buckets::{Bucket, buckets},
    different,
    picture::{Picture, Pictures, Series},
    share,
    table::{Column, Table},
};
use crate::{
    html::{add, number},
    report::{days::Day, events::Found, figures::Figures, names::LabelFigures, row::Source, sample::Sample, top::Top},
};

/// How many labels or workloads have a colour; the rest is summed up.
const COLOURS: usize = 8;
/// How many rows a table has.
pub(super) const ROWS: usize = 25;

/// Labels over time, by workload, by application; people.
pub(super) fn adoption(page: &mut String, figures: &Figures, pictures: &mut Pictures) {
    page.push_str(
        "<section>\n<h2>Adoption</h2>\n<p class=\"soft\">Labels in use. What scanners find is not counted here.</p>\n",
    );
    let spans = buckets(&figures.days);
    let times: Vec<_> = spans.iter().map(|span| span.name.clone()).collect();
    let labels = ranked_labels(figures);
    let shown: Vec<_> = labels.iter().map(|(id, _)| (id.clone(), figures.label(id))).collect();
    pictures.add(
        page,
        Picture {
            title: "Labels over time".to_owned(),
            note: "Events by label, the least sensitive at the bottom.",
            times: times.clone(),
            series: stacked(&spans, &shown, |day| &day.labels),
        },
        None,
    );
    label_table(page, figures, &labels);
    let workloads: Vec<_> =
        by_events(&spans, |day| &day.workloads).into_iter().map(|name| (name.clone(), name)).collect();
    pictures.add(
        page,
        Picture {
            title: "Workloads over time".to_owned(),
            note: "Events by the service in which they happened.",
            times: times.clone(),
            series: stacked(&spans, &workloads, |day| &day.workloads),
        },
        None,
    );
    pictures.add(
        page,
        Picture {
            title: "People over time".to_owned(),
            note: "How many used a label.",
            times,
            series: vec![Series::new("People", "t3", spans.iter().map(Bucket::people).collect())],
        },
        None,
    );
    page.push_str("<h3>Applications</h3>\n");
    let all: u64 = figures.applications.ranked().iter().map(|(_, events)| **events).sum();
    let rows = figures.applications.ranked().into_iter().take(ROWS).map(|((workload, application), events)| {
        vec![workload.clone(), application.clone(), number(*events), share(*events, all)]
    });
    let columns =
        vec![Column::text("Workload"), Column::text("Application"), Column::number("Events"), Column::number("Share")];
    Table::new(columns, rows.collect()).write(page);
    page.push_str("</section>\n");
}

/// Labels that are in use, the least sensitive first, those of no known rank last.
fn ranked_labels(figures: &Figures) -> Vec<(String, &LabelFigures)> {
    let used = figures.labels.ranked().into_iter().filter(|(_, label)| label.events > 0);
    let mut labels: Vec<_> = used.map(|(id, label)| (id.clone(), label)).collect();
    // Of many labels those with the most events have a colour.
    labels.sort_by_key(|(_, label)| std::cmp::Reverse(label.events));
    let rest = labels.split_off(labels.len().min(COLOURS));
    labels.sort_by_key(|(_, label)| (label.priority().is_none(), label.priority()));
    labels.extend(rest);
    labels
}

fn label_table(page: &mut String, figures: &Figures, labels: &[(String, &LabelFigures)]) {
    page.push_str("<h3>Labels</h3>\n");
    let all: u64 = labels.iter().map(|(_, label)| label.events).sum();
    let mut labels = labels.to_vec();
    labels.sort_by_key(|(_, label)| std::cmp::Reverse(label.events));
    let rows = labels.iter().take(ROWS).map(|(id, label)| {
        let [encrypted, not] = label.encrypted;
        vec![
            figures.label(id),
            number(label.events),
            share(label.events, all),
            different(&label.people),
            different(&label.items),
            if encrypted + not == 0 { "not told".to_owned() } else { share(encrypted, encrypted + not) },
        ]
    });
    let columns = vec![
        Column::text("Label"),
        Column::number("Events"),
        Column::number("Share"),
        Column::number("People"),
        Column::number("Items"),
        Column::number("Encrypted"),
    ];
    Table::new(columns, rows.collect()).write(page);
}

/// The names with the most events over all spans, those first.
fn by_events(spans: &[Bucket<'_>], of: impl Fn(&Day) -> &Top<String, u64>) -> Vec<String> {
    let mut sums = BTreeMap::<String, u64>::new();
    for span in spans {
        span.each(|day| {
            for (name, events) in of(day).ranked() {
                *sums.entry(name.clone()).or_default() += events;
            }
        });
    }
    let mut names: Vec<_> = sums.into_iter().collect();
    names.sort_by_key(|(_, events)| std::cmp::Reverse(*events));
    names.into_iter().map(|(name, _)| name).collect()
}

/// A series for each of the first names, and one for the rest. A name is what counts it and what it is called.
fn stacked(spans: &[Bucket<'_>], names: &[(String, String)], of: impl Fn(&Day) -> &Top<String, u64>) -> Vec<Series> {
    let events = |day: &Day, key: &String| of(day).get(key).copied().unwrap_or_default();
    let mut series: Vec<_> = names
        .iter()
        .take(COLOURS)
        .enumerate()
        .map(|(at, (key, name))| {
            let values = spans.iter().map(|span| span.sum(|day| events(day, key))).collect();
            Series::new(name.clone(), &format!("t{at}"), values)
        })
        .collect();
    let rest = |day: &Day| {
        let all: u64 = of(day).ranked().iter().map(|(_, events)| **events).sum();
        all.saturating_sub(names.iter().take(COLOURS).map(|(key, _)| events(day, key)).sum())
    };
    series.push(Series::new("Others", "other", spans.iter().map(|span| span.sum(rest)).collect()));
    series
}

/// What is known of the files of one repository, or of all.
#[derive(Debug, Default, Clone, Copy)]
struct Coverage {
    files: u64,
    labelled: u64,
    protected: u64,
    at_risk: u64,
}

impl Coverage {
    fn add(&mut self, found: &Found) {
        self.files += 1;
        self.labelled += u64::from(found.labelled);
        self.protected += u64::from(found.protected);
        self.at_risk += u64::from(found.sensitive && !found.labelled);
    }
}

/// How much of what scanners and clients found is labelled and protected.
pub(super) fn coverage(page: &mut String, figures: &Figures) {
    page.push_str("<section>\n<h2>Coverage</h2>\n");
    if figures.found.number() == 0 {
        page.push_str(
            "<p class=\"soft\">No row tells of it: only scanners and information protection clients report files without a \
             label.</p>\n</section>\n",
        );
        return;
    }
    page.push_str(
        "<p class=\"soft\">Files that scanners and clients found, each as it was found last. No other record tells of files \
         without a label.</p>\n",
    );
    let mut all = Coverage::default();
    let mut repositories = BTreeMap::<&str, Coverage>::new();
    for found in figures.found.values() {
        all.add(found);
        repositories.entry(&found.repository).or_default().add(found);
    }
    bars(
        page,
        &[
            ("Labelled", all.labelled, all.files, "t1"),
            ("Encrypted", all.protected, all.files, "t2"),
            ("Sensitive and without a label", all.at_risk, all.files, "t6"),
        ],
        &figures.found,
    );
    let mut repositories: Vec<_> = repositories.into_iter().collect();
    repositories.sort_by_key(|(name, coverage)| {
        (coverage.labelled * 1_000 / coverage.files.max(1), std::cmp::Reverse(coverage.files), *name)
    });
    page.push_str("<h3>Repositories, the least labelled first</h3>\n");
    let scale = figures.found.stands_for();
    let about = if scale > 1 { "≈ " } else { "" };
    let rows = repositories.into_iter().take(ROWS).map(|(name, coverage)| {
        vec![
            name.to_owned(),
            format!("{about}{}", number(coverage.files * scale)),
            share(coverage.labelled, coverage.files),
            share(coverage.protected, coverage.files),
            format!("{about}{}", number(coverage.at_risk * scale)),
        ]
    });
    let columns = vec![
        Column::text("Repository"),
        Column::number("Files"),
        Column::number("Labelled"),
        Column::number("Encrypted"),
        Column::number("Sensitive without a label"),
    ];
    Table::new(columns, rows.collect()).write(page);
    page.push_str("</section>\n");
}

/// Shares as bars, which need no script.
fn bars(page: &mut String, shares: &[(&str, u64, u64, &str)], files: &Sample<Found>) {
    add(page, format_args!("<p>{} files were found.</p>\n<dl class=\"shares\">\n", different(files)));
    for (name, part, whole, tone) in shares {
        let share = share(*part, *whole);
        // A picture of its own, because the page's policy lets no element have a style.
        let width = if *whole == 0 { 0 } else { part * 1_000 / whole };
        add(
            page,
            format_args!(
                "<div><dt>{name}</dt><dd><svg viewBox=\"0 0 1000 20\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
                 <rect class=\"whole\" width=\"1000\" height=\"20\"/><rect class=\"{tone}\" width=\"{width}\" height=\"20\"/>\
                 </svg><span>{share}</span></dd></div>\n"
            ),
        );
    }
    page.push_str("</dl>\n");
}

/// How labels that were applied or raised came about, and what the policies did.
pub(super) fn auto_labelling(page: &mut String, figures: &Figures, pictures: &mut Pictures) {
    page.push_str("<section>\n<h2>By policy or by hand</h2>\n");
    let spans = buckets(&figures.days);
    let tones = ["t2", "t3", "t0", "t1", "other"];
    let series = Source::ALL.iter().zip(tones).map(|(source, tone)| {
        Series::new(
            source.as_str(),
            tone,
            spans.iter().map(|span| span.sum(|day| day.sources[*source as usize])).collect(),
        )
    });
    pictures.add(
        page,
        Picture {
            title: "Where labels came from".to_owned(),
            note: "Labels that were applied or raised, by how that came about.",
            times: spans.iter().map(|span| span.name.clone()).collect(),
            series: series.collect(),
        },
        None,
    );
    page.push_str("<h3>Auto-labelling policies</h3>\n");
    let rows = figures.policies.ranked().into_iter().take(ROWS);
    let rows = rows.map(|((policy, workload), events)| vec![policy.clone(), workload.clone(), number(*events)]);
    let columns = vec![Column::text("Policy"), Column::text("Workload"), Column::number("Items matched")];
    Table::new(columns, rows.collect()).write(page);
    page.push_str("</section>\n");
}
