//! What is said differently about one node at two times.

use std::collections::BTreeMap;

use serde::Serialize;

use super::claim::Claim;
use super::facts::Facts;
use super::field::{Named, StateField};
use super::nodes::Entry;

/// One field that is said differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// Which, for example `identity.firmware` or `interfaces.1.mac`.
    pub field: String,
    /// The most trusted claim before; absent if nobody said anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Claim>,
    /// The most trusted claim now; absent if the question was asked again and no longer says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Claim>,
}

type Fields<'a> = BTreeMap<String, &'a Claim>;

/// What is said differently about a node itself, not about what is below it.
/// `lost` decides whether a claim that nobody makes any more is a change.
pub(super) fn changes(
    before: &Entry<'_>,
    after: &Entry<'_>,
    lost: impl Fn(&Claim) -> bool,
) -> Vec<Change> {
    let (old, new) = (fields(before), fields(after));
    let mut changes = Vec::new();
    for (field, from) in &old {
        let to = new.get(field).copied();
        let lost = to.is_none() && lost(from);
        let differs = to.is_some_and(|to| to.value != from.value);
        if lost || differs {
            let (from, to) = (Some((*from).clone()), to.cloned());
            changes.push(Change { field: field.clone(), from, to });
        }
    }
    for (field, to) in new.iter().filter(|(field, _)| !old.contains_key(*field)) {
        changes.push(Change { field: field.clone(), from: None, to: Some((*to).clone()) });
    }
    changes.sort_by(|a, b| a.field.cmp(&b.field));
    changes
}

fn fields<'a>(entry: &Entry<'a>) -> Fields<'a> {
    let (node, mut found) = (entry.node, Fields::new());
    add(&node.identity, "identity", &mut found);
    add(&node.state, "state", &mut found);
    found.remove(&format!("state.{}", StateField::Clock.name()));
    for (name, facts) in &node.interfaces {
        add(facts, &format!("interfaces.{name}"), &mut found);
    }
    for (key, facts) in &node.services {
        let place = format!("services.{}/{}/{}", key.protocol, key.transport.name(), key.port);
        add(facts, &place, &mut found);
    }
    found
}

fn add<'a, K: Named>(facts: &'a Facts<K>, place: &str, found: &mut Fields<'a>) {
    for field in facts.fields() {
        let best = facts.best(field);
        found.extend(best.map(|claim| (format!("{place}.{}", field.name()), claim)));
    }
}
