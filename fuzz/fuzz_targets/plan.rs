//! A plan stays within its policy, whatever the policy and the targets are: addresses, ports, levels
//! and consents; and it is for no more than was asked for.
//!
//! The input is targets, and behind the first line end a policy.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::gate::policy::Subject;
use otcore::{Policy, Scanner, Targets};

fuzz_target!(|text: &str| {
    let (targets, policy) = text.split_once('\n').unwrap_or((text, ""));
    if targets.contains('@') {
        return; // `@path` would read a file
    }
    let (Ok(targets), Ok(policy)) = (targets.parse::<Targets>(), Policy::from_toml(policy)) else {
        return;
    };
    let Ok(scanner) = Scanner::builder().policy(policy.clone()).build() else { return };
    let Ok(plan) = scanner.plan(&targets) else { return };
    assert_eq!(plan.scope().subtract(&targets.addresses()).count(), 0, "nobody asked for that");
    let mut packets: u64 = 0;
    for stop in &plan.stops {
        for address in [stop.range.first(), stop.range.last()] {
            assert!(policy.scope(address).is_monitored(), "{address} is out of scope");
            for conversation in &stop.conversations {
                let (protocol, port) = (conversation.protocol, conversation.port);
                let subject = Subject {
                    zone: plan.zone.as_str(),
                    address,
                    protocol,
                    port,
                    vendor: None,
                    model: None,
                };
                let most = policy.upper_bound(subject.zone, address, protocol, port);
                assert!(most.permitted && conversation.level <= most.level, "{subject:?}");
                assert!(conversation.consents.is_subset(&most.consents), "{subject:?}");
                assert!(!policy.is_never_port(port), "port {port} is forbidden");
            }
        }
        let devices = u64::try_from(stop.range.count()).unwrap_or(u64::MAX);
        packets = packets.saturating_add(stop.per_device.packets.saturating_mul(devices));
    }
    assert!(plan.bounds.packets >= packets, "more packets than the whole may cost");
    assert!(!plan.to_string().is_empty());
});
