//! One rule, as written in a `rules.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::{Claim, Facts, Field};

/// One rule: if all of `when` holds, all of `then` is claimed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Stable name, `<protocol>/<what it recognises>`.
    pub id: String,
    /// Where this knowledge comes from.
    pub reference: String,
    /// All of these must hold.
    pub when: BTreeMap<Field, Pattern>,
    /// Then this is claimed.
    pub then: BTreeMap<Field, String>,
    /// Answers that the rule was written for; every one is a test.
    pub examples: Vec<BTreeMap<Field, String>>,
}

/// A test of one value. Upper and lower case are the same.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// Exactly this.
    Is(String),
    /// Begins like this.
    StartsWith(String),
    /// Begins like one of these.
    StartsWithOneOf(Vec<String>),
    /// Has this somewhere.
    Contains(String),
    /// Ends like this.
    EndsWith(String),
}

/// A rule file does not parse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rules of {protocol}: {why}")]
pub struct RuleError {
    /// Whose rules.
    pub protocol: String,
    /// What is wrong, and where.
    pub why: String,
}

/// Parse the rule file of `protocol`.
///
/// # Errors
/// [`RuleError`] that says where.
pub fn parse(protocol: &str, text: &str) -> Result<Vec<Rule>, RuleError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[serde(default)]
        rule: Vec<Rule>,
    }
    let file = toml::from_str::<File>(text).map(|file| file.rule);
    file.map_err(|e| RuleError { protocol: protocol.to_owned(), why: e.to_string() })
}

impl Rule {
    /// The claim the rule looked at first, if everything it asks for holds.
    pub(super) fn basis<'a>(&self, identity: &'a Facts<Field>) -> Option<&'a Claim> {
        let mut basis = None;
        for (field, pattern) in &self.when {
            let claim = identity.best(*field)?;
            if !pattern.matches(&claim.value) {
                return None;
            }
            basis.get_or_insert(claim);
        }
        basis
    }
}

impl Pattern {
    fn matches(&self, value: &str) -> bool {
        let value = value.to_lowercase();
        let same = |text: &String| text.to_lowercase();
        match self {
            Self::Is(text) => value == same(text),
            Self::StartsWith(text) => value.starts_with(&same(text)),
            Self::StartsWithOneOf(texts) => texts.iter().any(|text| value.starts_with(&same(text))),
            Self::Contains(text) => value.contains(&same(text)),
            Self::EndsWith(text) => value.ends_with(&same(text)),
        }
    }
}
