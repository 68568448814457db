//! Which address is next: fair over subnets, lazy over ranges.

use std::collections::VecDeque;
use std::net::IpAddr;

use ipnet::IpNet;
use rustc_hash::FxHashMap;

use super::plan::Plan;
use crate::targets::{AddressRange, subnet_of};

/// How many subnets are worked on at once. Enough to fill the pace of the whole process, few enough
/// to need no memory to speak of.
const OPEN: usize = 512;

/// Hands out addresses, one subnet after the other in turn.
pub(super) struct Lanes {
    pending: Box<dyn Iterator<Item = (usize, AddressRange)> + Send + Sync>,
    open: VecDeque<Lane>,
    /// Devices under way, per subnet.
    busy: FxHashMap<IpNet, usize>,
    per_subnet: usize,
}

struct Lane {
    subnet: IpNet,
    stop: usize,
    addresses: Box<dyn Iterator<Item = IpAddr> + Send + Sync>,
}

impl Lanes {
    pub(super) fn new(plan: &Plan, per_subnet: usize) -> Self {
        let ranges: Vec<(usize, AddressRange)> =
            plan.stops.iter().enumerate().map(|(i, stop)| (i, stop.range)).collect();
        let pending = ranges
            .into_iter()
            .flat_map(|(stop, range)| range.subnets().map(move |piece| (stop, piece)));
        Self {
            pending: Box::new(pending),
            open: VecDeque::new(),
            busy: FxHashMap::default(),
            per_subnet,
        }
    }

    /// The next address and its stop in the plan; `None` if all are out or every open subnet has
    /// as many devices under way as it may.
    pub(super) fn next(&mut self) -> Option<(usize, IpAddr)> {
        self.open_more();
        for _ in 0..self.open.len() {
            let mut lane = self.open.pop_front()?;
            let busy = self.busy.entry(lane.subnet).or_default();
            if *busy >= self.per_subnet {
                self.open.push_back(lane);
                continue;
            }
            if let Some(address) = lane.addresses.next() {
                *busy += 1;
                let stop = lane.stop;
                self.open.push_back(lane);
                return Some((stop, address));
            }
            if *busy == 0 {
                self.busy.remove(&lane.subnet);
            }
            self.open_more();
        }
        None
    }

    /// A device has been dealt with.
    pub(super) fn done(&mut self, address: IpAddr) {
        let subnet = subnet_of(address);
        if let Some(busy) = self.busy.get_mut(&subnet) {
            *busy = busy.saturating_sub(1);
            if *busy == 0 {
                self.busy.remove(&subnet);
            }
        }
    }

    fn open_more(&mut self) {
        while self.open.len() < OPEN {
            let Some((stop, range)) = self.pending.next() else { return };
            let subnet = subnet_of(range.first());
            let addresses = Box::new(range.iter());
            self.open.push_back(Lane { subnet, stop, addresses });
        }
    }
}
