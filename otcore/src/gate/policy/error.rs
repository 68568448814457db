//! What can be wrong with a policy, each error naming the key that is at fault.

/// A policy that cannot be used. Every variant names the key by its full dotted path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// No such key exists.
    #[error("{key}: unknown key{}", hint(.nearest))]
    UnknownKey {
        /// The key as it was written.
        key: String,
        /// The known key that looks most like it, if one does.
        nearest: Option<String>,
    },
    /// The key is known, the word behind it is not: a profile, a level, a consent, a day.
    #[error("{key} = {value:?}: no such {what}{}, known are {known}", hint(.nearest))]
    UnknownName {
        /// Where it was written.
        key: String,
        /// What was written.
        value: String,
        /// What it should have named.
        what: &'static str,
        /// The known name that looks most like it, if one does.
        nearest: Option<String>,
        /// All names that would do.
        known: String,
    },
    /// A number outside what is allowed.
    #[error("{key} = {value}: out of range, allowed is {min} to {max}")]
    OutOfRange {
        /// Where it was written.
        key: String,
        /// What was written.
        value: String,
        /// The least that is allowed.
        min: u64,
        /// The most that is allowed.
        max: u64,
    },
    /// A value of the wrong kind or form.
    #[error("{key} = {value}: expected {expected}")]
    Unreadable {
        /// Where it was written.
        key: String,
        /// What was written.
        value: String,
        /// What would do.
        expected: String,
    },
    /// A key that must be there is not.
    #[error("{key} is missing: {expected}")]
    Missing {
        /// What is missing.
        key: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// Two statements that cannot both hold.
    #[error("{key} = {value}: {why}")]
    Contradiction {
        /// The statement at fault.
        key: String,
        /// What it says.
        value: String,
        /// What it contradicts, and the way out.
        why: String,
    },
    /// The time zone is in no database of this machine.
    #[error("{key} = {zone:?}: unknown time zone, use an IANA name such as \"Europe/Berlin\"")]
    UnknownTimeZone {
        /// Where it was written.
        key: String,
        /// What was written.
        zone: String,
    },
    /// The profile `lab` needs a build that allows it.
    #[error("{key} = \"lab\": this build has no laboratory profile, build with the feature `lab`")]
    NeedsLabFeature {
        /// Where it was written.
        key: String,
    },
    /// The text is not TOML or JSON at all.
    #[error("the policy is not valid {format}: {detail}")]
    Syntax {
        /// `TOML` or `JSON`.
        format: &'static str,
        /// What its parser says.
        detail: String,
    },
    /// The file cannot be read or its kind is unknown.
    #[error("cannot read the policy file {path}: {detail}")]
    File {
        /// The file.
        path: String,
        /// Why not.
        detail: String,
    },
}

impl PolicyError {
    /// The same error with its key below `parent`.
    pub(super) fn under(mut self, parent: &str) -> Self {
        match &mut self {
            Self::UnknownKey { key, .. }
            | Self::UnknownName { key, .. }
            | Self::OutOfRange { key, .. }
            | Self::Unreadable { key, .. }
            | Self::Missing { key, .. }
            | Self::Contradiction { key, .. }
            | Self::UnknownTimeZone { key, .. }
            | Self::NeedsLabFeature { key } => *key = join(parent, key),
            Self::Syntax { .. } | Self::File { .. } => {}
        }
        self
    }

    pub(super) fn unknown_key(key: &str, known: &[&str]) -> Self {
        Self::UnknownKey { key: key.to_owned(), nearest: nearest(key, known) }
    }

    pub(super) fn unknown_name(key: &str, value: &str, names: (&'static str, &[&str])) -> Self {
        let (what, known) = names;
        let (key, value) = (key.to_owned(), value.to_owned());
        let (nearest, known) = (nearest(&value, known), known.join(", "));
        Self::UnknownName { key, value, what, nearest, known }
    }

    pub(super) fn contradiction(
        key: &str,
        value: &(impl ToString + ?Sized),
        why: impl Into<String>,
    ) -> Self {
        Self::Contradiction { key: key.to_owned(), value: value.to_string(), why: why.into() }
    }
}

fn join(parent: &str, key: &str) -> String {
    if parent.is_empty() { key.to_owned() } else { format!("{parent}.{key}") }
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!(", did you mean `{name}`?")).unwrap_or_default()
}

/// The known word that most of the letters agree with.
fn nearest(word: &str, known: &[&str]) -> Option<String> {
    let distances = known.iter().map(|name| (distance(word, name), name));
    let (distance, name) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= (name.len() / 2).clamp(1, 3)).then(|| (*name).to_owned())
}

/// How many letters must be added, dropped or changed to get from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut next = vec![i + 1];
        let steps = row.iter().zip(row.iter().skip(1));
        for (b, (diagonal, above)) in to.chars().zip(steps) {
            let left = next.last().copied().unwrap_or_default();
            next.push((diagonal + usize::from(a != b)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_is_suggested_and_a_far_one_is_not() {
        assert_eq!(nearest("exlude", &["exclude", "monitor"]), Some("exclude".into()));
        assert_eq!(nearest("s8", &["s7", "enip"]), Some("s7".into()));
        assert_eq!(nearest("banana", &["exclude", "monitor"]), None);
        assert_eq!(nearest("dog", &["to", "from"]), None, "half of a short word is another word");
        assert_eq!(nearest("dais", &["days", "from"]), Some("days".into()));
        assert_eq!(nearest("anything", &[]), None);
    }

    #[test]
    fn the_distance_counts_single_letters() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
