//! How many packets may leave now: to one device, into one subnet, from this process.
//!
//! The ledger counts what the kernel really puts on the wire. A connection is four packets (SYN,
//! acknowledgement of the handshake, FIN, acknowledgement of the other FIN), a question two
//! (itself and the acknowledgement of its answer). The kernel acknowledges a handshake by itself,
//! so that packet counts from the SYN on; the two that end a connection count while it is open.
//! A datagram is one packet, and nothing else leaves on its account.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::device::Device;
use super::host_lock::{HostHold, HostLocks};
use super::meter::{Full, Meter};
use super::policy::Limits;
use super::sabotage::Saboteur;
use crate::targets::subnet_of;

/// What all scans of one process share: packets on the wire and connection slots.
///
/// One device bears one guest and a plant bears one process, however many scanners that process
/// makes. So real scans share [`Wire::of_this_process`], the one global of the crate; simulated
/// plants have a wire each.
#[derive(Debug, Default)]
pub struct Wire {
    books: Mutex<Books>,
    changed: Notify,
    /// Only real devices are shared with other processes.
    host: Option<HostLocks>,
}

#[derive(Debug, Default)]
struct Books {
    process: Meter,
    visitors: usize,
    subnets: HashMap<IpNet, Subnet>,
    devices: HashMap<Device, Guest>,
    swept: Option<Instant>,
}

#[derive(Debug, Default)]
struct Subnet {
    packets: Meter,
    new_addresses: Meter,
    unresolved: usize,
    visitors: usize,
}

#[derive(Debug, Default)]
struct Guest {
    packets: Meter,
    connected: bool,
    visited: bool,
    last_attempt: Option<Instant>,
}

/// What is to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cargo {
    /// A connection attempt; the number is how many SYNs its timeout allows.
    Connection {
        /// SYNs the kernel sends before the timeout.
        syns: usize,
    },
    /// A question on an open connection.
    Question,
    /// The same, if its answer comes in pieces.
    LongQuestion,
    /// The first datagram of a conversation: its address may have to be resolved.
    FirstDatagram,
    /// A datagram to somebody who has answered one.
    Datagram,
    /// A datagram once more: if nobody lives there, its address is looked for once more too.
    Repetition,
}

impl Cargo {
    /// How many packets leave on its account, those that end it left out.
    pub(super) fn packets(self) -> usize {
        match self {
            Self::Connection { syns } => syns + 1,
            Self::Question => QUESTION,
            Self::LongQuestion => QUESTION + PIECES,
            Self::FirstDatagram | Self::Datagram | Self::Repetition => DATAGRAM,
        }
    }

    /// How many of them are for pieces that may not come.
    pub(super) fn spare(self) -> usize {
        if self == Self::LongQuestion { PIECES } else { 0 }
    }

    /// Whether it begins a conversation, of which a device has one at a time.
    fn begins(self) -> bool {
        matches!(self, Self::Connection { .. } | Self::FirstDatagram)
    }

    /// Packets that will end what it begins.
    fn ending(self) -> usize {
        if matches!(self, Self::Connection { .. }) { CLOSING } else { 0 }
    }
}

/// Packets that a question takes: itself and the acknowledgement of its answer.
pub(super) const QUESTION: usize = 2;

/// Further acknowledgements that an answer in pieces takes: one for two of them.
pub(super) const PIECES: usize = 2;

/// Packets that a question in a datagram takes: itself.
pub(super) const DATAGRAM: usize = 1;

/// Packets that closing a connection takes: our FIN and the acknowledgement of theirs.
pub(super) const CLOSING: usize = 2;

impl Wire {
    /// The wire that every real scan of this process shares.
    #[must_use]
    pub fn of_this_process() -> Arc<Self> {
        static WIRE: LazyLock<Arc<Wire>> = LazyLock::new(|| {
            Arc::new(Wire { host: Some(HostLocks::of_this_host()), ..Wire::default() })
        });
        Arc::clone(&WIRE)
    }

    /// A wire of its own, for a simulated plant.
    #[must_use]
    pub fn isolated() -> Arc<Self> {
        Arc::default()
    }

