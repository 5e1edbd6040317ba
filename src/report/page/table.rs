//! Tables. Cells are plain texts, and escaped here alone.

use crate::html::{add, escaped};

/// A column.
#[derive(Debug)]
pub(super) struct Column {
    name: String,
    class: &'static str,
}

impl Column {
    pub fn text(name: &str) -> Self {
        Self { name: name.to_owned(), class: "" }
    }

    /// A column whose texts are short and stay in one line.
    pub fn short(name: &str) -> Self {
        Self { name: name.to_owned(), class: " class=\"short\"" }
    }

    pub fn number(name: &str) -> Self {
        Self { name: name.to_owned(), class: " class=\"number\"" }
    }
}

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(columns: Vec<Column>, rows: Vec<Vec<String>>) -> Self {
        Self { columns, rows }
    }

    /// Adds it to the page; where it has no rows, that.
    pub fn write(&self, page: &mut String) {
        if self.rows.is_empty() {
            page.push_str("<p class=\"soft\">No row tells of this.</p>\n");
            return;
        }
        page.push_str("<div class=\"wide\"><table>\n<thead><tr>");
        for Column { name, class } in &self.columns {
            add(page, format_args!("<th{class}><bdi>{}</bdi></th>", escaped(name)));
        }
        page.push_str("</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            page.push_str("<tr>");
            for (cell, Column { class, .. }) in row.iter().zip(&self.columns) {
                // A name from right to left leaves its neighbours where they are.
                add(page, format_args!("<td{class}><bdi>{}</bdi></td>", escaped(cell)));
            }
            page.push_str("</tr>\n");
        }
        page.push_str("</tbody></table></div>\n");
    }
}
