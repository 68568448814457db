//! A pretend device with a witness beside it that counts what happened.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::device::{Action, Device, Greeting, Reply, Visit};
use crate::safety::Selector;

/// The witness keeps this many requests, and this many violations.
const KEPT: usize = 10_000;
/// More than this without a whole request is no request of any protocol.
const PENDING_MAX: usize = 64 * 1024;

/// A device, its connections and everything that was done to it.
///
/// Whoever carries the bytes, a loopback server or a test in virtual time, says what arrived and
/// does what comes back.
#[derive(Debug)]
pub struct Station {
    device: Box<dyn Device>,
    state: Mutex<State>,
}

/// What happened to one device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counters {
    /// Connections that were taken.
    pub connections: u64,
    /// The most connections that anybody held or tried at once.
    pub at_once: usize,
    /// Connections that found no free slot. In a real device: an operator locked out.
    pub turned_away: u64,
    /// Connections that were closed without a single byte.
    pub empty: u64,
    /// Bytes received.
    pub bytes: u64,
    /// Datagrams received.
    pub datagrams: u64,
    /// Whole requests.
    pub requests: u64,
    /// Whole requests per unit, slot or address.
    pub requests_by_unit: BTreeMap<u32, u64>,
    /// Requests that came while an earlier one was still being answered.
    pub overlapping: u64,
    /// Connections and deliveries that came after the device had died.
    pub after_dark: u64,
    /// What must never have been sent: writes, malformed requests.
    pub violations: Vec<String>,
    /// The first ten thousand requests.
    pub log: Vec<Logged>,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Logged {
    /// Time since the plant started.
    pub at: Duration,
    /// Number of the connection.
    pub connection: u64,
    /// The unit, slot or address that was asked; `None` if the request could not be read.
    pub unit: Option<u32>,
    /// What was asked; `None` if the request could not be read.
    pub selector: Option<Selector>,
    /// The whole request.
    pub bytes: Vec<u8>,
}

#[derive(Debug, Default)]
struct State {
    last_connection: u64,
    dark: bool,
    busy_until: Duration,
    open: BTreeMap<u64, Line>,
    counters: Counters,
}

#[derive(Debug, Default)]
struct Line {
    pending: Vec<u8>,
    bytes: usize,
}

impl Station {
    /// A witness beside `device`.
    #[must_use]
    pub fn new(device: impl Device + 'static) -> Self {
        Self { device: Box::new(device), state: Mutex::default() }
    }

