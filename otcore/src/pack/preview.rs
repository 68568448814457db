//! What an inventory would say otherwise.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::model::{Claim, Facts, Inventory, Named, Node};

/// One field of one node that would say something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The node.
    pub path: String,
    /// The field, by its name in JSON; of an interface or a service behind its name.
    pub field: String,
    /// What it says now; `None` if nothing.
    pub from: Option<String>,
    /// What it would say; `None` if nothing.
    pub to: Option<String>,
    /// The rule that would decide, if a rule would.
    pub rule: Option<String>,
}

/// What would be said otherwise in `after`: every field whose best claim has another value or
/// comes from another rule, in order. Both are what the same looks say, with and without a pack.
#[must_use]
pub fn preview(before: &Inventory, after: &Inventory) -> Vec<Change> {
    let (before, after) = (said(before), said(after));
    let keys: BTreeSet<&Key> = before.keys().chain(after.keys()).collect();
    let changes = keys.into_iter().filter_map(|key| {
        let (from, to) = (before.get(key), after.get(key));
        let change = Change {
            path: key.0.clone(),
            field: key.1.clone(),
            from: from.map(|said| said.0.clone()),
            to: to.map(|said| said.0.clone()),
            rule: to.and_then(|said| said.1.clone()),
        };
        (from != to).then_some(change)
    });
    changes.collect()
}

/// A node and a field of it.
type Key = (String, String);

/// What is said best, and by which rule.
type Said = (String, Option<String>);

fn said(inventory: &Inventory) -> BTreeMap<Key, Said> {
    let mut said = BTreeMap::new();
    inventory.iter().for_each(|asset| of_node(&asset.node, &mut said));
    said
}

fn of_node(node: &Node, said: &mut BTreeMap<Key, Said>) {
    let mut add = |part: &str, field: &str, best: &Claim| {
        let key = (node.path().to_owned(), format!("{part}{field}"));
        said.insert(key, (best.value.clone(), best.evidence.rule.clone()));
    };
    of_facts(&node.identity, "", &mut add);
    of_facts(&node.state, "", &mut add);
    for (name, facts) in &node.interfaces {
        of_facts(facts, &format!("{name} "), &mut add);
    }
    for (key, facts) in &node.services {
        of_facts(facts, &format!("{}/{} ", key.protocol, key.port), &mut add);
    }
    for below in node.modules.values().chain(node.children.values()) {
        of_node(below, said);
    }
}

fn of_facts<K: Named>(facts: &Facts<K>, part: &str, add: &mut impl FnMut(&str, &str, &Claim)) {
    for field in facts.fields() {
        facts.best(field).into_iter().for_each(|best| add(part, field.name(), best));
    }
}
