//! Stored exchanges of an honest scan, changed as an input says, and read again.

use std::net::IpAddr;
use std::sync::LazyLock;

use otcore::fingerprint::Knowledge;
use otcore::model::{Exchange, HexBytes};
use otcore::scan::redecode;

use crate::script::Script;
use crate::{dialogue, results};

/// Everything that honest devices of one protocol ever said.
pub type Said = LazyLock<Vec<Exchange>>;

/// Ask every kind of device of this protocol everything.
#[must_use]
pub fn said(protocol: &'static str) -> Vec<Exchange> {
    let everything = |kind| dialogue::scanned(protocol, &[3, 0xFF, 2, 0, kind]);
    let reports = (0..16).flat_map(everything);
    let mut said: Vec<Exchange> = reports.flat_map(|report| report.exchanges).collect();
    let mut known = std::collections::BTreeSet::new();
    said.retain(|one| known.insert((one.request.clone(), one.response.clone())));
    said
}

/// Choose exchanges and change them as `input` says: what is read from them is explained by them, and
/// is no more devices than there are addresses.
pub fn read_again(said: &[Exchange], input: &[u8]) {
    let mut script = Script::new(input);
    let mut exchanges = Vec::new();
    while !script.is_over() && exchanges.len() < 32 {
        let which = usize::from(script.byte()) | usize::from(script.byte() & 1) << 8;
        let Some(honest) = said.get(which % said.len().max(1)) else { return };
        let changed = script.change(&honest.protocol, honest.response.as_ref().to_vec());
        let host = 2 + u8::from(script.byte() & 0x80 != 0);
        let (address, response) = (IpAddr::from([10, 1, 0, host]), HexBytes::from(changed));
        exchanges.push(Exchange { address, response, ..honest.clone() });
    }
    let assets = redecode(&Knowledge::built_in(), &exchanges);
    results::are_explained(&assets, &exchanges);
    let mut addresses: Vec<IpAddr> = exchanges.iter().map(|one| one.address).collect();
    addresses.sort_unstable();
    addresses.dedup();
    assert!(assets.len() <= addresses.len(), "{} devices", assets.len());
}
