//! Figures and texts in columns.

use std::fmt::{self, Display, Formatter};

/// A table. Columns of figures are aligned to the right, others to the left.
#[derive(Debug)]
pub(crate) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<const N: usize>(head: [&str; N]) -> Self {
        Self { head: head.map(ToOwned::to_owned).into(), rows: Vec::new() }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    fn column(&self, column: usize) -> impl Iterator<Item = &String> {
        self.rows.iter().filter_map(move |row| row.get(column))
    }

    /// How wide a column is, and whether it is one of figures.
    fn layout(&self, column: usize) -> (usize, bool) {
        let cells = self.head.get(column).into_iter().chain(self.column(column));
        let width = cells.map(|cell| cell.chars().count()).max().unwrap_or_default();
        let is_figure = |cell: &String| cell.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        (width, column > 0 && self.column(column).all(is_figure))
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let layouts: Vec<_> = (0..self.head.len()).map(|column| self.layout(column)).collect();
        for row in [&self.head].into_iter().chain(&self.rows) {
            let cells = row.iter().zip(&layouts).map(|(cell, (width, is_figure))| {
                if *is_figure { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}
