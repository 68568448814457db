//! Markup that text cannot become: tags are written in the code, everything else is escaped.

use std::fmt::{Display, Write};

use crate::export::shown::shown;

/// A page in the making. Only text of this program can be a tag.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Markup as it stands in the code.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Any text, inert: without anything that acts, cut where nobody reads on, escaped.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for c in shown(text).chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }

    /// The same, for whatever is shown as text.
    pub(super) fn show(&mut self, value: impl Display) -> &mut Self {
        self.text(&value.to_string())
    }

    /// A number within a tag.
    pub(super) fn number(&mut self, number: impl Into<f64>) -> &mut Self {
        let _ = write!(self.0, "{:.1}", number.into());
        self
    }

    /// What another one holds.
    pub(super) fn append(&mut self, other: &Self) -> &mut Self {
        self.0.push_str(&other.0);
        self
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}
