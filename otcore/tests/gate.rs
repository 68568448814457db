//! The gate, asked directly: what it refuses at which border, what it counts, what it remembers.
#![cfg(feature = "sim")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation
)] // a test says what went wrong by stopping

#[path = "common/gate.rs"]
mod asking;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use asking::{ENOUGH, SECOND, admitted, ask, at, local, opened, parts};
use jiff::{Timestamp, ToSpan};
use otcore::gate::journal::{Close, Entry, Journal, MemoryJournal, What};
use otcore::gate::memory::{Cooling, DeviceMemory, InMemory, Quarantine, Record};
use otcore::gate::policy::{Limits, Window};
use otcore::gate::{Clock, Device, Gate, HostClock, Parts, Refusal, StopReason};
use otcore::{Policy, Zone};
use tokio::time::{Instant, sleep, timeout};

fn gentle() -> Gate {
    Gate::new(parts(Policy::gentle()))
}

fn with(change: impl FnOnce(&mut Limits)) -> Gate {
    let mut limits = Limits::default();
    change(&mut limits);
    Gate::new(parts(Policy::gentle().with_limits(limits)))
}

/// A connection that says when it is gone.
struct Socket(Arc<AtomicBool>);

impl Drop for Socket {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_gate_says_whether_it_is_paused_and_what_time_it_is() {
    let gate = gentle();
    assert!(!gate.is_paused());
    gate.pause();
    assert!(gate.is_paused());
    assert!(timeout(60 * SECOND, gate.visit(at(7), ENOUGH)).await.is_err(), "nobody gets in");
    gate.resume();
    assert!(!gate.is_paused() && gate.stopped().is_none());
    assert!(gate.visit(at(7), ENOUGH).await.is_ok());
    assert_eq!(gate.now().to_string(), "2026-05-04T08:01:00Z");
}

#[test]
fn the_clock_of_the_host_goes_with_the_time() {
    let before = Timestamp::now();
    let now = HostClock.now();
    assert!(before <= now && now <= Timestamp::now());
}

#[tokio::test(start_paused = true)]
async fn who_is_not_in_the_plan_or_never_to_be_touched_is_not_visited() {
    let gate = gentle();
    let refused = gate.visit(at(100), ENOUGH).await.unwrap_err();
    assert_eq!(refused, Refusal::OutOfScope(at(100).ip()));
    let nobody_alone = [at(7).ip(), IpAddr::from([224, 0, 0, 1]), IpAddr::from([10, 1, 0, 63])];
    let policy = Policy::gentle().monitor("0.0.0.0/0".parse().unwrap());
    let scope = nobody_alone.map(otcore::targets::AddressRange::from).into_iter().collect();
    let policy = Arc::new(policy.monitor("10.1.0.0/26".parse().unwrap()));
    let wide = Gate::new(Parts { scope, policy, ..parts(Policy::gentle()) });
    for (n, address) in nobody_alone.into_iter().enumerate() {
        let visited = wide.visit(SocketAddr::new(address, 502), ENOUGH).await;
        assert_eq!(visited.is_ok(), n == 0, "{address}");
    }
    let printer = SocketAddr::new(at(7).ip(), 9100);
    assert_eq!(gate.visit(printer, ENOUGH).await.unwrap_err(), Refusal::NeverPort(9100));
    let visit = gate.visit(at(99), ENOUGH).await.unwrap();
    assert_eq!(visit.connect(printer, "modbus").await.unwrap_err(), Refusal::NeverPort(9100));
    gate.stop(StopReason::Asked);
    gate.stop(StopReason::HarmSuspected);
    assert_eq!(gate.stopped(), Some(StopReason::Asked), "the first reason stays");
    let refused = gate.visit(at(7), ENOUGH).await.unwrap_err();
    assert_eq!(refused, Refusal::Stopped(StopReason::Asked));
}

#[tokio::test(start_paused = true)]
async fn what_is_remembered_of_a_device_counts_to_the_second() {
    let memory = Arc::new(InMemory::default());
    let parts = Parts { memory: memory.clone(), ..parts(Policy::gentle()) };
    let now = parts.clock.now();
    let gate = Gate::new(parts);
    let remember = |record| memory.remember(&Zone::default(), Device::at(at(7)), record).unwrap();
    let cooling =
        |until| Record { cooling: Some(Cooling { until, times: 1 }), ..Record::default() };
    let visited = |at: Timestamp| Record { visited: Some(at), ..Record::default() };
    let is_let_in = async || gate.visit(at(7), ENOUGH).await.map(drop);

    remember(cooling(now));
    assert_eq!(is_let_in().await, Ok(()), "the time is over");
    remember(cooling(now + 1.second()));
    assert!(matches!(is_let_in().await, Err(Refusal::CoolingDown { .. })));

    let hour = i64::from(Limits::default().revisit_after_s);
    remember(visited(now - hour.seconds()));
    assert_eq!(is_let_in().await, Ok(()));
    let lately = now - (hour - 1).seconds();
    remember(visited(lately));
    let fresh = Refusal::Fresh { device: Device::at(at(7)), at: lately };
    assert_eq!(is_let_in().await, Err(fresh));

    // The clock of the host was set back: a little, and from where it had never been.
    remember(visited(now + 5.seconds()));
    assert!(matches!(is_let_in().await, Err(Refusal::Fresh { .. })));
    for elsewhere in [visited(now + hour.seconds()), cooling(now + 25.hours())] {
        remember(elsewhere);
        assert_eq!(is_let_in().await, Ok(()));
    }

    let dark = Quarantine { since: now - 99.hours(), why: "silence".to_owned() };
    remember(Record { quarantined: Some(dark), ..Record::default() });
    assert!(matches!(is_let_in().await, Err(Refusal::Quarantined { .. })));
    assert!(gate.visit(at(8), ENOUGH).await.is_ok(), "another device");
}

/// Keeps nothing.
#[derive(Debug)]
struct Full;

impl DeviceMemory for Full {
    fn recall(&self, _: &Zone, _: Device) -> io::Result<Record> {
        Ok(Record::default())
    }
    fn remember(&self, _: &Zone, _: Device, _: Record) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }
    fn all(&self) -> io::Result<Vec<(Zone, String, Record)>> {
        Ok(Vec::new())
    }
    fn clear(&self, _: &Zone, _: IpAddr) -> io::Result<usize> {
        Ok(0)
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_quarantine_that_cannot_be_kept_ends_the_scan() {
    let gate = Gate::new(Parts { memory: Arc::new(Full), ..parts(Policy::gentle()) });
    let visit = gate.visit(at(7), ENOUGH).await.unwrap();
    let _lease = opened(&visit, at(7)).await.unwrap();
    ask(&visit).await.unwrap();
    assert_eq!(gate.stopped(), None, "when it was visited does not matter so much");
    admitted(&visit).await.unwrap().pass(|_| ()).unwrap();
    let _ = visit.silent("ReportServerId", true);
    assert!(visit.went_silent());
    assert_eq!(gate.stopped(), Some(StopReason::HarmSuspected));
}

#[tokio::test(start_paused = true)]
async fn when_the_window_closes_a_permit_is_worth_nothing_any_more() {
    let policy = Policy::gentle().window(Window::daily("07:00", "09:00", "UTC").unwrap());
    let gate = Gate::new(parts(policy));
    let visit = gate.visit(at(7), ENOUGH).await.unwrap();
    let (permit, _lease) = visit.connect(at(7), "modbus").await.unwrap();
    sleep(3600 * SECOND).await;
    assert_eq!(permit.pass(|_| panic!("it left")), Err::<(), _>(Refusal::WindowClosed));
    assert_eq!(gate.visit(at(8), ENOUGH).await.unwrap_err(), Refusal::WindowClosed);
}

#[tokio::test(start_paused = true)]
async fn what_the_journal_does_not_take_does_not_leave() {
    #[derive(Debug)]
    struct Torn;
    impl Journal for Torn {
        fn record(&self, _: &Entry) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }
    let gate = Gate::new(Parts { journal: Arc::new(Torn), ..parts(Policy::gentle()) });
    let visit = gate.visit(at(7), ENOUGH).await.unwrap();
    let (permit, _lease) = visit.connect(at(7), "modbus").await.unwrap();
    let refused = permit.pass(|_| panic!("it left")).map(|(): ()| ());
    assert_eq!(refused, Err(Refusal::Stopped(StopReason::JournalFailed)));
    assert_eq!(gate.stopped(), Some(StopReason::JournalFailed));
}

#[tokio::test(start_paused = true)]
async fn connections_to_dark_devices_are_closed_when_the_run_is_over_and_not_before() {
    for in_turn in [true, false] {
        let gate = gentle();
        let closed = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        let visit = gate.visit(at(7), ENOUGH).await.unwrap();
        let lease = opened(&visit, at(7)).await.unwrap();
        ask(&visit).await.unwrap();
        admitted(&visit).await.unwrap().pass(|_| ()).unwrap();
        let _ = visit.silent("ReportServerId", true);
        visit.park(Box::new((Socket(Arc::clone(&closed[0])), lease)));
        visit.keep(Box::new(Socket(Arc::clone(&closed[1]))));
        drop(visit);
        sleep(60 * SECOND).await;
        let are_closed = || closed.iter().all(|closed| closed.load(Ordering::SeqCst));
        let is_any_closed = || closed.iter().any(|closed| closed.load(Ordering::SeqCst));
        assert!(!is_any_closed());
        match in_turn {
            true => gate.close_parked_in_turn().await,
            false => gate.close_parked(),
        }
        assert!(are_closed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_socket_of_a_device_that_is_well_is_kept_no_longer_than_the_visit() {
    let gate = gentle();
    let closed = Arc::new(AtomicBool::new(false));
    let visit = gate.visit(at(7), ENOUGH).await.unwrap();
    visit.keep(Box::new(Socket(Arc::clone(&closed))));
    assert!(!closed.load(Ordering::SeqCst));
    drop(visit);
    assert!(closed.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn a_device_gets_as_many_connections_as_the_policy_says() {
    let gate = with(|limits| limits.connections_per_scan = 2);
    let visit = gate.visit(at(7), ENOUGH).await.unwrap();
    for _ in 0..2 {
        opened(&visit, at(7)).await.unwrap().closed(Close::Polite);
    }
    let refused = opened(&visit, at(7)).await.unwrap_err();
    let spent =
        Refusal::Spent { device: visit.device(), limit: "connections_per_scan", allowed: 2 };
    assert_eq!(refused, spent);
}

#[tokio::test(start_paused = true)]
async fn as_many_ports_of_a_device_are_tried_as_the_policy_says() {
    let gate = with(|limits| limits.ports_per_device = 2);
    let visit = gate.visit(at(7), ENOUGH).await.unwrap();
    let attempt = async |port| {
        let (permit, lease) = visit.connect(SocketAddr::new(at(7).ip(), port), "modbus").await?;
        permit.pass(|_| ())?;
        lease.not_connected(&io::ErrorKind::ConnectionRefused.into(), SECOND)
    };
    assert_eq!(attempt(502).await, Ok(()));
    assert_eq!(attempt(503).await, Ok(()));
    assert_eq!(visit.spending().attempts, 2);
    for port in [504, 502] {
        let refused = attempt(port).await.unwrap_err(); // nor is a port tried again and again
        assert!(matches!(refused, Refusal::Spent { limit: "ports_per_device", allowed: 2, .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_port_counts_by_whatever_transport_and_however_often_it_is_spoken_to() {
    let gate = with(|limits| (limits.ports_per_device, limits.connections_per_scan) = (2, 6));
    let visit = gate.visit(at(7), ENOUGH).await.unwrap();
    let port = |port| SocketAddr::new(at(7).ip(), port);
    let addressed = async |to| {
        let (permit, lease) = visit.address(port(to), None, "enip").await?;
        permit.pass(|_| ())?;
        lease.bound(local())?;
        lease.closed(Close::Released);
        Ok(())
    };
    let refused = |tried: Result<(), Refusal>| {
        matches!(tried, Err(Refusal::Spent { limit: "ports_per_device", allowed: 2, .. }))
    };
    for to in [44_818, 44_818, 2_222] {
        assert_eq!(addressed(to).await, Ok(()));
    }
    assert!(refused(addressed(47_808).await));
    assert!(refused(opened(&visit, port(502)).await.map(drop)));
    assert!(opened(&visit, port(44_818)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_conversation_holds_as_many_questions_as_the_policy_says_and_another_unit_begins_anew() {
    let gate = with(|limits| limits.requests_per_conversation = 2);
    let visit = gate.visit(at(7), ENOUGH).await.unwrap();
    let _lease = opened(&visit, at(7)).await.unwrap();
    assert_eq!(visit.questions_left(), 2);
    ask(&visit).await.unwrap();
    assert_eq!(visit.questions_left(), 1);
    ask(&visit).await.unwrap();
    assert_eq!(visit.questions_left(), 0);
    let refused = ask(&visit).await.unwrap_err();
    assert!(matches!(refused, Refusal::Spent { limit: "requests_per_conversation", .. }));
    visit.next_unit();
    assert_eq!(visit.questions_left(), 2);
    ask(&visit).await.unwrap();
    let spending = visit.spending();
    assert_eq!((spending.requests, spending.bytes_out, spending.bytes_in), (3, 3 * 8, 60));
}

/// A SYN, the acknowledgement of the handshake, two for a question and two that close; and two more,
/// since an answer may come in pieces.
#[tokio::test(start_paused = true)]
async fn a_connection_is_not_begun_unless_the_plan_has_room_for_a_question_on_it() {
    let gate = gentle();
    let visit = gate.visit(at(7), 7).await.unwrap();
    let refused = visit.connect(at(7), "modbus").await.map(drop);
    assert_eq!(refused, Err(Refusal::PlanSpent { device: visit.device(), planned: 7 }));
    drop(visit);
    let visit = gate.visit(at(8), 8).await.unwrap();
    let lease = opened(&visit, at(8)).await.unwrap();
    ask(&visit).await.unwrap();
    let refused = ask(&visit).await;
    assert_eq!(refused, Err(Refusal::PlanSpent { device: visit.device(), planned: 8 }));
    lease.closed(Close::Polite);
    assert_eq!(visit.spending().packets, 8);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_is_busy_is_left_alone_twice_as_long_each_time_up_to_a_day() {
    let memory = Arc::new(InMemory::default());
    let parts = Parts { memory: memory.clone(), ..parts(Policy::gentle()) };
    let clock = Arc::clone(&parts.clock);
    let gate = Gate::new(parts);
    let mut hours = Vec::new();
    for _ in 0..8 {
        let visit = gate.visit(at(7), ENOUGH).await.unwrap();
        visit.was_busy();
        let why = visit.connect(at(7), "modbus").await.map(drop).unwrap_err();
        let Refusal::CoolingDown { until, .. } = why else { panic!("{why}") };
        let seconds = until.as_second() - clock.now().as_second();
        hours.push(seconds / 3600);
        drop(visit);
        sleep(Duration::from_secs(seconds.unsigned_abs())).await;
    }
    assert_eq!(hours, [1, 2, 4, 8, 16, 24, 24, 24]);
}

#[tokio::test(start_paused = true)]
async fn questions_keep_their_distance_and_slots_of_a_rack_theirs() {
    let gate = gentle();
    let visit = gate.visit(at(7), ENOUGH).await.unwrap();
    let _lease = opened(&visit, at(7)).await.unwrap();
    ask(&visit).await.unwrap();
    let answered = Instant::now();
    ask(&visit).await.unwrap();
    assert_eq!(answered.elapsed().as_millis(), 250);
    visit.rest_before_slot();
    let answered = Instant::now();
    ask(&visit).await.unwrap();
    assert!(answered.elapsed() >= SECOND && answered.elapsed() < 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn whoever_says_too_much_is_left() {
    let gate = with(|limits| (limits.device_bytes, limits.unasked_bytes) = (1_024, 100));
    let visit = gate.visit(at(7), ENOUGH).await.unwrap();
    let _lease = opened(&visit, at(7)).await.unwrap();
    admitted(&visit).await.unwrap().pass(|_| ()).unwrap();
    assert_eq!(visit.heard_unasked(100), Ok(()));
    assert_eq!(visit.received(&[0; 1_024]), Ok(()));
    assert!(!visit.was_flooded());
    let refused = visit.received(&[0]).unwrap_err();
    assert!(matches!(refused, Refusal::Spent { limit: "device_bytes", allowed: 1_024, .. }));
    assert!(visit.was_flooded());
    let visit = gate.visit(at(8), ENOUGH).await.unwrap();
    let refused = visit.heard_unasked(101).unwrap_err();
    assert!(matches!(refused, Refusal::Spent { limit: "unasked_bytes", allowed: 100, .. }));
    assert!(visit.was_flooded());
}

#[tokio::test(start_paused = true)]
async fn the_journal_names_whom_with_what_on_which_connection() {
    let journal = Arc::new(MemoryJournal::default());
    let gate = Gate::new(Parts { journal: journal.clone(), ..parts(Policy::gentle()) });
    let visit = gate.visit(at(7), ENOUGH).await.unwrap();
    for _ in 0..2 {
        let lease = opened(&visit, at(7)).await.unwrap();
        ask(&visit).await.unwrap();
        lease.closed(Close::Polite);
    }
    let told: Vec<_> = journal.entries().into_iter().map(|e| (e.connection, e.what)).collect();
    let numbers: Vec<u64> = told.iter().map(|(connection, _)| *connection).collect();
    assert_eq!(numbers, [1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
    let closed = What::Closed { how: Close::Polite };
    assert_eq!((&told[0].1, &told[4].1), (&What::Connecting, &closed));
}
