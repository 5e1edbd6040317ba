//! A picture: bars over time, with a legend, and the same figures as a table for those who see no picture.

use serde::Serialize;

use super::table::{Column, Table};
use crate::html::{add, escaped, number};

/// Bars over time, those of a span on top of each other.
#[derive(Debug, Serialize)]
pub(super) struct Picture {
    /// What the page says above it.
    #[serde(skip)]
    pub title: String,
    /// What the figures are.
    #[serde(skip)]
    pub note: &'static str,
    /// The spans.
    pub times: Vec<String>,
    /// What is stacked, from the bottom.
    pub series: Vec<Series>,
}

/// What has a colour.
#[derive(Debug, Serialize)]
pub(super) struct Series {
    pub name: String,
    /// The style's name of the colour.
    pub tone: String,
    pub values: Vec<u64>,
}

impl Series {
    pub fn new(name: impl Into<String>, tone: &str, values: Vec<u64>) -> Self {
        Self { name: name.into(), tone: tone.to_owned(), values }
    }
}

/// The pictures of a page, in their order.
#[derive(Debug, Default)]
pub(super) struct Pictures(Vec<Picture>);

impl Pictures {
    /// Adds the place of `picture` to the page, with its table or with `table` in its stead.
    pub fn add(&mut self, page: &mut String, mut picture: Picture, table: Option<Table>) {
        picture.series.retain(|series| series.values.iter().any(|value| *value > 0));
        if picture.series.is_empty() {
            add(
                page,
                format_args!("<h3>{}</h3>\n<p class=\"soft\">No row tells of this.</p>\n", escaped(&picture.title)),
            );
            return;
        }
        let title = escaped(&picture.title);
        add(page, format_args!("<figure>\n<h3>{title}</h3>\n<p class=\"soft\">{}</p>\n", escaped(picture.note)));
        add(
            page,
            format_args!(
                "<div class=\"drawn\" hidden><div class=\"chart\" data-picture=\"{}\" role=\"img\" aria-label=\"{title}\">\
                 </div>\n<ul class=\"legend\">",
                self.0.len()
            ),
        );
        for series in &picture.series {
            let (name, tone) = (escaped(&series.name), &series.tone);
            add(page, format_args!("<li><span class=\"{tone}\"></span><bdi>{name}</bdi></li>"));
        }
        page.push_str("</ul></div>\n<details open><summary>The figures</summary>\n");
        table.unwrap_or_else(|| picture.table()).write(page);
        page.push_str("</details>\n</figure>\n");
        self.0.push(picture);
    }

    /// Their figures as JSON that cannot end a script element.
    ///
    /// # Errors
    /// There are none for these types.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string(&self.0)?.replace('<', "\\u003c"))
    }
}

impl Picture {
    /// Its figures, the latest first, without spans in which nothing was.
    pub fn table(&self) -> Table {
        let mut columns = vec![Column::short("When")];
        columns.extend(self.series.iter().map(|series| Column::number(&series.name)));
        let rows = self.times.iter().enumerate().rev().filter_map(|(at, time)| {
            let values: Vec<u64> =
                self.series.iter().map(|series| series.values.get(at).copied().unwrap_or_default()).collect();
            let some = values.iter().any(|value| *value > 0);
            some.then(|| std::iter::once(time.clone()).chain(values.into_iter().map(number)).collect())
        });
        Table::new(columns, rows.collect())
    }
}
