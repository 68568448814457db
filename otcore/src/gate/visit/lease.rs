//! The only conversation with a device, from the permit to its last packet.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::state::Visiting;
use crate::gate::journal::{Close, What};
use crate::gate::meter::Held;
use crate::gate::refusal::Refusal;
use crate::model::Transport as Carrier;

/// The only conversation with a device, from the permit to its last packet.
///
/// Dropping it without [`Lease::closed`] says that the socket was dropped in a hurry.
#[must_use = "the slot is free again as soon as this is dropped"]
pub struct Lease {
    pub(super) visiting: Arc<Visiting>,
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Lease").field(&self.visiting.device).finish()
    }
}

impl Lease {
    /// The connection is open; `local` is our end.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn connected(&self, local: SocketAddr) -> Result<(), Refusal> {
        let (unused, first) = {
            let mut state = self.visiting.state();
            state.spending.connections += 1;
            state.spending.packets += 1;
            if !std::mem::take(&mut state.continues) {
                state.conversation_requests = 0;
            }
            state.met(true);
            let first = !std::mem::replace(&mut state.remembered, true);
            let Some(current) = state.current.as_mut() else { return Ok(()) };
            current.open = true;
            current.resolving = false;
            let unused = current.promised.saturating_sub(1);
            current.promised = 0;
            (unused, first)
        };
        // The kernel acknowledged the handshake at once.
        self.visiting.gate.wire.stamp(self.visiting.device, Held::Not);
        self.visiting.gate.wire.opened();
        self.visiting.gate.wire.release(self.visiting.device, unused);
        self.visiting.gate.wire.resolved(self.visiting.device);
        if first {
            self.visiting.remember_visit();
        }
        self.visiting.journal(|| What::Connected { local })
    }

    /// The socket for datagrams is open; `local` is our end.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn bound(&self, local: SocketAddr) -> Result<(), Refusal> {
        {
            let mut state = self.visiting.state();
            if !std::mem::replace(&mut state.continues, true) {
                state.conversation_requests = 0;
            }
            if let Some(current) = state.current.as_mut() {
                current.open = true;
            }
        }
        self.visiting.journal(|| What::Bound { local })
    }

    /// The connection could not be opened, or a router says that no datagram gets there.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn not_connected(&self, why: &io::Error, took: Duration) -> Result<(), Refusal> {
        // A failed address resolution takes the kernel three seconds; sooner means that something
        // on the way said no.
        const BEFORE_RESOLUTION_FAILS: Duration = Duration::from_secs(1);
        let unreachable = matches!(
            why.kind(),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable
        );
        if unreachable && took < BEFORE_RESOLUTION_FAILS {
            self.visiting.gate.breaker.unreachable(self.visiting.device.address());
        }
        let refused = why.kind() == io::ErrorKind::ConnectionRefused;
        let reset = why.kind() == io::ErrorKind::ConnectionReset;
        {
            let mut state = self.visiting.state();
            if let Some(current) = state.current.as_mut() {
                current.refused = refused;
            }
            state.met(refused || reset);
        }
        if reset {
            self.visiting.acknowledged_handshake();
        }
        self.visiting.journal(|| What::NotConnected { why: why.to_string() })
    }

    /// The question did not leave whole.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn not_sent(&self, written: usize, why: &io::Error) -> Result<(), Refusal> {
        self.visiting.journal(|| What::NotSent { written, why: why.to_string() })
    }

    /// The connection ended in good order.
    pub fn closed(self, how: Close) {
        self.remember_if_heard();
        self.visiting.end(how);
    }

    /// Who never answered a datagram most likely is not there, and nothing is remembered of it.
    fn remember_if_heard(&self) {
        let state = self.visiting.state();
        let by_datagrams = state.current.filter(|current| current.carrier == Carrier::Udp);
        if let Some(current) = by_datagrams {
            state.met(current.refused || !current.resolving);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.remember_if_heard();
        self.visiting.end(Close::Aborted);
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tokio::time::Instant;

    use super::*;
    use crate::gate::cargo::Cargo;
    use crate::gate::line::Line;
    use crate::gate::policy::{Limits, Policy};
    use crate::gate::{Device, Gate, Parts, Visit, Wire};
    use crate::targets::AddressRange;

    /// What another process would find of a device after a visit.
    struct Locks(PathBuf);

    impl Locks {
        fn new(name: &str) -> Self {
            let name = format!("otcore-lease-{name}-{}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }

        async fn visit(&self, at: SocketAddr) -> Visit {
            let scope = [AddressRange::new(at.ip(), at.ip()).unwrap()].into_iter().collect();
            let wire = Wire::with_locks_in(self.0.clone());
            let parts = Parts::new(Arc::new(Policy::gentle()), scope);
            Gate::new(Parts { wire, ..parts }).visit(at, 100).await.unwrap()
        }

        /// Whether another process would rest before it connects.
        async fn keep(&self, at: SocketAddr) -> bool {
            let (wire, limits) = (Wire::with_locks_in(self.0.clone()), Limits::default());
            let began = Instant::now();
            drop(wire.hold(Device::at(at), &limits).await.unwrap());
            began.elapsed() > Duration::ZERO
        }
    }

    impl Drop for Locks {
        fn drop(&mut self) {
            drop(std::fs::remove_dir_all(&self.0));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn of_an_address_at_which_nobody_lives_nothing_is_kept() {
        let refused = io::ErrorKind::ConnectionRefused;
        for (why, kept) in [(io::ErrorKind::TimedOut, false), (refused, true)] {
            let locks = Locks::new("connection");
            let at = "10.0.2.7:502".parse().unwrap();
            let visit = locks.visit(at).await;
            let (permit, lease) = visit.connect(at, "modbus").await.unwrap();
            permit.pass(|_| ()).unwrap();
            lease.not_connected(&why.into(), Duration::from_secs(1)).unwrap();
            drop((lease, visit)); // other processes are kept away until it is over
            assert_eq!(locks.keep(at).await, kept, "{why}");
        }
    }

    /// The handshake may be over already when the scan ends in the middle of it.
    #[tokio::test(start_paused = true)]
    async fn whoever_was_connected_to_may_live_there_until_the_end_of_that_says_otherwise() {
        let locks = Locks::new("middle");
        let at = "10.0.2.7:502".parse().unwrap();
        let visit = locks.visit(at).await;
        let (permit, lease) = visit.connect(at, "modbus").await.unwrap();
        permit.pass(|_| ()).unwrap();
        lease.not_connected(&io::ErrorKind::TimedOut.into(), Duration::from_secs(1)).unwrap();
        drop(lease);
        let (permit, lease) = visit.connect(at, "modbus").await.unwrap();
        permit.pass(|_| ()).unwrap();
        drop((lease, visit));
        assert!(locks.keep(at).await);
    }

    /// A full connection table: the system has let us in, and the device breaks it off at once.
    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_broken_off_as_it_comes_about_counts_with_its_acknowledgement() {
        let locks = Locks::new("reset");
        let at = "10.0.2.7:502".parse().unwrap();
        for (why, packets, connections) in
            [(io::ErrorKind::ConnectionReset, 2, 1), (io::ErrorKind::ConnectionRefused, 1, 0)]
        {
            let visit = locks.visit(at).await;
            let wire = Arc::clone(&visit.gate().0.wire);
            let elsewhere = Device::at("10.0.3.7:502".parse().unwrap());
            let (promised, line) = (Cargo::Connection { syns: 1 }, Line::default());
            wire.reserve(elsewhere, promised, &Limits::default(), &line).await;
            let (permit, lease) = visit.connect(at, "modbus").await.unwrap();
            permit.pass(|_| ()).unwrap();
            lease.not_connected(&why.into(), Duration::from_millis(1)).unwrap();
            drop(lease);
            let spent = visit.spending();
            assert_eq!((spent.packets, spent.connections), (packets, connections));
            let left = wire.load() - promised.packets();
            assert_eq!(left, usize::try_from(packets).unwrap(), "{why}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_lets_us_in_at_the_second_port_is_remembered_as_well() {
        let locks = Locks::new("second");
        let [first, second] = ["10.0.2.7:502", "10.0.2.7:102"].map(|at| at.parse().unwrap());
        let visit = locks.visit(first).await;
        let (permit, lease) = visit.connect(first, "modbus").await.unwrap();
        permit.pass(|_| ()).unwrap();
        let reset = io::ErrorKind::ConnectionReset.into();
        lease.not_connected(&reset, Duration::from_millis(1)).unwrap();
        drop(lease);
        let remembered = || visit.gate().0.recall(visit.device()).unwrap().visited.is_some();
        assert!(!remembered());
        let (permit, lease) = visit.connect(second, "s7").await.unwrap();
        permit.pass(|_| ()).unwrap();
        lease.connected("10.0.2.1:40000".parse().unwrap()).unwrap();
        assert!(remembered());
    }

    /// A process that hangs costs its time once, in however many protocols its device is to be asked.
    #[tokio::test(start_paused = true)]
    async fn a_device_that_another_process_keeps_is_waited_for_once() {
        let locks = Locks::new("hangs");
        let [first, second] = ["10.0.2.7:502", "10.0.2.7:102"].map(|at| at.parse().unwrap());
        let hangs = Wire::with_locks_in(locks.0.clone());
        let _held = hangs.hold(Device::at(first), &Limits::default()).await.unwrap();
        let visit = locks.visit(first).await;
        let began = Instant::now();
        let refused = visit.connect(first, "modbus").await.unwrap_err();
        let with_another = Refusal::WithAnother { device: visit.device(), waited_s: 300 };
        assert_eq!(refused, with_another);
        assert_eq!(began.elapsed().as_secs(), 300);
        assert_eq!(visit.connect(second, "s7").await.unwrap_err(), with_another);
        assert_eq!((began.elapsed().as_secs(), visit.spending().packets), (300, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn of_whoever_was_never_heard_by_datagrams_nothing_is_kept() {
        for (heard, refused) in [(false, false), (true, false), (false, true)] {
            let locks = Locks::new("datagrams");
            let at = "10.0.2.7:47808".parse().unwrap();
            let visit = locks.visit(at).await;
            let (permit, lease) = visit.address(at, None, "bacnet").await.unwrap();
            permit.pass(|_| ()).unwrap();
            lease.bound("192.0.2.1:40000".parse().unwrap()).unwrap();
            if heard {
                visit.received(&[0]).unwrap();
            }
            if refused {
                let why = io::ErrorKind::ConnectionRefused.into();
                lease.not_connected(&why, Duration::from_secs(1)).unwrap();
            }
            lease.closed(Close::Released);
            drop(visit);
            assert_eq!(locks.keep(at).await, heard || refused, "{heard} {refused}");
        }
    }
}
