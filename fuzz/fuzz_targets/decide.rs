//! Whatever a policy says: nobody outside of it is asked, what it explains is what it decides, and it
//! is the same policy when it is written and read again.
//!
//! The first bytes are an address, a port and a protocol.
#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use otcore::Policy;
use otcore::gate::policy::{KNOWN, Subject};

fuzz_target!(|input: (u32, u16, u8, &str)| {
    let (address, port, protocol, text) = input;
    let Ok(policy) = Policy::from_toml(text).or_else(|_| Policy::from_json(text)) else { return };
    let again = Policy::from_toml(&policy.to_toml().expect("a policy that was read"));
    assert_eq!(again.as_ref(), Ok(&policy));
    let again = Policy::from_json(&policy.to_json().expect("a policy that was read"));
    assert_eq!(again.as_ref(), Ok(&policy));

    let (zone, protocol) = ("default", KNOWN[usize::from(protocol) % KNOWN.len()].name);
    let address = IpAddr::from(address.to_be_bytes());
    let subject = Subject { zone, address, protocol, port, vendor: None, model: None };
    let decision = policy.decide(&subject);
    let within = policy.monitored().any(|net| net.contains(&address));
    let excluded = policy.exclude.iter().any(|net| net.contains(&address));
    assert!(!decision.permitted || (within && !excluded), "{address} is out of scope");
    assert!(!decision.permitted || !policy.is_never_port(port), "port {port} is forbidden");
    assert!(!decision.because.is_empty(), "nobody can see why");
    assert_eq!(policy.explain(&subject).decision, decision);
    let most = policy.upper_bound(zone, address, protocol, port);
    assert!(!decision.permitted || most.permitted);
    assert!(!decision.permitted || decision.level <= most.level);
});
