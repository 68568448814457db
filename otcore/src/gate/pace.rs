//! How many packets may leave now: to one device, into one subnet, from this process.
//!
//! The ledger counts what the kernel really puts on the wire. A connection is four packets (SYN,
//! acknowledgement of the handshake, FIN, acknowledgement of the other FIN), a question two
//! (itself and the acknowledgement of its answer). The kernel acknowledges a handshake by itself,
//! so that packet counts from the SYN on; the two that end a connection count while it is open.
//! A datagram is one packet, and nothing else leaves on its account.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::books::{Books, size};
use super::cargo::{CLOSING, Cargo};
use super::device::Device;
use super::host_lock::{HostHold, HostLocks};
use super::line::Line;
use super::meter::{Full, Held, Meter};
use super::policy::Limits;
use super::sabotage::Saboteur;
use super::ticks::Ticks;
use crate::targets::subnet_of;

/// What all scans of one process share: packets on the wire and connection slots.
///
/// One device bears one guest and a plant bears one process, however many scanners that process
/// makes. So real scans share [`Wire::of_this_process`], the one global of the crate; simulated
/// plants have a wire each.
#[derive(Debug, Default)]
pub struct Wire {
    books: Mutex<Books>,
    ticks: Ticks,
    changed: Notify,
    /// Only real devices are shared with other processes.
    host: Option<HostLocks>,
}

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

    /// A wire of its own that keeps other processes away by locks in this folder.
    #[cfg(test)]
    pub(super) fn with_locks_in(folder: std::path::PathBuf) -> Arc<Self> {
        Arc::new(Self { host: Some(HostLocks::within(folder)), ..Self::default() })
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
    ///
    /// # Errors
    /// As of [`HostLocks::hold`].
    pub(super) async fn hold(
        &self,
        device: Device,
        limits: &Limits,
    ) -> std::io::Result<Option<HostHold>> {
        match &self.host {
            Some(locks) => {
                let patience = Duration::from_secs(limits.other_process_s.into());
                let gap = Duration::from_millis(limits.connection_gap_ms.into());
                locks.hold(device, gap, patience).await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// Wait until `cargo` may leave to `device`, and promise its packets. Whoever begins a conversation
    /// stands in the `line` of its scan for the pace of the whole process.
    pub(super) async fn reserve(&self, device: Device, cargo: Cargo, limits: &Limits, line: &Line) {
        if Saboteur::Pace.is_at_work() {
            return;
        }
        if cargo.begins() {
            return self.begin(device, cargo, limits, line).await;
        }
        let _turn = Turn::new(self, device, cargo.packets());
        self.wait(|books, now| {
            books.rooms(device, cargo, limits, now)?;
            books.process_room(cargo, limits, now)?;
            books.promise(device, cargo, now);
            Ok(())
        })
        .await;
    }

    /// Who is first in line waits for the process; meanwhile others may have filled its subnet, and then
    /// it makes way.
    async fn begin(&self, device: Device, cargo: Cargo, limits: &Limits, line: &Line) {
        loop {
            self.wait(|books, now| books.rooms(device, cargo, limits, now)).await;
            let _first = line.first().await;
            let begun = self.wait_first(|books, now| {
                if books.rooms(device, cargo, limits, now).is_err() {
                    return Ok(false);
                }
                books.process_room(cargo, limits, now)?;
                books.promise(device, cargo, now);
                Ok(true)
            });
            if begun.await {
                return;
            }
        }
    }

    /// One promised packet leaves now, or as soon as nothing holds it back.
    pub(super) fn stamp(&self, device: Device, held: Held) {
        self.each_meter(device, |meter, now| meter.stamp(held, now));
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

    /// `count` promised packets will not leave.
    pub(super) fn release(&self, device: Device, count: usize) {
        if count > 0 {
            self.each_meter(device, |meter, _| meter.release(count));
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
        // Nothing happened in its subnet for a long time perhaps, and it was forgotten.
        self.books().subnets.entry(subnet_of(device.address())).or_default();
        self.each_meter(device, |meter, _| meter.opened(CLOSING));
    }

    /// The connection was closed: with its packets promised, or in a hurry. Where it was closed on
    /// both sides already, nothing of it will follow.
    pub(super) fn closed(&self, device: Device, promised: bool, by_both: bool) {
        let other = if by_both { Held::Not } else { Held::AsAcknowledgement };
        self.each_meter(device, |meter, now| {
            if promised {
                meter.stamp(Held::Not, now);
                meter.stamp(other, now);
            } else {
                meter.closed(now);
            }
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
            let changed = self.changed.notified(); // of everything that changes from here on
            let Err(full) = attempt(&mut self.books(), Instant::now()) else { return };
            match full {
                Full::Until(at) => sleep_until(self.ticks.not_before(at)).await,
                Full::UntilReleased => changed.await,
            }
        }
    }

    /// The same for the first in line, who takes what others give back as well: a refused connection
    /// leaves room at once.
    async fn wait_first<T>(
        &self,
        mut attempt: impl FnMut(&mut Books, Instant) -> Result<T, Full>,
    ) -> T {
        loop {
            let changed = self.changed.notified();
            let full = match attempt(&mut self.books(), Instant::now()) {
                Ok(done) => return done,
                Err(full) => full,
            };
            match full {
                Full::Until(at) => drop(timeout_at(at, changed).await),
                Full::UntilReleased => changed.await,
            }
            sleep_until(self.ticks.not_before(Instant::now())).await;
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody in an open conversation waits for so many packets.
struct Turn<'a> {
    wire: &'a Wire,
    device: Device,
    packets: usize,
}

impl<'a> Turn<'a> {
    fn new(wire: &'a Wire, device: Device, packets: usize) -> Self {
        wire.books().goes_on(device, |waiting| *waiting += packets);
        Self { wire, device, packets }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let less = |waiting: &mut usize| *waiting = waiting.saturating_sub(self.packets);
        self.wire.books().goes_on(self.device, less);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    impl Wire {
        /// With nobody in line.
        async fn admit(&self, device: Device, cargo: Cargo, limits: &Limits) {
            self.reserve(device, cargo, limits, &Line::default()).await;
        }
    }

    const LONG: Duration = Duration::from_secs(3600);
    const SYN: Cargo = Cargo::Connection { syns: 1 };

    fn device(text: &str) -> Device {
        Device::at(format!("{text}:502").parse().unwrap())
    }

    fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
        let mut limits = Limits::default();
        change(&mut limits);
        limits
    }

    /// How long it takes until it may happen, in milliseconds; `None` if that is more than an hour.
    async fn wait(what: impl Future<Output = ()>) -> Option<u128> {
        let began = Instant::now();
        timeout(LONG, what).await.is_ok().then(|| began.elapsed().as_millis())
    }

    #[test]
    fn everything_is_charged_with_what_the_kernel_sends_for_it() {
        let costs = |cargo: Cargo| (cargo.packets(), cargo.spare(), cargo.ending(), cargo.begins());
        assert_eq!(costs(SYN), (2, 0, 2, true));
        assert_eq!(costs(Cargo::Connection { syns: 3 }), (4, 0, 2, true));
        assert_eq!(costs(Cargo::Question), (2, 0, 0, false));
        assert_eq!(costs(Cargo::LongQuestion), (4, 2, 0, false));
        assert_eq!(costs(Cargo::FirstDatagram), (1, 0, 0, true));
        assert_eq!(costs(Cargo::Call), (1, 0, 0, true));
        assert_eq!(costs(Cargo::Datagram), (1, 0, 0, false));
        assert_eq!(costs(Cargo::Repetition), (1, 0, 0, false));
    }

    #[tokio::test]
    async fn only_a_real_device_is_held_for_this_process() {
        let folder = std::env::temp_dir().join(format!("otcore-wire-{}", std::process::id()));
        let (plc, limits) = (device("10.1.0.1"), Limits::default());
        let held = Wire::with_locks_in(folder.clone()).hold(plc, &limits).await.unwrap();
        assert!(held.is_some() && folder.exists());
        assert!(Wire::isolated().hold(plc, &limits).await.unwrap().is_none());
        drop(held);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn all_real_scans_of_a_process_share_one_wire_and_the_locks_of_the_host() {
        let wire = Wire::of_this_process();
        assert!(Arc::ptr_eq(&wire, &Wire::of_this_process()) && wire.host.is_some());
        let simulated = Wire::isolated();
        assert!(!Arc::ptr_eq(&simulated, &Wire::isolated()) && simulated.host.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_device_a_subnet_and_the_process_have_so_many_visitors_and_no_more() {
        let limits = limits(|l| (l.subnet_devices, l.parallel_devices) = (2, 3));
        let wire = Wire::isolated();
        let here = ["10.1.0.1", "10.1.0.2", "10.1.0.3"].map(device);
        let there = ["10.1.1.1", "10.1.1.2"].map(device);
        assert_eq!(wait(wire.enter(here[0], &limits)).await, Some(0));
        assert_eq!(wait(wire.enter(here[0], &limits)).await, None, "somebody is there");
        assert_eq!(wait(wire.enter(here[1], &limits)).await, Some(0));
        assert_eq!(wait(wire.enter(here[2], &limits)).await, None, "two are in its subnet");
        assert_eq!(wait(wire.enter(there[0], &limits)).await, Some(0));
        assert_eq!(wait(wire.enter(there[1], &limits)).await, None, "three are anywhere");
        wire.leave(here[0]);
        assert_eq!(wait(wire.enter(there[1], &limits)).await, Some(0));
        assert_eq!(wait(wire.enter(here[0], &limits)).await, None);
        wire.leave(there[1]);
        assert_eq!(wait(wire.enter(here[0], &limits)).await, Some(0));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_goes_on_as_soon_as_the_other_is_gone() {
        let limits = limits(|l| l.subnet_devices = 1);
        let wire = Wire::isolated();
        let (one, two) = (device("10.1.0.1"), device("10.1.0.2"));
        wire.enter(one, &limits).await;
        let waits = wait(wire.enter(two, &limits));
        let leaves = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            wire.leave(one);
        };
        assert_eq!(tokio::join!(waits, leaves).0, Some(500));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_goes_on_comes_before_whoever_begins() {
        let moment = Duration::from_millis(100);
        for narrow in
            [limits(|l| l.process_packets_per_s = 8), limits(|l| l.subnet_packets_per_s = 8)]
        {
            let wire = Wire::isolated();
            let [busy, open, new] = ["10.1.0.1", "10.1.0.2", "10.1.0.3"].map(device);
            for _ in 0..4 {
                wire.admit(busy, Cargo::Question, &narrow).await;
            }
            let begins = wait(wire.admit(new, Cargo::FirstDatagram, &narrow));
            let goes_on = wait(wire.admit(open, Cargo::Question, &narrow));
            let leaves = async {
                for _ in 0..3 {
                    tokio::time::sleep(moment).await;
                    wire.release(busy, 1);
                }
            };
            let (begun, gone_on, ()) = tokio::join!(begins, goes_on, leaves);
            assert_eq!((gone_on, begun), (Some(200), Some(300)), "{narrow:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_limit_holds_by_itself_for_what_may_leave() {
        let roomy = |l: &mut Limits| {
            l.device_packets_per_s = 20;
            l.subnet_packets_per_s = 100;
            l.process_packets_per_s = 1_000;
        };
        let one = device("10.1.0.1");
        for (narrow, other) in [
            (limits(|l| (roomy(l), l.device_packets_per_s = 5).0), "10.1.0.1"),
            (limits(|l| (roomy(l), l.subnet_packets_per_s = 5).0), "10.1.0.2"),
            (limits(|l| (roomy(l), l.process_packets_per_s = 5).0), "10.1.1.1"),
        ] {
            let wire = Wire::isolated();
            wire.admit(one, Cargo::Question, &narrow).await;
            wire.admit(one, Cargo::Question, &narrow).await;
            assert_eq!(wire.load(), 4);
            let other = device(other);
            assert_eq!(wait(wire.admit(other, Cargo::Question, &narrow)).await, None);
            assert_eq!(wait(wire.admit(other, Cargo::Datagram, &narrow)).await, Some(0));
            wire.release(one, 2);
            assert_eq!(wire.load(), 3);
            wire.stamp(one, Held::AsAcknowledgement);
            wire.stamp(one, Held::AsAcknowledgement);
            assert_eq!(wait(wire.admit(other, Cargo::Question, &narrow)).await, Some(0));
            assert_eq!(wait(wire.admit(other, Cargo::Question, &narrow)).await, Some(1250));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_connection_is_kept_room_for_until_it_has_left() {
        let limits = limits(|l| l.device_packets_per_s = 4);
        let (wire, plc) = (Wire::isolated(), device("10.1.0.1"));
        wire.admit(plc, SYN, &limits).await;
        assert_eq!(wire.load(), 2, "two leave now, and no connection is open yet");
        wire.stamp(plc, Held::AsAcknowledgement);
        wire.stamp(plc, Held::AsAcknowledgement);
        wire.opened();
        assert_eq!(wire.load(), 4);
        assert_eq!(wait(wire.admit(plc, Cargo::Question, &limits)).await, Some(1250));
        wire.release(plc, 2);
        assert_eq!(wait(wire.room_to_close(plc, &limits)).await, Some(0));
        assert_eq!(wire.load(), 2, "they are promised now");
        wire.closed(plc, true, false);
        assert_eq!(wire.load(), 2, "and sent");
        assert_eq!(wait(wire.admit(plc, Cargo::LongQuestion, &limits)).await, Some(1250));
        assert_eq!(wire.load(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_closed_in_a_hurry_counts_at_once_and_one_that_never_was_does_not()
    {
        let limits = limits(|l| l.device_packets_per_s = 4);
        let (wire, plc) = (Wire::isolated(), device("10.1.0.1"));
        wire.admit(plc, SYN, &limits).await;
        wire.release(plc, 2);
        wire.opened();
        wire.closed(plc, false, false);
        assert_eq!(wire.load(), 2);
        assert_eq!(wait(wire.admit(plc, Cargo::LongQuestion, &limits)).await, Some(1250));

        let (wire, plc) = (Wire::isolated(), device("10.1.0.2"));
        wire.admit(plc, SYN, &limits).await;
        wire.release(plc, 2);
        assert_eq!(wait(wire.admit(plc, Cargo::LongQuestion, &limits)).await, None);
        wire.never_opened(plc);
        assert_eq!(wait(wire.admit(plc, Cargo::LongQuestion, &limits)).await, Some(0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_not_begun_without_room_for_its_end() {
        let at_once = |l: &mut Limits| l.connection_gap_ms = 0;
        let plc = device("10.1.0.1");
        for (narrow, other) in [
            (limits(|l| (at_once(l), l.device_packets_per_s = 5).0), plc),
            (limits(|l| (at_once(l), l.subnet_packets_per_s = 5).0), device("10.1.0.2")),
        ] {
            let wire = Wire::isolated();
            wire.admit(plc, Cargo::Question, &narrow).await;
            assert_eq!(wait(wire.admit(other, SYN, &narrow)).await, None);
            wire.release(plc, 1);
            assert_eq!(wait(wire.admit(other, SYN, &narrow)).await, Some(0));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_open_connections_takes_up_half_of_what_the_process_may_send() {
        let limits = limits(|l| l.process_packets_per_s = 12);
        let wire = Wire::isolated();
        for host in 1..=3 {
            let plc = device(&format!("10.1.{host}.1"));
            assert_eq!(wait(wire.admit(plc, SYN, &limits)).await, Some(0));
            wire.release(plc, 2);
            wire.opened();
        }
        assert_eq!(wait(wire.admit(device("10.1.4.1"), SYN, &limits)).await, None);
        let asks = wire.admit(device("10.1.1.1"), Cargo::Question, &limits);
        assert_eq!(wait(asks).await, Some(0), "those who are in may ask");
        wire.closed(device("10.1.1.1"), false, false);
        assert_eq!(wait(wire.admit(device("10.1.4.1"), SYN, &limits)).await, Some(0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_parked_connection_takes_up_no_room_until_it_is_to_be_closed() {
        let limits = limits(|l| l.device_packets_per_s = 4);
        let (wire, plc) = (Wire::isolated(), device("10.1.0.1"));
        wire.admit(plc, SYN, &limits).await;
        wire.release(plc, 2);
        wire.opened();
        wire.parked(plc);
        assert_eq!(wire.load(), 0);
        assert_eq!(wait(wire.admit(plc, Cargo::LongQuestion, &limits)).await, Some(0));
        wire.release(plc, 4);
        wire.unparked(plc);
        assert_eq!(wire.load(), 2);
        assert_eq!(wait(wire.admit(plc, Cargo::LongQuestion, &limits)).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn an_extra_packet_counts_for_its_device_and_is_told() {
        let limits = Limits::default();
        let (wire, plc) = (Wire::isolated(), device("10.1.0.1"));
        assert_eq!(wire.stamp_unpromised(plc), 0, "nobody was there yet");
        wire.admit(plc, Cargo::Question, &limits).await;
        wire.admit(device("10.1.0.2"), Cargo::Question, &limits).await;
        assert_eq!(wire.stamp_unpromised(plc), 3);
        assert_eq!(wire.load(), 6);
        wire.stamp(plc, Held::ByResolution);
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert_eq!(wire.load(), 6 - 1, "nothing but the resolution held that one back");
    }

    #[tokio::test(start_paused = true)]
    async fn a_device_has_one_connection_at_a_time_and_a_rest_between_two() {
        let limits = Limits::default();
        let (wire, plc) = (Wire::isolated(), device("10.1.0.1"));
        wire.admit(plc, SYN, &limits).await;
        wire.release(plc, 2);
        wire.never_opened(plc);
        assert_eq!(wait(wire.admit(plc, SYN, &limits)).await, None);
        wire.disconnected(plc);
        wire.resolved(plc);
        assert_eq!(wait(wire.admit(plc, SYN, &limits)).await, Some(0), "an hour has passed");
        wire.disconnected(plc);
        assert_eq!(wait(wire.admit(plc, SYN, &limits)).await, Some(2_000));
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_addresses_of_a_subnet_are_looked_for_at_a_time_and_in_a_second() {
        let few = limits(|l| l.subnet_unresolved = 1);
        let wire = Wire::isolated();
        let [one, two, three] = ["10.1.0.1", "10.1.0.2", "10.1.0.3"].map(device);
        assert_eq!(wait(wire.admit(one, Cargo::FirstDatagram, &few)).await, Some(0));
        assert_eq!(wait(wire.admit(two, Cargo::FirstDatagram, &few)).await, None);
        let elsewhere = device("10.1.1.1");
        assert_eq!(wait(wire.admit(elsewhere, Cargo::FirstDatagram, &few)).await, Some(0));
        wire.resolved(one);
        assert_eq!(wait(wire.admit(two, Cargo::FirstDatagram, &few)).await, Some(0));

        let slow = limits(|l| l.subnet_new_addresses_per_s = 1);
        let wire = Wire::isolated();
        assert_eq!(wait(wire.admit(one, Cargo::FirstDatagram, &slow)).await, Some(0));
        assert_eq!(wait(wire.admit(one, Cargo::Datagram, &slow)).await, Some(0));
        assert_eq!(wait(wire.admit(two, Cargo::FirstDatagram, &slow)).await, Some(1250));
        assert_eq!(wait(wire.admit(two, Cargo::Repetition, &slow)).await, Some(1250));
        assert_eq!(wait(wire.admit(three, SYN, &slow)).await, Some(1250));

        let wire = Wire::isolated();
        let narrow = limits(|l| (l.subnet_new_addresses_per_s, l.subnet_unresolved) = (1, 1));
        for host in 1..4 {
            let here = Device::at(format!("127.0.0.{host}:502").parse().unwrap());
            assert_eq!(wait(wire.admit(here, Cargo::FirstDatagram, &narrow)).await, Some(0));
            assert_eq!(wait(wire.admit(here, Cargo::Repetition, &narrow)).await, Some(0));
        }
    }

    /// How many devices and subnets are known after somebody else has left.
    async fn known(wire: &Wire) -> (usize, usize) {
        let sweeper = device("10.9.9.9");
        wire.enter(sweeper, &Limits::default()).await;
        wire.leave(sweeper);
        let books = wire.books();
        (books.devices.len(), books.subnets.len())
    }

    fn passes(millis: u64) -> tokio::time::Sleep {
        tokio::time::sleep(Duration::from_millis(millis))
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_was_connected_to_is_known_for_ten_seconds_and_no_longer() {
        for (millis, devices) in [(9_999, 1), (10_000, 0)] {
            let (wire, plc) = (Wire::isolated(), device("10.1.0.1"));
            wire.admit(plc, Cargo::FirstDatagram, &Limits::default()).await;
            wire.stamp(plc, Held::AsAcknowledgement);
            wire.resolved(plc);
            wire.disconnected(plc);
            passes(millis).await;
            assert_eq!(known(&wire).await, (devices, 0), "after {millis} ms");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_forgotten_of_whom_anything_is_left() {
        let limits = Limits::default();
        let wire = Wire::isolated();
        let [connected, visited, promised] = ["10.1.0.1", "10.1.1.1", "10.1.2.1"].map(device);
        wire.admit(connected, SYN, &limits).await;
        wire.release(connected, 2);
        wire.never_opened(connected);
        wire.resolved(connected);
        wire.enter(visited, &limits).await;
        wire.admit(promised, Cargo::Question, &limits).await;
        passes(120_000).await;
        assert_eq!(known(&wire).await, (3, 2), "nothing is left in the subnet of the first");
        wire.disconnected(connected);
        passes(1_000).await;
        assert_eq!(known(&wire).await, (2, 2));
        wire.leave(visited);
        assert_eq!(wire.books().devices.len(), 2, "not looked at twice in a second");
        passes(1_000).await;
        assert_eq!(known(&wire).await, (1, 1));
        wire.release(promised, 2);
        passes(1_000).await;
        assert_eq!(known(&wire).await, (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_parked_for_long_is_closed_at_the_pace_of_its_subnet() {
        let limits = Limits::default();
        let (wire, plc) = (Wire::isolated(), device("10.1.0.1"));
        wire.admit(plc, SYN, &limits).await;
        wire.release(plc, 2);
        wire.opened();
        wire.resolved(plc);
        wire.parked(plc);
        passes(120_000).await;
        assert_eq!(known(&wire).await, (1, 0), "it is connected to; of its subnet nothing is left");
        wire.unparked(plc);
        let mut books = wire.books();
        let subnet = books.subnets.get_mut(&subnet_of(plc.address())).unwrap();
        assert_eq!(subnet.packets.load(Instant::now()), CLOSING);
    }

    #[tokio::test(start_paused = true)]
    async fn a_subnet_is_known_while_addresses_of_it_are_looked_for() {
        let (wire, plc) = (Wire::isolated(), device("10.1.0.1"));
        wire.admit(plc, Cargo::FirstDatagram, &Limits::default()).await;
        wire.release(plc, 1);
        wire.disconnected(plc);
        passes(120_000).await;
        assert_eq!(known(&wire).await, (0, 1));
        wire.resolved(plc);
        passes(1_000).await;
        assert_eq!(known(&wire).await, (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_rest_between_two_connections_is_kept_however_long_it_is() {
        let wire = Wire::isolated();
        let limits = Limits { connection_gap_ms: 120_000, ..Limits::default() };
        let [rested, other] = ["10.1.0.1", "10.1.0.2"].map(device);
        let began = Instant::now();
        for _ in 0..2 {
            wire.enter(rested, &limits).await;
            wire.admit(rested, Cargo::Connection { syns: 1 }, &limits).await;
            wire.never_opened(rested);
            wire.release(rested, 2);
            wire.resolved(rested);
            wire.disconnected(rested);
            wire.leave(rested);
            // Whoever leaves later looks who can be forgotten.
            tokio::time::sleep(Duration::from_secs(70)).await;
            wire.enter(other, &limits).await;
            wire.leave(other);
        }
        assert_eq!(began.elapsed().as_secs(), 120 + 70);
    }
}
