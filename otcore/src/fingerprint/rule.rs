//! One rule, as written in a `rules.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::{Claim, Confidence, Facts, Field, FindingKind};

/// One rule: if all of `when` holds, all of `then` is claimed, and a person should look at `finding`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Stable name, `<protocol>/<what it recognises>`.
    pub id: String,
    /// Where this knowledge comes from.
    pub reference: String,
    /// All of these must hold.
    pub when: BTreeMap<Field, Pattern>,
    /// And none of these.
    #[serde(default)]
    pub unless: BTreeMap<Field, Pattern>,
    /// Then this is claimed.
    #[serde(default)]
    pub then: BTreeMap<Field, String>,
    /// How sure that is: `likely` or, unless it says so, `inferred`.
    #[serde(default = "Rule::inferred")]
    pub confidence: Confidence,
    /// Then this is worth a look.
    #[serde(default)]
    pub finding: Option<Suspicion>,
    /// Answers that the rule was written for; every one is a test.
    pub examples: Vec<BTreeMap<Field, String>>,
    /// Only what was said in this protocol counts; everything, if there is none.
    #[serde(skip)]
    pub protocol: Option<&'static str>,
}

/// What a rule finds suspicious.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suspicion {
    /// What kind of thing.
    pub kind: FindingKind,
    /// Why, in words.
    pub reason: String,
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
    /// Has this somewhere, without a letter before or behind it.
    HasWord(String),
}

/// A rule file does not parse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{protocol}.toml: {why}")]
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
    let wrong = |why: String| RuleError { protocol: protocol.to_owned(), why };
    let mut rules = toml::from_str::<File>(text).map_err(|e| wrong(e.to_string()))?.rule;
    let of_protocol = crate::protocols::by_name(protocol).map(crate::protocols::Probe::name);
    rules.iter_mut().for_each(|rule| rule.protocol = of_protocol);
    let idle =
        |rule: &&Rule| rule.when.is_empty() || (rule.then.is_empty() && rule.finding.is_none());
    if let Some(rule) = rules.iter().find(idle) {
        return Err(wrong(format!("{} asks for nothing or concludes nothing", rule.id)));
    }
    match rules.iter().find(|rule| rule.confidence > Confidence::Inferred) {
        None => Ok(rules),
        Some(rule) => Err(wrong(format!("{}: a rule is no device and no person", rule.id))),
    }
}

impl Rule {
    const fn inferred() -> Confidence {
        Confidence::Inferred
    }

    /// The claim the rule looked at first, if everything it asks for holds.
    pub(super) fn basis<'a>(&self, identity: &'a Facts<Field>) -> Option<&'a Claim> {
        let mut basis = None;
        for (field, pattern) in &self.when {
            let claim = self.said(identity, *field)?;
            if !pattern.matches(&claim.value) {
                return None;
            }
            basis.get_or_insert(claim);
        }
        let stands_against = |(field, pattern): (&Field, &Pattern)| {
            self.said(identity, *field).is_some_and(|claim| pattern.matches(&claim.value))
        };
        basis.filter(|_| !self.unless.iter().any(stands_against))
    }

    /// The most trusted claim of those that count.
    fn said<'a>(&self, identity: &'a Facts<Field>, field: Field) -> Option<&'a Claim> {
        let counts = |claim: &&Claim| {
            self.protocol.is_none_or(|protocol| claim.evidence.protocol == protocol)
        };
        identity.claims(field).filter(counts).last()
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
            Self::HasWord(text) => {
                let text = same(text);
                let is_letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
                value.match_indices(&text).any(|(at, found)| {
                    let (before, behind) = value.split_at(at);
                    let behind = behind.strip_prefix(found).unwrap_or_default();
                    !is_letter(before.chars().next_back()) && !is_letter(behind.chars().next())
                })
            }
        }
    }
}
