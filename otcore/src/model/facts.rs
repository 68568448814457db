//! Claims by field. Nothing is ever overwritten: merging is set union.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::claim::{Claim, Confidence, Evidence};
use super::field::Named;

/// Claims by field.
///
/// In JSON each field shows its best claim, and the others under `also`; nothing is lost on the
/// way there and back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts<K>(BTreeMap<K, BTreeSet<Claim>>);

impl<K> Default for Facts<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Copy> Facts<K> {
    /// Somebody says so.
    pub fn add(&mut self, field: K, claim: Claim) {
        self.0.entry(field).or_default().insert(claim);
    }

    /// The most trusted claim about `field`.
    #[must_use]
    pub fn best(&self, field: K) -> Option<&Claim> {
        self.0.get(&field)?.last()
    }

    /// What the most trusted claim about `field` says.
    #[must_use]
    pub fn value(&self, field: K) -> Option<&str> {
        self.best(field).map(|claim| claim.value.as_str())
    }

    /// All claims about `field`, the least trusted first.
    pub fn claims(&self, field: K) -> impl Iterator<Item = &Claim> {
        self.0.get(&field).into_iter().flatten()
    }

    /// All claims about all fields.
    pub fn all(&self) -> impl Iterator<Item = &Claim> {
        self.0.values().flatten()
    }

    /// The fields that anybody says something about, in order.
    pub fn fields(&self) -> impl Iterator<Item = K> + '_ {
        self.0.keys().copied()
    }

    /// Whether nobody says anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keep only these claims.
    pub fn retain(&mut self, mut keep: impl FnMut(K, &Claim) -> bool) {
        for (field, claims) in &mut self.0 {
            claims.retain(|claim| keep(*field, claim));
        }
        self.0.retain(|_, claims| !claims.is_empty());
    }

    /// Everything that either says. The order of merging never matters.
    pub fn merge(&mut self, other: Self) {
        for (field, claims) in other.0 {
            self.0.entry(field).or_default().extend(claims);
        }
    }
}

impl<K: Named> Facts<K> {
    /// Whether claims of equal confidence disagree. A dispute is shown, never resolved silently.
    ///
    /// The same in another spelling is no dispute, and neither is what a rule says in other words.
    #[must_use]
    pub fn is_disputed(&self, field: K) -> bool {
        let Some(claims) = self.0.get(&field) else { return false };
        let mut from_best = claims.iter().rev();
        match (from_best.next(), from_best.next()) {
            // Mostly there is one claim, or one that is the surest: no text has to be compared.
            (Some(best), Some(next)) if next.confidence == best.confidence => {
                self.rivals(field, best).next().is_some()
            }
            _ => false,
        }
    }

    /// Claims about `field` that are as sure as `claim` and say something else.
    pub fn rivals<'a>(&'a self, field: K, claim: &'a Claim) -> impl Iterator<Item = &'a Claim> {
        let said = field.folded(&claim.value);
        self.claims(field).filter(move |rival| {
            rival.confidence == claim.confidence
                && field.folded(&rival.value) != said
                && !self.claims(field).any(|other| other.rewords(rival))
        })
    }
}

/// A field in JSON: the best claim, and what else is said.
#[derive(Serialize)]
struct Shown<'a> {
    value: &'a str,
    confidence: Confidence,
    evidence: &'a Evidence,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disputed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    also: Vec<&'a Claim>,
}

impl<K: Named> Serialize for Facts<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (field, claims) in &self.0 {
            let Some(best) = claims.last() else { continue };
            let shown = Shown {
                value: &best.value,
                confidence: best.confidence,
                evidence: &best.evidence,
                disputed: self.is_disputed(*field),
                also: claims.iter().rev().skip(1).collect(),
            };
            map.serialize_entry(field.name(), &shown)?;
        }
        map.end()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    value: String,
    confidence: Confidence,
    evidence: std::sync::Arc<Evidence>,
    #[serde(default, rename = "disputed")]
    _disputed: bool,
    #[serde(default)]
    also: Vec<Claim>,
}

impl<'de, K: Named> Deserialize<'de> for Facts<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<K>(PhantomData<K>);

        impl<'de, K: Named> Visitor<'de> for Fields<K> {
            type Value = Facts<K>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("claims by field")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Facts<K>, A::Error> {
                let mut facts = Facts::default();
                while let Some(name) = map.next_key::<String>()? {
                    let field = K::by_name(&name)
                        .ok_or_else(|| de::Error::custom(format!("unknown field {name:?}")))?;
                    let Read { value, confidence, evidence, also, .. } = map.next_value()?;
                    facts.add(field, Claim { confidence, evidence, value });
                    also.into_iter().for_each(|claim| facts.add(field, claim));
                }
                Ok(facts)
            }
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}
