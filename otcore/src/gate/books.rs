//! The ledger: what leaves, has left, and may leave, of each device, each subnet and the process.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use rustc_hash::FxHashMap;
use tokio::time::Instant;

use super::cargo::{CLOSING, Cargo};
use super::device::Device;
use super::meter::{Full, Meter};
use super::policy::Limits;
use crate::targets::subnet_of;

#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) process: Meter,
    pub(super) visitors: usize,
    pub(super) subnets: FxHashMap<IpNet, Subnet>,
    pub(super) devices: FxHashMap<Device, Guest>,
    swept: Option<Instant>,
    /// The longest rest between two conversations with a device that any policy has asked for.
    longest_gap: Duration,
    /// Packets that open conversations wait for.
    pub(super) going_on: usize,
}

#[derive(Debug, Default)]
pub(super) struct Subnet {
    pub(super) packets: Meter,
    new_addresses: Meter,
    pub(super) unresolved: usize,
    pub(super) visitors: usize,
    /// Packets that open conversations wait for.
    pub(super) going_on: usize,
}

#[derive(Debug, Default)]
pub(super) struct Guest {
    pub(super) packets: Meter,
    pub(super) connected: bool,
    pub(super) visited: bool,
    last_attempt: Option<Instant>,
}

impl Books {
    pub(super) fn goes_on(&mut self, device: Device, change: impl Fn(&mut usize)) {
        change(&mut self.going_on);
        if let Some(subnet) = self.subnets.get_mut(&subnet_of(device.address())) {
            change(&mut subnet.going_on);
        }
    }

    /// Whether there is room for `cargo` at its device and in its subnet.
    pub(super) fn rooms(
        &mut self,
        device: Device,
        cargo: Cargo,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), Full> {
        let packets = cargo.packets();
        let subnet = self.subnets.entry(subnet_of(device.address())).or_default();
        let guest = self.devices.entry(device).or_default();
        if cargo.begins() {
            self.longest_gap = self.longest_gap.max(cargo.rest(limits));
            guest.may_connect(cargo.rest(limits), now)?;
            subnet.may_resolve(device.address(), limits, now)?;
        }
        if cargo == Cargo::Repetition {
            subnet.may_resolve_again(device.address(), limits, now)?;
        }
        let room = room_for(cargo);
        // Few connections share a device or a subnet, so the end of each is counted from its
        // beginning. In the process it is counted once the connection is open, or a sweep of
        // addresses at which nobody lives would be twice as long for nothing.
        let ending = cargo.ending();
        room(&mut guest.packets, packets + ending, size(limits.device_packets_per_s), now)?;
        let in_subnet = packets + ending + cargo.lets_pass(subnet.going_on);
        room(&mut subnet.packets, in_subnet, size(limits.subnet_packets_per_s), now)
    }

    pub(super) fn process_room(
        &mut self,
        cargo: Cargo,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), Full> {
        let limit = size(limits.process_packets_per_s);
        let packets = cargo.packets() + cargo.lets_pass(self.going_on);
        room_for(cargo)(&mut self.process, packets, limit, now)
    }

    pub(super) fn promise(&mut self, device: Device, cargo: Cargo, now: Instant) {
        let (packets, ending) = (cargo.packets(), cargo.ending());
        let subnet = self.subnets.entry(subnet_of(device.address())).or_default();
        let guest = self.devices.entry(device).or_default();
        guest.packets.promise(packets);
        subnet.packets.promise(packets);
        self.process.promise(packets);
        if cargo.begins() {
            guest.connected = true;
            guest.last_attempt = Some(now);
            guest.packets.opened(ending);
            subnet.packets.opened(ending);
            subnet.unresolved += 1;
        }
        // On loopback nothing is resolved, and nobody would ask for room and forget what is old.
        let resolves = cargo.begins() || cargo == Cargo::Repetition;
        if resolves && !device.address().is_loopback() {
            subnet.new_addresses.stamp_unpromised(now);
        }
    }

    pub(super) fn room_to_close(
        &mut self,
        device: Device,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), Full> {
        let mut guest = self.devices.get_mut(&device).map(|guest| &mut guest.packets);
        let subnet = self.subnets.get_mut(&subnet_of(device.address()));
        let mut subnet = subnet.map(|subnet| &mut subnet.packets);
        if let Some(guest) = &mut guest {
            guest.room_to_close(CLOSING, size(limits.device_packets_per_s), now)?;
        }
        if let Some(subnet) = &mut subnet {
            subnet.room_to_close(CLOSING, size(limits.subnet_packets_per_s), now)?;
        }
        self.process.room_to_close(CLOSING, size(limits.process_packets_per_s), now)?;
        for meter in [guest, subnet, Some(&mut self.process)].into_iter().flatten() {
            meter.closes(CLOSING);
        }
        Ok(())
    }

    /// Memory is bounded by what is in flight: forget whoever has been quiet for a while.
    pub(super) fn sweep(&mut self, now: Instant) {
        const EVERY: Duration = Duration::from_secs(1);
        const REMEMBER: Duration = Duration::from_secs(10);
        if self.swept.is_some_and(|at| now < at + EVERY) {
            return;
        }
        self.swept = Some(now);
        let remember = self.longest_gap.max(REMEMBER);
        self.devices.retain(|_, guest| {
            let recent = guest.last_attempt.is_some_and(|at| now < at + remember);
            !guest.packets.is_idle(now) || guest.connected || guest.visited || recent
        });
        self.subnets.retain(|_, subnet| {
            let busy = subnet.visitors > 0 || subnet.unresolved > 0;
            busy || !subnet.packets.is_idle(now) || !subnet.new_addresses.is_idle(now)
        });
    }
}

impl Guest {
    fn may_connect(&self, rest: Duration, now: Instant) -> Result<(), Full> {
        if self.connected {
            return Err(Full::UntilReleased);
        }
        match self.last_attempt.map(|at| at + rest) {
            Some(next) if next > now => Err(Full::Until(next)),
            _ => Ok(()),
        }
    }
}

impl Subnet {
    fn may_resolve(&mut self, address: IpAddr, limits: &Limits, now: Instant) -> Result<(), Full> {
        if address.is_loopback() {
            return Ok(()); // nothing is resolved on loopback
        }
        if self.unresolved >= size(limits.subnet_unresolved) {
            return Err(Full::UntilReleased);
        }
        self.may_resolve_again(address, limits, now)
    }

    /// The same for an address that is being looked for already.
    fn may_resolve_again(
        &mut self,
        address: IpAddr,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), Full> {
        match address.is_loopback() {
            true => Ok(()),
            false => self.new_addresses.room(1, size(limits.subnet_new_addresses_per_s), now),
        }
    }
}

fn room_for(cargo: Cargo) -> fn(&mut Meter, usize, usize, Instant) -> Result<(), Full> {
    match cargo {
        Cargo::Connection { .. } => Meter::room_for_connection,
        _ => Meter::room,
    }
}

pub(super) fn size(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_resolved_are_counted_and_those_of_loopback_are_not() {
        for (address, counted) in [("10.1.0.1:502", 2), ("127.0.0.1:502", 0)] {
            let (mut books, now) = (Books::default(), Instant::now());
            let device = Device::at(address.parse().unwrap());
            for cargo in [Cargo::FirstDatagram, Cargo::Repetition] {
                books.promise(device, cargo, now);
            }
            let subnet = books.subnets.values_mut().next().unwrap();
            assert_eq!(subnet.new_addresses.load(now), counted, "{address}");
        }
    }
}
