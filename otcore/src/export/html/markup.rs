//! Markup that text cannot become: tags are written in the code, everything else is escaped.

use std::fmt::{Display, Write};
use std::io;

use crate::export::shown::shown;

/// What is kept in memory before it is handed on.
const PIECE: usize = 64 * 1024;

/// A page in the making, or a part of one. Only text of this program can be a tag.
#[derive(Default)]
pub(super) struct Html<'a> {
    text: String,
    /// Where the page goes; a part of one stays in memory.
    out: Option<&'a mut dyn io::Write>,
    failed: Option<io::Error>,
}

impl<'a> Html<'a> {
    /// A page that is handed on piece by piece.
    pub(super) fn to(out: &'a mut dyn io::Write) -> Self {
        Self { out: Some(out), ..Self::default() }
    }

    /// Markup as it stands in the code.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.text.push_str(markup);
        if self.text.len() > PIECE {
            self.hand_on();
        }
        self
    }

    /// Any text, inert: without anything that acts, cut where nobody reads on, escaped.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        let shown = shown(text);
        let mut rest = shown.as_str();
        while let Some((before, escaped, after)) = next_escaped(rest) {
            self.text.push_str(before);
            self.text.push_str(escaped);
            rest = after;
        }
        self.text.push_str(rest);
        self
    }

    /// The same, for whatever is shown as text.
    pub(super) fn show(&mut self, value: impl Display) -> &mut Self {
        self.text(&value.to_string())
    }

    /// A number within a tag.
    pub(super) fn number(&mut self, number: impl Into<f64>) -> &mut Self {
        let _ = write!(self.text, "{:.1}", number.into());
        self
    }

    /// What another one holds.
    pub(super) fn append(&mut self, other: &Html<'_>) -> &mut Self {
        self.text.push_str(&other.text);
        self
    }

    /// Hands on the last piece, and says whether all of them were taken.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.hand_on();
        self.failed.map_or(Ok(()), Err)
    }

    /// Nothing is handed on after a failure, which is told at the end.
    fn hand_on(&mut self) {
        let Some(out) = &mut self.out else { return };
        if self.failed.is_none() {
            self.failed = out.write_all(self.text.as_bytes()).err();
        }
        self.text.clear();
    }
}

/// The first character that means something in markup: what is before it, what is written instead,
/// and what is after it.
fn next_escaped(text: &str) -> Option<(&str, &'static str, &str)> {
    let at = text.find(['&', '<', '>', '"', '\''])?;
    let (before, rest) = text.split_at_checked(at)?;
    let mut rest = rest.chars();
    let escaped = match rest.next()? {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        _ => "&#39;",
    };
    Some((before, escaped, rest.as_str()))
}