    /// Packets counted in the window that ends now, to every device together.
    #[must_use]
    pub fn load(&self) -> usize {
        self.books().process.load(Instant::now())
    }

    /// Wait until `device` may be visited: nobody else is there and its subnet has room.
    pub(super) async fn enter(&self, device: Device, limits: &Limits) {
        self.wait(|books, _| {
            let subnet = books.subnets.entry(subnet_of(device.address())).or_default();
            let guest = books.devices.entry(device).or_default();
            let full = guest.visited
                || subnet.visitors >= size(limits.subnet_devices)
                || books.visitors >= size(limits.parallel_devices);
            if full {
                return Err(Full::UntilReleased);
            }
            guest.visited = true;
            subnet.visitors += 1;
            books.visitors += 1;
            Ok(())
        })
        .await;
    }

    /// The visit is over.
    pub(super) fn leave(&self, device: Device) {
        let mut books = self.books();
        if let Some(guest) = books.devices.get_mut(&device) {
            guest.visited = false;
        }
        if let Some(subnet) = books.subnets.get_mut(&subnet_of(device.address())) {
            subnet.visitors = subnet.visitors.saturating_sub(1);
        }
        books.visitors = books.visitors.saturating_sub(1);
        books.sweep(Instant::now());
        drop(books);
        self.changed.notify_waiters();
    }

    /// Wait until no other process of this host is connected to `device`.
    pub(super) async fn hold(
        &self,
        device: Device,
        limits: &Limits,
    ) -> std::io::Result<Option<HostHold>> {
        let gap = Duration::from_millis(limits.connection_gap_ms.into());
        match &self.host {
            Some(locks) => locks.hold(device, gap).await.map(Some),
            None => Ok(None),
        }
    }

    /// Wait until `cargo` may leave to `device`, and promise its packets.
    pub(super) async fn reserve(&self, device: Device, cargo: Cargo, limits: &Limits) {
        if Saboteur::Pace.is_at_work() {
            return;
        }
        self.wait(|books, now| books.try_reserve(device, cargo, limits, now)).await;
    }

    /// One packet left now.
    pub(super) fn stamp(&self, device: Device) {
        self.each_meter(device, Meter::stamp);
    }

    /// A packet left that was not promised: one more acknowledgement for a talkative device.
    ///
    /// Returns how many packets its window holds now.
    pub(super) fn stamp_unpromised(&self, device: Device) -> usize {
        self.each_meter(device, Meter::stamp_unpromised);
        let mut books = self.books();
        let now = Instant::now();
        books.devices.get_mut(&device).map_or(0, |guest| guest.packets.load(now))
    }

    /// The SYN that left at `left` was not answered in time.
    pub(super) fn unanswered(&self, device: Device, left: Instant) {
        self.each_meter(device, |meter, _| meter.unanswered(left));
    }

    /// `count` promised packets will not leave.
    pub(super) fn release(&self, device: Device, count: usize) {
        for _ in 0..count {
            self.each_meter(device, |meter, _| meter.release());
        }
    }

    /// A connection is open: what will end it counts in the process now.
    pub(super) fn opened(&self) {
        self.books().process.opened(CLOSING);
    }

    /// A connection did not come about, so nothing will end it.
    pub(super) fn never_opened(&self, device: Device) {
        let mut books = self.books();
        if let Some(subnet) = books.subnets.get_mut(&subnet_of(device.address())) {
            subnet.packets.never_opened(CLOSING);
        }
        if let Some(guest) = books.devices.get_mut(&device) {
            guest.packets.never_opened(CLOSING);
        }
    }

    /// Wait until the packets that end the connection to `device` may leave, and promise them.
    pub(super) async fn room_to_close(&self, device: Device, limits: &Limits) {
        self.wait(|books, now| books.room_to_close(device, limits, now)).await;
    }

    /// The connection is kept as it is until the run is over. Until then its end takes up no room:
    /// a few devices that went dark would keep a narrow subnet shut, and the run from being over.
    pub(super) fn parked(&self, device: Device) {
        self.each_meter(device, |meter, _| meter.never_opened(CLOSING));
    }

