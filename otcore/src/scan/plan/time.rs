//! How long a plan takes at most.

use super::{Conversation, Stop};
use crate::gate::policy::{Limits, Policy};
use crate::model::Transport;
use crate::protocols::{self, Bounds};

/// Seconds, if every device takes all of its time, and everything of the plan waits for its turn
/// besides.
pub(super) fn longest(policy: &Policy, stops: &[Stop], bounds: &Bounds) -> u64 {
    let limits = &policy.limits;
    let count = |sum: u128, stop: &Stop| sum.saturating_add(stop.range.count());
    let devices = stops.iter().fold(0_u128, count);
    let at_once = limits.parallel_devices.min(limits.subnet_devices);
    let rounds = rounds(devices, at_once);
    // The last question of a device may begin when its time is nearly up, and then the goodbye.
    let goodbye_ms = limits.drain_ms.saturating_add(limits.close_wait_ms);
    let stay = bounds.seconds.saturating_add(u64::from(goodbye_ms.div_ceil(1_000)) + 1);
    let by_time = rounds.saturating_mul(stay).max(if_nobody_lives_there(limits, stops, devices));
    let rate = limits.process_packets_per_s.min(limits.subnet_packets_per_s);
    let by_pace = at_rate(bounds.packets, rate);
    let by_new = at_rate(bounds.connections, limits.subnet_new_addresses_per_s);
    by_time.saturating_add(by_pace).saturating_add(by_new)
}

/// Addresses at which nobody lives take less time, but fewer of them may be looked for at once, and
/// each waits with its turn in hand.
fn if_nobody_lives_there(limits: &Limits, stops: &[Stop], devices: u128) -> u64 {
    let ms = |stop: &Stop| stop.conversations.iter().map(|what| looking_ms(limits, what)).sum();
    let longest_ms: u64 = stops.iter().map(ms).max().unwrap_or(0);
    let at_once = limits.parallel_devices.min(limits.subnet_devices);
    let turns = rounds(devices, limits.subnet_unresolved).saturating_add(rounds(devices, at_once));
    turns.saturating_mul(longest_ms).div_ceil(1_000)
}

/// How long an address may be looked for in one conversation: until its connection times out, and until
/// the last datagram is given up.
fn looking_ms(limits: &Limits, what: &Conversation) -> u64 {
    let probe = protocols::by_name(what.protocol);
    let by_datagrams = probe.filter(|probe| probe.carriers().contains(&Transport::Udp));
    let connect = if what.bounds.connections > 0 { limits.connect_timeout_ms } else { 0 };
    u64::from(connect) + by_datagrams.map_or(0, |probe| probe.looking_ms(limits))
}

fn rounds(devices: u128, at_once: u32) -> u64 {
    u64::try_from(devices.div_ceil(u128::from(at_once.max(1)))).unwrap_or(u64::MAX)
}

/// Seconds for this many at `rate`, with the quarter that a window is longer than its second.
fn at_rate(count: u64, rate: u32) -> u64 {
    (count.saturating_mul(5) / (u64::from(rate.max(1)) * 4)).saturating_add(1)
}
