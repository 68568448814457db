//! Checks every limit of a policy in every second, packet by packet, with no more memory than a second takes.
//!
//! Written without the engine's own meter: it knows only what left, when, and to whom.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use otcore::gate::policy::Limits;

use super::network::{Kind, Packet};

const SECOND: Duration = Duration::from_secs(1);
/// This many broken limits are told; more say nothing new.
const TOLD: usize = 20;

/// Watches packets as they leave, in the order they leave.
#[derive(Debug)]
pub(crate) struct Watch {
    limits: Limits,
    process: Window,
    subnets: HashMap<IpNet, Subnet>,
    devices: HashMap<IpAddr, Seen>,
    /// Addresses with an attempt or a connection.
    open: usize,
    pruned: Duration,
    busiest: Busiest,
    broken: Vec<String>,
}

/// The most of each kind that any second held, or any moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Busiest {
    pub(crate) process: usize,
    pub(crate) subnet: usize,
    pub(crate) device: usize,
    pub(crate) new_addresses: usize,
    pub(crate) unresolved: usize,
    pub(crate) subnet_devices: usize,
    pub(crate) devices: usize,
    pub(crate) connections: usize,
}

/// Why a packet left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The engine let it, and answers for it everywhere.
    Ours,
    /// It acknowledges one of several pieces of an answer: whoever answers in pieces decides how
    /// many it gets.
    Piece,
    /// It ends a connection that was dropped: in the process it waits for nothing, and if its device
    /// went dark, nor in the subnet.
    Hurry,
}

/// What left within the last second, those packets told apart that the limit does not cover.
#[derive(Debug, Default)]
struct Window {
    packets: VecDeque<(Duration, bool)>,
    unasked: usize,
}

#[derive(Debug, Default)]
struct Subnet {
    packets: Window,
    new_addresses: Window,
    unresolved: usize,
    open: usize,
}

#[derive(Debug, Default)]
struct Seen {
    packets: Window,
    last_attempt: Option<Duration>,
    connections: usize,
    /// It went dark: its connection is kept until the run is over, but nobody is with it any more.
    left: bool,
}

impl Window {
    /// One more packet; how many the last second holds now that are ours to answer for.
    fn push(&mut self, at: Duration, unasked: bool) -> usize {
        self.forget(at);
        self.packets.push_back((at, unasked));
        self.unasked += usize::from(unasked);
        self.packets.len() - self.unasked
    }

    fn forget(&mut self, now: Duration) {
        while let Some((_, unasked)) = self.packets.front().filter(|(at, _)| *at + SECOND <= now) {
            self.unasked -= usize::from(*unasked);
            self.packets.pop_front();
        }
    }

    fn is_empty(&mut self, now: Duration) -> bool {
        self.forget(now);
        self.packets.is_empty()
    }
}

/// The subnet that limits are counted for, by the words of the policy: /24 or /64.
fn subnet_of(address: IpAddr) -> IpNet {
    let prefix = if address.is_ipv4() { 24 } else { 64 };
    IpNet::new_assert(address, prefix).trunc()
}

