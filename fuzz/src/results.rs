//! What somebody relies on who reads results.

use otcore::fingerprint::Knowledge;
use otcore::model::{Claim, Exchange, Facts, Inventory, Method, Named, Node, printable};
use otcore::scan::redecode;

/// A value is never longer: an escape may follow the last character that has room.
const LONGEST_VALUE: usize = 2048;

/// `assets` are what `exchanges` say, today and whenever they are read again: every claim of a device
/// stands on bytes that it sent, and nothing in it acts on a terminal.
pub fn are_explained(assets: &Inventory, exchanges: &[Exchange]) {
    assert_eq!(*assets, redecode(&Knowledge::built_in(), exchanges), "read again it differs");
    for asset in assets.iter() {
        node(&asset.node, exchanges);
    }
}

fn node(node: &Node, exchanges: &[Exchange]) {
    assert_eq!(printable(node.path()), node.path());
    facts(&node.identity, exchanges);
    facts(&node.state, exchanges);
    node.interfaces.values().for_each(|of_one| facts(of_one, exchanges));
    node.services.values().for_each(|of_one| facts(of_one, exchanges));
    node.modules.values().chain(node.children.values()).for_each(|one| self::node(one, exchanges));
}

fn facts<K: Named>(facts: &Facts<K>, exchanges: &[Exchange]) {
    facts.all().for_each(|claim| self::claim(claim, exchanges));
}

fn claim(claim: &Claim, exchanges: &[Exchange]) {
    assert_eq!(printable(&claim.value), claim.value, "something that acts on a terminal");
    assert!(claim.value.len() <= LONGEST_VALUE, "{} bytes of a value", claim.value.len());
    let evidence = &claim.evidence;
    if evidence.method == Method::Active {
        let stands = exchanges.iter().any(|one| {
            (one.at, &one.response, &*one.function)
                == (evidence.at, &evidence.response, &*evidence.function)
        });
        assert!(stands, "no such answer: {claim:?}");
    }
}
