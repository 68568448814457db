//! Which claims still count, and which looks are still needed to make them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::look::Look;
use crate::fingerprint::{self, Knowledge};
use crate::model::{Asset, Claim, Evidence, Facts, Method, Named, Node, Source};

/// By whom and how something is said: whoever says something else the same way takes back what was
/// said before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Origin {
    source: Source,
    method: Method,
    protocol: String,
    port: u16,
    function: String,
    rule: Option<String>,
}

/// One field of one node, said in one way.
type Saying = (String, Origin);

/// When each thing was last said.
type Newest = BTreeMap<Saying, Timestamp>;

/// What one look says by itself: facts only, since what follows from them follows from all looks.
pub(super) fn facts(look: &Look) -> Option<Asset> {
    let told = fingerprint::interpret(&Knowledge::of_rules(Vec::new()), &look.exchanges);
    look.claims.iter().cloned().chain(told).reduce(|mut whole, asset| {
        // One look is at one place, so merging cannot be refused.
        let _ = whole.merge(asset);
        whole
    })
}

/// What two looks say together: of everything that is said the same way, the newest. The order
/// never matters.
pub(super) fn together(mut one: Asset, mut other: Asset) -> Asset {
    let (of_one, of_other) = (newest(&one), newest(&other));
    keep(&mut one, |saying, at| of_other.get(saying).is_none_or(|newer| at >= newer), &of_one);
    keep(&mut other, |saying, at| of_one.get(saying).is_none_or(|newer| at >= newer), &of_other);
    let _ = one.merge(other); // looks at one place
    one
}

/// Forget conclusions that stand on nothing that is still said, and all findings: what follows from
/// what is left is found again.
pub(super) fn forget_conclusions(asset: &mut Asset) {
    let mut facts = BTreeSet::new();
    each_claim(&asset.node, &mut |_, claim| {
        if claim.evidence.method != Method::Rule {
            facts.insert(basis(&claim.evidence));
        }
    });
    let stands = |claim: &Claim| {
        claim.evidence.method != Method::Rule || facts.contains(&basis(&claim.evidence))
    };
    asset.for_each_node(|node| {
        node.identity.retain(|_, claim| stands(claim));
        node.state.retain(|_, claim| stands(claim));
        node.interfaces.values_mut().for_each(|facts| facts.retain(|_, claim| stands(claim)));
        node.services.values_mut().for_each(|facts| facts.retain(|_, claim| stands(claim)));
        node.findings.clear();
    });
}

/// What evidence is made of, whatever was concluded from it.
fn basis(evidence: &Evidence) -> Evidence {
    Evidence { method: Method::Active, rule: None, ..evidence.clone() }
}

/// What a look is worth beside later ones.
#[derive(Debug)]
pub(super) struct Worth {
    asked: BTreeSet<(Source, String, u16, String)>,
    newest: Newest,
}

impl Worth {
    pub(super) fn of(look: &Look) -> Self {
        let answered = look.exchanges.iter().filter(|exchange| !exchange.response.is_empty());
        let asked = answered
            .map(|e| (e.source.clone(), e.protocol.clone(), e.port, e.function.clone()))
            .collect();
        Self { asked, newest: facts(look).as_ref().map(newest).unwrap_or_default() }
    }

    /// Whether it has brought nothing that can ever count.
    pub(super) fn is_nothing(&self) -> bool {
        self.asked.is_empty() && self.newest.is_empty()
    }

    /// Whether everything in it has been said anew in `later`.
    pub(super) fn is_covered_by(&self, later: &Self) -> bool {
        let anew = |(saying, at): (&Saying, &Timestamp)| {
            later.newest.get(saying).is_some_and(|newer| newer > at)
        };
        self.asked.is_subset(&later.asked) && self.newest.iter().all(anew)
    }
}

fn newest(asset: &Asset) -> Newest {
    let mut newest = Newest::new();
    each_claim(&asset.node, &mut |field, claim| {
        let at = claim.evidence.at;
        let known = newest.entry((field, origin(&claim.evidence))).or_insert(at);
        *known = at.max(*known);
    });
    newest
}

/// Keep what of `asset` is said at a time that counts. `own` says when each thing was last said.
fn keep(asset: &mut Asset, counts: impl Fn(&Saying, &Timestamp) -> bool, own: &Newest) {
    asset.for_each_node(|node| {
        let path = node.path().to_owned();
        let still = |field: String, claim: &Claim| {
            let saying = (field, origin(&claim.evidence));
            own.get(&saying).is_none_or(|at| counts(&saying, at))
        };
        node.identity.retain(|field, claim| still(name(&path, "", field), claim));
        node.state.retain(|field, claim| still(name(&path, "", field), claim));
        for (interface, facts) in &mut node.interfaces {
            facts.retain(|field, claim| still(name(&path, interface, field), claim));
        }
        for (key, facts) in &mut node.services {
            facts.retain(|field, claim| still(name(&path, &format!("{key:?}"), field), claim));
        }
    });
}

fn each_claim(node: &Node, take: &mut impl FnMut(String, &Claim)) {
    let path = node.path();
    each(&node.identity, path, "", take);
    each(&node.state, path, "", take);
    for (interface, facts) in &node.interfaces {
        each(facts, path, interface, take);
    }
    for (key, facts) in &node.services {
        each(facts, path, &format!("{key:?}"), take);
    }
    for below in node.modules.values().chain(node.children.values()) {
        each_claim(below, take);
    }
}

fn each<K: Named>(facts: &Facts<K>, path: &str, part: &str, take: &mut impl FnMut(String, &Claim)) {
    for field in facts.fields() {
        facts.claims(field).for_each(|claim| take(name(path, part, field), claim));
    }
}

fn name(path: &str, part: &str, field: impl Named) -> String {
    format!("{path}\n{part}\n{}", field.name())
}

fn origin(evidence: &Evidence) -> Origin {
    Origin {
        source: evidence.source.clone(),
        method: evidence.method,
        protocol: evidence.protocol.clone(),
        port: evidence.port,
        function: evidence.function.clone(),
        rule: evidence.rule.clone(),
    }
}
