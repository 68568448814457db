//! One thing somebody says about one field, and what it stands on.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::exchange::{Exchange, HexBytes};
use super::names::Source;

/// How much to believe a claim. The order is the order of trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Confidence {
    /// It is likely: a rule concluded it from a kind, or from the beginning of a name or number.
    Likely,
    /// A rule concluded it from something else.
    Inferred,
    /// The device said so itself.
    Reported,
    /// A person vouched for it.
    Entered,
}

/// How somebody came to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Method {
    /// By asking.
    Active,
    /// By listening.
    Passive,
    /// From another system.
    Import,
    /// By a rule.
    Rule,
}

/// What a claim stands on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// When it was learned.
    pub at: Timestamp,
    /// Who looked.
    pub source: Source,
    /// How.
    pub method: Method,
    /// In which protocol.
    pub protocol: String,
    /// On which port.
    pub port: u16,
    /// By which function, by its name in the manifest.
    pub function: String,
    /// The rule that concluded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The question.
    #[serde(default, skip_serializing_if = "HexBytes::is_empty")]
    pub request: HexBytes,
    /// The answer that says so.
    #[serde(default, skip_serializing_if = "HexBytes::is_empty")]
    pub response: HexBytes,
}

impl Evidence {
    /// The device said it in this exchange.
    #[must_use]
    pub fn of(exchange: &Exchange) -> Self {
        Self {
            at: exchange.at,
            source: exchange.source.clone(),
            method: Method::Active,
            protocol: exchange.protocol.clone(),
            port: exchange.port,
            function: exchange.function.clone(),
            rule: None,
            request: exchange.request.clone(),
            response: exchange.response.clone(),
        }
    }

    /// Rule `id` concluded it from a claim that stands on `basis`.
    #[must_use]
    pub fn rule(id: &str, basis: &Self) -> Self {
        Self { method: Method::Rule, rule: Some(id.to_owned()), ..basis.clone() }
    }
}

impl Evidence {
    /// Whether this says in other words what `said` says: a rule read it from the same bytes.
    fn rewords(&self, said: &Self) -> bool {
        let same =
            || Self { method: said.method, rule: said.rule.clone(), ..self.clone() } == *said;
        self.method == Method::Rule && said.method != Method::Rule && same()
    }
}

/// One thing somebody says about one field.
///
/// Claims are totally ordered: by confidence, then by the time of their evidence, then by value and
/// the rest of the evidence so that no two different claims are equal. The greatest is the best.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// How sure.
    pub confidence: Confidence,
    /// Why.
    pub evidence: Arc<Evidence>,
    /// What is said, cleaned of anything that could act on a terminal; the raw bytes are in the
    /// evidence.
    pub value: String,
}

impl Claim {
    /// Whether this is the same claim in other words, as sure as `said`.
    pub(super) fn rewords(&self, said: &Self) -> bool {
        self.confidence == said.confidence && self.evidence.rewords(&said.evidence)
    }
}
