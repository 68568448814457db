//! Holds what was sent against the manifest and the policy.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use otcore::protocols::Probe;

use super::Setting;

/// Name, selector, size and count of everything sent to the device at `at` are in the manifest, and
/// allowed here. `scans` may have asked it.
pub(crate) fn in_the_manifest(
    probe: &dyn Probe,
    (at, sent): (SocketAddr, &[(String, Vec<u8>)]),
    (setting, scans): (&Setting, u16),
    what: &str,
) {
    let settings = &setting.policy.protocols[probe.name()];
    for (name, bytes) in sent {
        let facts = probe.functions().into_iter().find(|facts| facts.name == name);
        let facts = facts.unwrap_or_else(|| panic!("{what}: {name} is not in the manifest"));
        assert!(bytes.len() <= facts.max_request.into(), "{what}: {name}: {bytes:?}");
        assert!(facts.level <= settings.level, "{what}: {name} at level {}", settings.level);
        let consented = facts.consent.is_none_or(|key| settings.allow.iter().any(|a| a == key));
        assert!(consented, "{what}: {name} without consent");
    }
    let mut asked: BTreeMap<_, u16> = BTreeMap::new();
    for logged in setting.network.station(at).counters().log {
        let selector = logged.selector.unwrap_or_else(|| panic!("{what}: unreadable {logged:?}"));
        let facts = probe.functions().into_iter().find(|facts| facts.selector == selector);
        let facts = facts.unwrap_or_else(|| panic!("{what}: {selector} is not in the manifest"));
        let times = asked.entry((logged.unit, selector)).or_default();
        *times += 1;
        assert!(*times <= scans * facts.max_count, "{what}: {} {times} times", facts.name);
    }
}