    /// The run is over, and what was parked is closed next.
    pub(super) fn unparked(&self, device: Device) {
        self.each_meter(device, |meter, _| meter.opened(CLOSING));
    }

    /// The connection was closed: in good order, with its packets promised, or in a hurry.
    pub(super) fn closed(&self, device: Device, promised: bool) {
        self.each_meter(device, |meter, now| match promised {
            true => (0..CLOSING).for_each(|_| meter.stamp(now)),
            false => meter.closed(CLOSING, now),
        });
    }

    /// The address answered, or its time is up: no resolution is pending any more.
    pub(super) fn resolved(&self, device: Device) {
        if let Some(subnet) = self.books().subnets.get_mut(&subnet_of(device.address())) {
            subnet.unresolved = subnet.unresolved.saturating_sub(1);
        }
        self.changed.notify_waiters();
    }

    /// The connection is closed.
    pub(super) fn disconnected(&self, device: Device) {
        if let Some(guest) = self.books().devices.get_mut(&device) {
            guest.connected = false;
        }
        self.changed.notify_waiters();
    }

    fn each_meter(&self, device: Device, mut change: impl FnMut(&mut Meter, Instant)) {
        let now = Instant::now();
        let mut books = self.books();
        change(&mut books.process, now);
        if let Some(subnet) = books.subnets.get_mut(&subnet_of(device.address())) {
            change(&mut subnet.packets, now);
        }
        if let Some(guest) = books.devices.get_mut(&device) {
            change(&mut guest.packets, now);
        }
        drop(books);
        self.changed.notify_waiters();
    }

    async fn wait(&self, mut attempt: impl FnMut(&mut Books, Instant) -> Result<(), Full>) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let full = match attempt(&mut self.books(), Instant::now()) {
                Ok(()) => return,
                Err(full) => full,
            };
            match full {
                Full::Until(at) => tokio::time::sleep_until(at).await,
                Full::UntilReleased => changed.await,
            }
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn try_reserve(
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
            guest.may_connect(limits, now)?;
            subnet.may_resolve(device.address(), limits, now)?;
        }
        if cargo == Cargo::Repetition {
            subnet.may_resolve_again(device.address(), limits, now)?;
        }
        let room = match cargo {
            Cargo::Connection { .. } => Meter::room_for_connection,
            _ => Meter::room,
        };
        // Few connections share a device or a subnet, so the end of each is counted from its
        // beginning. In the process it is counted once the connection is open, or a sweep of
        // addresses at which nobody lives would be twice as long for nothing.
        let ending = cargo.ending();
        room(&mut guest.packets, packets + ending, size(limits.device_packets_per_s), now)?;
        room(&mut subnet.packets, packets + ending, size(limits.subnet_packets_per_s), now)?;
        room(&mut self.process, packets, size(limits.process_packets_per_s), now)?;

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
        if cargo.begins() || cargo == Cargo::Repetition {
            subnet.new_addresses.stamp_unpromised(now);
        }
        Ok(())
    }

    fn room_to_close(&mut self, device: Device, limits: &Limits, now: Instant) -> Result<(), Full> {
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
    fn sweep(&mut self, now: Instant) {
        const EVERY: Duration = Duration::from_secs(1);
        const REMEMBER: Duration = Duration::from_secs(60);
        if self.swept.is_some_and(|at| now < at + EVERY) {
            return;
        }
        self.swept = Some(now);
        self.devices.retain(|_, guest| {
            let recent = guest.last_attempt.is_some_and(|at| now < at + REMEMBER);
            guest.connected || guest.visited || recent || !guest.packets.is_idle(now)
        });
        self.subnets.retain(|_, subnet| {
            let busy = subnet.visitors > 0 || subnet.unresolved > 0;
            busy || !subnet.packets.is_idle(now) || !subnet.new_addresses.is_idle(now)
        });
    }
}

impl Guest {
    fn may_connect(&self, limits: &Limits, now: Instant) -> Result<(), Full> {
        if self.connected {
            return Err(Full::UntilReleased);
        }
        let gap = Duration::from_millis(limits.connection_gap_ms.into());
        match self.last_attempt.map(|at| at + gap) {
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

fn size(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