impl Watch {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            process: Window::default(),
            subnets: HashMap::new(),
            devices: HashMap::new(),
            open: 0,
            pruned: Duration::ZERO,
            busiest: Busiest::default(),
            broken: Vec::new(),
        }
    }

    /// A packet left.
    pub(crate) fn packet(&mut self, at: Duration, to: IpAddr, why: Why) {
        let limits = &self.limits;
        let unasked = why == Why::Piece;
        let process = self.process.push(at, why != Why::Ours);
        let seen = self.devices.entry(to).or_default();
        let goodbye = why == Why::Hurry && seen.left;
        let subnet = &mut self.subnets.entry(subnet_of(to)).or_default().packets;
        let subnet = subnet.push(at, unasked || goodbye);
        let seen = &mut seen.packets;
        let device = seen.push(at, unasked);
        // One piece more than the limit is how the engine learns that it must leave.
        let in_pieces = seen.packets.len().saturating_sub(seen.unasked.min(1));
        let counted = [
            (process, limits.process_packets_per_s, "packets of the process"),
            (subnet, limits.subnet_packets_per_s, "packets into its subnet"),
            (device, limits.device_packets_per_s, "packets to it"),
            (in_pieces, limits.device_packets_per_s, "packets to it, pieces acknowledged"),
        ];
        most(&mut self.busiest.process, process);
        most(&mut self.busiest.subnet, subnet);
        most(&mut self.busiest.device, device);
        for (count, limit, what) in counted {
            self.check(at, to, (count, limit), what);
        }
        self.prune(at);
    }

    /// A SYN left; call [`Watch::packet`] as well.
    pub(crate) fn syn(&mut self, at: Duration, to: IpAddr) {
        self.new_address(at, to);
        let seen = self.devices.entry(to).or_default();
        let gap = Duration::from_millis(self.limits.connection_gap_ms.into());
        let last = seen.last_attempt.replace(at);
        if let Some(last) = last.filter(|last| at - *last < gap) {
            self.tell(format!("{to}: attempts at {last:?} and {at:?}, less than {gap:?} apart"));
        }
    }

    /// An address is looked for, because of a SYN or of a datagram that nothing came back to yet.
    pub(crate) fn new_address(&mut self, at: Duration, to: IpAddr) {
        let fresh = self.subnets.entry(subnet_of(to)).or_default().new_addresses.push(at, false);
        most(&mut self.busiest.new_addresses, fresh);
        self.check(at, to, (fresh, self.limits.subnet_new_addresses_per_s), "new addresses");
    }

    /// An attempt begins or ends: until it ends the address may still be looked for.
    pub(crate) fn resolving(&mut self, at: Duration, to: IpAddr, begins: bool) {
        let count = &mut self.subnets.entry(subnet_of(to)).or_default().unresolved;
        step(count, begins);
        let count = *count;
        most(&mut self.busiest.unresolved, count);
        self.check(at, to, (count, self.limits.subnet_unresolved), "unresolved addresses");
    }

    /// A connection, its attempt included, begins or ends.
    pub(crate) fn connection(&mut self, at: Duration, to: IpAddr, begins: bool) {
        let seen = self.devices.entry(to).or_default();
        step(&mut seen.connections, begins);
        let connections = seen.connections;
        let first = begins && connections == 1;
        let last = !begins && connections == 0 && !std::mem::take(&mut seen.left);
        most(&mut self.busiest.connections, connections);
        self.check(at, to, (connections, 1), "connections at once");
        if first || last {
            self.guest(at, to, first);
        }
    }

    /// The engine says that this device went dark.
    pub(crate) fn went_dark(&mut self, at: Duration, to: IpAddr) {
        let seen = self.devices.entry(to).or_default();
        if seen.connections > 0 && !std::mem::replace(&mut seen.left, true) {
            self.guest(at, to, false);
        }
    }

    fn guest(&mut self, at: Duration, to: IpAddr, arrives: bool) {
        let here = &mut self.subnets.entry(subnet_of(to)).or_default().open;
        step(here, arrives);
        step(&mut self.open, arrives);
        let (here, all) = (*here, self.open);
        most(&mut self.busiest.subnet_devices, here);
        most(&mut self.busiest.devices, all);
        self.check(at, to, (here, self.limits.subnet_devices), "devices of its subnet at once");
        self.check(at, to, (all, self.limits.parallel_devices), "devices at once");
    }

    /// Everything that was more than the policy allows, in words. Empty is what it should be.
    pub(crate) fn broken(&self) -> &[String] {
        &self.broken
    }

    pub(crate) fn busiest(&self) -> Busiest {
        self.busiest
    }

    /// How many subnets and devices are remembered now.
    pub(crate) fn remembered(&self) -> usize {
        self.subnets.len() + self.devices.len()
    }

    fn check(&mut self, at: Duration, to: IpAddr, count: (usize, u32), what: &str) {
        let (count, limit) = count;
        if count > limit as usize {
            self.tell(format!("{to} at {at:?}: {count} {what}, allowed are {limit}"));
        }
    }

    fn tell(&mut self, what: String) {
        if self.broken.len() < TOLD {
            self.broken.push(what);
        }
    }

    /// Forget whoever can break no limit any more.
    fn prune(&mut self, now: Duration) {
        if now < self.pruned + 10 * SECOND {
            return;
        }
        self.pruned = now;
        let gap = Duration::from_millis(self.limits.connection_gap_ms.into());
        self.devices.retain(|_, seen| {
            let recent = seen.last_attempt.is_some_and(|at| now < at + gap);
            recent || seen.connections > 0 || !seen.packets.is_empty(now)
        });
        self.subnets.retain(|_, subnet| {
            let empty = subnet.packets.is_empty(now) && subnet.new_addresses.is_empty(now);
            !empty || subnet.unresolved + subnet.open > 0
        });
    }
}

fn step(count: &mut usize, up: bool) {
    *count = if up { *count + 1 } else { *count - 1 };
}

fn most(most: &mut usize, count: usize) {
    *most = (*most).max(count);
}

/// No second of the capture holds more packets, or attempts, than the policy allows.
pub(crate) fn within_limits(capture: &[Packet], limits: &Limits) {
    let mut watch = Watch::new(limits.clone());
    for packet in capture {
        if packet.what == Kind::Syn {
            watch.syn(packet.at, packet.to.ip());
        }
        watch.packet(packet.at, packet.to.ip(), Why::Ours);
    }
    assert_eq!(watch.broken(), Vec::<String>::new());
}

/// Every address that anything left for.
pub(crate) fn addressed(capture: &[Packet]) -> HashSet<SocketAddr> {
    capture.iter().map(|packet| packet.to).collect()
}

/// The most packets within any second.
pub(crate) fn busiest_second(times: impl IntoIterator<Item = Duration>) -> usize {
    let mut times: Vec<Duration> = times.into_iter().collect();
    times.sort_unstable();
    let mut window = Window::default();
    times.into_iter().map(|at| window.push(at, false)).max().unwrap_or(0)
}
