//! A beginning or a pattern of a name, matched in one pass.

use std::cmp::Reverse;

/// What a name must look like, sign by sign: `#` is a digit, `@` a letter, a `*` at the end whatever
/// comes then, and everything else is itself.
///
/// There is nothing to try twice, so a hostile name costs no more than its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob {
    signs: Vec<char>,
    is_open: bool,
}

impl Glob {
    /// Whether `text` is more than a plain value.
    pub(super) fn is_wild(text: &str) -> bool {
        text.contains(['#', '@', '*'])
    }

    /// # Errors
    /// If a `*` is not at the end.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let (signs, is_open) = match text.strip_suffix('*') {
            Some(signs) => (signs, true),
            None => (text, false),
        };
        match signs.contains('*') {
            true => Err(format!("{text:?}: a * stands at the end only")),
            false => Ok(Self { signs: signs.chars().collect(), is_open }),
        }
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let mut left = text.chars();
        let fits = self.signs.iter().all(|sign| {
            left.next().is_some_and(|c| match sign {
                '#' => c.is_ascii_digit(),
                '@' => c.is_ascii_alphabetic(),
                sign => *sign == c,
            })
        });
        fits && (self.is_open || left.next().is_none())
    }

    /// The smallest is the most exact: no wildcards, then a pattern, then the longest beginning;
    /// among patterns the one with the most signs that stand for themselves.
    pub(super) fn rank(&self) -> (u8, Reverse<usize>) {
        let own = self.signs.iter().filter(|sign| !matches!(sign, '#' | '@')).count();
        let kind = match (own < self.signs.len(), self.is_open) {
            (false, false) => 0,
            (true, _) => 1,
            (false, true) => 2,
        };
        (kind, Reverse(own))
    }
}