    /// Lower-case name of the protocol it speaks, as in targets.
    #[must_use]
    pub fn protocol(&self) -> &'static str {
        self.device.protocol()
    }

    /// Somebody connects at `now`, the time since the plant started.
    ///
    /// Returns the number of the connection. After [`Greeting::Refuse`] it is closed already.
    pub fn connect(&self, now: Duration) -> (u64, Greeting) {
        let mut guard = self.lock();
        let state = &mut *guard;
        state.last_connection += 1;
        let connection = state.last_connection;
        let others = state.open.len();
        state.counters.at_once = state.counters.at_once.max(others + 1);
        let greeting = if state.dark {
            state.counters.after_dark += 1;
            Greeting::Accept
        } else {
            self.device.connect(Visit { connection, others, now, datagram: false })
        };
        if greeting == Greeting::Refuse {
            state.counters.turned_away += 1;
        } else {
            state.counters.connections += 1;
            state.open.insert(connection, Line::default());
        }
        (connection, greeting)
    }

    /// Bytes arrive at `now`. What the device does then, in this order.
    pub fn receive(&self, connection: u64, received: &[u8], now: Duration) -> Vec<Action> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let others = state.open.len().saturating_sub(1);
        let Some(line) = state.open.get_mut(&connection) else { return Vec::new() };
        line.bytes += received.len();
        state.counters.bytes += u64::try_from(received.len()).unwrap_or(u64::MAX);
        let mut pending = std::mem::take(&mut line.pending);
        pending.extend_from_slice(received);
        let visit = Visit { connection, others, now, datagram: false };
        let actions = self.hear(state, visit, &mut pending);
        if let Some(line) = state.open.get_mut(&connection) {
            line.pending = pending;
        }
        actions
    }

    /// Whether the device listens for datagrams; where it does not, the system says so to whoever
    /// sends one.
    #[must_use]
    pub fn takes_datagrams(&self) -> bool {
        self.device.takes_datagrams()
    }

    /// A datagram arrives at `now`. What the device does then: each piece it sends is a datagram, and
    /// there is nothing to close or to reset.
    pub fn receive_datagram(&self, received: &[u8], now: Duration) -> Vec<Action> {
        let mut guard = self.lock();
        let state = &mut *guard;
        state.last_connection += 1;
        state.counters.datagrams += 1;
        state.counters.bytes += u64::try_from(received.len()).unwrap_or(u64::MAX);
        let others = state.open.len();
        let visit = Visit { connection: state.last_connection, others, now, datagram: true };
        let mut actions = Vec::new();
        if !state.dark
            && let Greeting::Banner(bytes) = self.device.connect(visit)
        {
            actions.push(Action::Send(bytes));
        }
        let mut pending = received.to_vec();
        actions.append(&mut self.hear(state, visit, &mut pending));
        if !pending.is_empty() {
            let left = pending.len();
            state.counters.violation(format!("a datagram with {left} bytes of a request"));
        }
        actions
    }

    /// The connection has ended, whoever closed it.
    pub fn close(&self, connection: u64) {
        let mut guard = self.lock();
        let state = &mut *guard;
        let Some(line) = state.open.remove(&connection) else { return };
        if line.bytes == 0 && !state.dark {
            state.counters.empty += 1;
        }
        if !line.pending.is_empty() {
            let left = line.pending.len();
            state.counters.violation(format!("closed inside a request, {left} bytes into it"));
        }
    }

    /// Whether the device has died.
    #[must_use]
    pub fn is_dark(&self) -> bool {
        self.lock().dark
    }

    /// How many connections are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.lock().open.len()
    }

    /// What happened until now.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.lock().counters.clone()
    }

    fn hear(&self, state: &mut State, visit: Visit, pending: &mut Vec<u8>) -> Vec<Action> {
        let mut actions = Vec::new();
        while !pending.is_empty() {
            if state.dark {
                state.counters.after_dark += 1;
                pending.clear();
                break;
            }
            let mut reply = self.device.answer(visit, pending);
            if reply.consumed == 0 && pending.len() > PENDING_MAX {
                reply.alarms.push(format!("{} bytes and no whole request", pending.len()));
                reply.consumed = pending.len();
            }
            if reply.consumed == 0 {
                break;
            }
            let request = pending.drain(..reply.consumed.min(pending.len())).collect();
            state.note(visit, request, &reply);
            actions.append(&mut reply.actions);
        }
        actions
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note(&mut self, visit: Visit, bytes: Vec<u8>, reply: &Reply) {
        let counters = &mut self.counters;
        counters.requests += 1;
        counters.overlapping += u64::from(visit.now < self.busy_until);
        if let Some(heard) = reply.heard {
            *counters.requests_by_unit.entry(heard.unit).or_default() += 1;
        }
        for alarm in &reply.alarms {
            counters.violation(alarm.clone());
        }
        if counters.log.len() < KEPT {
            counters.log.push(Logged {
                at: visit.now,
                connection: visit.connection,
                unit: reply.heard.map(|heard| heard.unit),
                selector: reply.heard.map(|heard| heard.selector),
                bytes,
            });
        }
        let busy = reply.actions.iter().fold(visit.now, |until, action| match action {
            Action::Wait(time) => until.saturating_add(*time),
            _ => until,
        });
        self.busy_until = self.busy_until.max(busy);
        self.dark |= reply.actions.contains(&Action::GoDark);
    }
}

impl Counters {
    /// Everything that would have hurt a real device, one sentence each. Empty is what a scanner
    /// aims for.
    #[must_use]
    pub fn harm(&self) -> Vec<String> {
        let at_once = u64::try_from(self.at_once).unwrap_or(u64::MAX);
        let counted = [
            (at_once, 1, "connections at once"),
            (self.turned_away, 0, "connections found no free slot"),
            (self.empty, 0, "connections closed without a request"),
            (self.overlapping, 0, "requests before the answer to the one before"),
            (self.after_dark, 0, "packets to a dead device"),
        ];
        let counted = counted.into_iter().filter(|(seen, fine, _)| seen > fine);
        let counted = counted.map(|(seen, _, what)| format!("{seen} {what}"));
        self.violations.iter().cloned().chain(counted).collect()
    }

    fn violation(&mut self, what: String) {
        if self.violations.len() < KEPT {
            self.violations.push(what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{Fault, Faulty, Heard};

    /// A protocol of two-byte requests: unit, and what is asked; 0x99 is a write.
    #[derive(Debug)]
    struct Two;

    impl Device for Two {
        fn protocol(&self) -> &'static str {
            "two"
        }

        fn answer(&self, _: Visit, received: &[u8]) -> Reply {
            let [unit, asked, ..] = received else { return Reply::default() };
            let alarms = if *asked == 0x99 { vec!["write".to_owned()] } else { Vec::new() };
            Reply {
                consumed: 2,
                heard: Some(Heard { unit: (*unit).into(), selector: Selector::of(&[*asked]) }),
                actions: vec![Action::Send(vec![*unit, *asked, 0])],
                alarms,
            }
        }
    }

    const START: Duration = Duration::ZERO;

    #[test]
    fn requests_are_counted_by_unit_however_the_bytes_arrive() {
        let station = Station::new(Two);
        let (line, greeting) = station.connect(START);
        assert_eq!(greeting, Greeting::Accept);
        assert_eq!(station.receive(line, &[7], START), []);
        let later = Duration::from_secs(1);
        let two = station.receive(line, &[1, 7, 2], later);
        assert_eq!(two, [Action::Send(vec![7, 1, 0]), Action::Send(vec![7, 2, 0])]);
        station.close(line);
        let seen = station.counters();
        assert_eq!((seen.connections, seen.bytes, seen.requests), (1, 4, 2));
        assert_eq!(seen.requests_by_unit, BTreeMap::from([(7, 2)]));
        assert_eq!((seen.log[0].at, seen.log[1].bytes.as_slice()), (later, &[7, 2][..]));
        assert_eq!(seen.harm(), Vec::<String>::new());
    }

    #[test]
    fn harm_is_told_in_sentences() {
        let slow = Fault::Slow { first: Duration::from_secs(1), more: Duration::ZERO };
        let station = Station::new(Faulty::new(Faulty::new(Two, slow), Fault::Slots(1)));
        let (first, _) = station.connect(START);
        assert_eq!(station.connect(START).1, Greeting::Refuse);
        station.receive(first, &[1, 0x99], START);
        station.receive(first, &[1, 1, 1], Duration::from_millis(999));
        station.close(first);
        let (empty, _) = station.connect(START);
        station.close(empty);
        assert_eq!(
            station.counters().harm(),
            [
                "write",
                "closed inside a request, 1 bytes into it",
                "2 connections at once",
                "1 connections found no free slot",
                "1 connections closed without a request",
                "1 requests before the answer to the one before",
            ]
        );
    }

    #[test]
    fn packets_to_a_dead_device_are_counted_and_never_answered() {
        let station = Station::new(Faulty::new(Two, Fault::DarkAfter(1)));
        let (line, _) = station.connect(START);
        assert_eq!(station.receive(line, &[1, 1], START).len(), 1);
        assert_eq!(station.receive(line, &[1, 2], START), [Action::GoDark]);
        assert!(station.is_dark());
        assert_eq!(station.counters().after_dark, 0, "the deadly request is not one of them");
        assert_eq!(station.receive(line, &[1, 3], START), []);
        station.close(line);
        let (again, _) = station.connect(START);
        assert_eq!(station.receive(again, &[1, 1], START), []);
        assert_eq!(station.counters().after_dark, 3);
        assert_eq!(station.counters().requests, 2);
    }

    #[test]
    fn bytes_that_never_become_a_request_are_not_kept() {
        #[derive(Debug)]
        struct Deaf;
        impl Device for Deaf {
            fn protocol(&self) -> &'static str {
                "deaf"
            }
            fn answer(&self, _: Visit, _: &[u8]) -> Reply {
                Reply::default()
            }
        }
        let station = Station::new(Deaf);
        let (line, _) = station.connect(START);
        for _ in 0..20 {
            assert_eq!(station.receive(line, &[0; 4096], START), []);
        }
        assert_eq!(station.counters().violations, ["69632 bytes and no whole request"]);
    }
}
