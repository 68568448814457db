//! A visit to a device, step by step: what each packet costs, what silence means, what time allows.
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
mod gate;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gate::{
    ENOUGH, PATIENCE, Plant, SECOND, admitted, ask, at, gentle, local, opened, parts, plant,
};
use otcore::Policy;
use otcore::frame::Frame;
use otcore::gate::journal::{Close, MemoryJournal, What};
use otcore::gate::memory::DeviceMemory;
use otcore::gate::{Device, Gate, Parts, Refusal, Silence, StopReason, Visit};
use otcore::protocols::bacnet::{Bacnet, Function, Read};
use otcore::protocols::dnp3::{self, Dnp3, ReadAttributes};
use tokio::time::{Instant, sleep, sleep_until};

const MOMENT: Duration = Duration::from_millis(1);

/// A question in a datagram.
async fn admitted_datagram(visit: &Visit) -> Result<(), Refusal> {
    let read = Read::of(Function::ReadObjectIdentifier, 7);
    let frame = Frame::of(&Bacnet::default(), 1, &read).unwrap();
    visit.admit(Arc::new(frame), PATIENCE).await?.pass(|_| ())
}

#[tokio::test(start_paused = true)]
async fn every_packet_is_counted_from_the_leave_for_it_to_the_end_of_its_second() {
    let plant = gentle();
    let visit = plant.visit(7).await;
    let (permit, lease) = visit.connect(at(7), "modbus").await.unwrap();
    assert_eq!(plant.wire.load(), 2, "a SYN and the acknowledgement of the handshake");
    drop((permit, lease));
    assert_eq!(plant.wire.load(), 0, "nothing left");
    let lease = opened(&visit, at(7)).await.unwrap();
    assert_eq!((plant.wire.load(), visit.spending().packets), (4, 2), "its end is counted already");
    drop(admitted(&visit).await.unwrap());
    assert_eq!(plant.wire.load(), 4);
    let permit = admitted(&visit).await.unwrap();
    assert_eq!((plant.wire.load(), visit.spending().packets), (6, 2));
    permit.pass(|_| ()).unwrap();
    assert_eq!((plant.wire.load(), visit.spending().packets), (6, 3));
    visit.received(&[0; 20]).unwrap();
    assert_eq!((plant.wire.load(), visit.spending().packets), (6, 4));
    visit.may_close().await.unwrap();
    assert_eq!(plant.wire.load(), 6);
    lease.closed(Close::Polite);
    assert_eq!((plant.wire.load(), visit.spending().packets), (6, 6));
    let left = Instant::now();
    let mut counted = Vec::new();
    for millis in [1_009, 1_010, 1_050, 1_249, 1_250] {
        sleep_until(left + millis * MOMENT).await;
        counted.push(plant.wire.load());
    }
    let why = "the resolution may hold the SYN back, the kernel the acknowledgement of the answer";
    assert_eq!(counted, [6, 2, 1, 1, 0], "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_dropped_counts_its_end_when_it_leaves() {
    let plant = gentle();
    let visit = plant.visit(7).await;
    let lease = opened(&visit, at(7)).await.unwrap();
    sleep(2 * SECOND).await;
    assert_eq!(plant.wire.load(), 2);
    drop(lease);
    sleep(SECOND).await;
    assert_eq!(plant.wire.load(), 2);
    sleep(SECOND).await;
    assert_eq!((plant.wire.load(), visit.spending().packets), (0, 4));
}

#[tokio::test(start_paused = true)]
async fn a_syn_counts_for_its_second_whatever_becomes_of_it() {
    for why in [io::ErrorKind::TimedOut, io::ErrorKind::ConnectionRefused] {
        let plant = gentle();
        let visit = plant.visit(7).await;
        let (permit, lease) = visit.connect(at(7), "modbus").await.unwrap();
        permit.pass(|_| ()).unwrap();
        lease.not_connected(&why.into(), SECOND).unwrap();
        drop(lease);
        sleep(1_049 * MOMENT).await;
        assert_eq!(plant.wire.load(), 1, "{why}");
        sleep(MOMENT).await;
        assert_eq!(plant.wire.load(), 0, "{why}");
    }
}

/// Our system acknowledges the first piece of an answer, and then two together if the second comes
/// within 40 ms.
#[tokio::test(start_paused = true)]
async fn the_pieces_of_an_answer_cost_what_acknowledges_them_until_they_are_too_many() {
    // One more may be on its way, and that would be the tenth, or of nine the ninth.
    for most in [9, 10] {
        let plant = plant(|limits| limits.device_packets_per_s = most);
        let visit = plant.visit(7).await;
        let _lease = opened(&visit, at(7)).await.unwrap();
        admitted(&visit).await.unwrap().pass(|_| ()).unwrap();
        let mut costs = Vec::new();
        for pause in [0, 0, 0, 39, 0, 40] {
            sleep(pause * MOMENT).await;
            let before = visit.spending().packets;
            let taken = visit.received(&[0; 10]).is_ok();
            costs.push((visit.spending().packets - before, taken));
        }
        let fine = [(1, true), (0, true), (1, true), (0, true), (1, true)];
        assert_eq!(costs[..5], fine, "{most}");
        assert_eq!(costs[5], (1, false), "{most}");
        assert!(visit.was_flooded());
    }
}

/// Room for two further acknowledgements is kept for an answer that comes in pieces by its nature.
#[tokio::test(start_paused = true)]
async fn the_pieces_of_a_long_answer_have_their_room_until_it_is_read() {
    let plant = gentle();
    let visit = plant.visit(7).await;
    let _lease = opened(&visit, at(7)).await.unwrap();
    let station = Dnp3 { outstation: 10, master: 1 };
    let all = ReadAttributes(dnp3::Function::ReadAllAttributes);
    let frame = Arc::new(Frame::of(&station, 1, &all).unwrap());
    drop(visit.admit(Arc::clone(&frame), PATIENCE).await.unwrap());
    assert_eq!(plant.wire.load(), 4);
    visit.admit(frame, PATIENCE).await.unwrap().pass(|_| ()).unwrap();
    assert_eq!(plant.wire.load(), 8);
    for load in [8, 8, 8] {
        visit.received(&[0; 10]).unwrap();
        assert_eq!(plant.wire.load(), load);
    }
    visit.answered(MOMENT, false).unwrap();
    assert_eq!(plant.wire.load(), 7, "of the two, one was used");
}

#[tokio::test(start_paused = true)]
async fn silence_means_what_was_said_before_it() {
    let plant = gentle();
    let visit = plant.visit(7).await;
    let _lease = opened(&visit, at(7)).await.unwrap();
    admitted(&visit).await.unwrap().pass(|_| ()).unwrap();
    assert!(!visit.has_answered());
    assert_eq!(visit.silent("A", true), Silence::NeverAnswered);
    assert_eq!((plant.quarantine(7), visit.went_silent()), (None, false));

    let visit = plant.visit(8).await;
    let _lease = opened(&visit, at(8)).await.unwrap();
    ask(&visit).await.unwrap();
    assert!(visit.has_answered());
    assert_eq!(visit.silent("B", true), Silence::WentDark);
    assert_eq!(plant.quarantine(8).unwrap(), "silent after B though it had answered before");
    assert!(visit.went_silent() && plant.gate.stopped().is_none());
    assert!(matches!(admitted(&visit).await.map(drop), Err(Refusal::Quarantined { .. })));

    let visit = plant.visit(9).await;
    let _lease = opened(&visit, at(9)).await.unwrap();
    ask(&visit).await.unwrap();
    assert_eq!(visit.silent("C", true), Silence::WentDark);
    assert_eq!(plant.gate.stopped(), Some(StopReason::HarmSuspected), "the second of its subnet");
}

#[tokio::test(start_paused = true)]
async fn whoever_granted_no_more_than_the_transport_is_quarantined_and_the_scan_goes_on() {
    let plant = gentle();
    for (host, alive, means) in [(7, true, Silence::TransportOnly), (8, false, Silence::WentDark)] {
        let visit = plant.visit(host).await;
        let _lease = opened(&visit, at(host)).await.unwrap();
        admitted(&visit).await.unwrap().pass(|_| ()).unwrap();
        visit.received(&[0; 10]).unwrap();
        visit.heard(true);
        visit.answered(MOMENT, false).unwrap();
        assert_eq!(visit.silent("A", alive), means);
        let why = plant.quarantine(host).unwrap();
        assert_eq!(why.contains("granted the transport"), alive, "{why}");
    }
    assert_eq!(plant.gate.stopped(), None);
    // On another connection it says nothing about this one.
    let visit = plant.visit(10).await;
    let lease = opened(&visit, at(10)).await.unwrap();
    ask(&visit).await.unwrap();
    visit.heard(true);
    lease.closed(Close::Polite);
    let _lease = opened(&visit, at(10)).await.unwrap();
    assert_eq!(visit.silent("A", true), Silence::WentDark);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_answers_is_no_sign_of_harm_but_the_end_of_the_visit() {
    let plant = gentle();
    let visit = plant.visit(7).await;
    let _lease = opened(&visit, at(7)).await.unwrap();
    assert_eq!(visit.nobody_behind("A", true), Silence::NotMeant);
    assert_eq!(visit.not_meant("A", true), Silence::NotMeant);
    ask(&visit).await.unwrap();
    assert_eq!(visit.not_meant("A", true), Silence::NotMeant);
    assert_eq!(plant.quarantine(7), None);
    assert!(matches!(admitted(&visit).await.map(drop), Err(Refusal::NotMeant { .. })));
    let visit = plant.visit(8).await;
    let _lease = opened(&visit, at(8)).await.unwrap();
    ask(&visit).await.unwrap();
    assert_eq!(visit.not_meant("A", false), Silence::WentDark, "its system is gone as well");
}

#[tokio::test(start_paused = true)]
async fn whoever_broke_off_gets_no_further_connection() {
    let plant = gentle();
    let visit = plant.visit(7).await;
    drop(opened(&visit, at(7)).await.unwrap());
    visit.broke_off();
    let refused = visit.connect(at(7), "modbus").await.map(drop);
    assert_eq!(refused, Err(Refusal::LeftAlone(visit.device())));
}

#[tokio::test(start_paused = true)]
async fn a_router_that_keeps_refusing_wants_us_to_stop() {
    let attempt = async |plant: &Plant, host, took| {
        let visit = plant.visit(host).await;
        let (permit, lease) = visit.connect(at(host), "modbus").await?;
        permit.pass(|_| ())?;
        lease.not_connected(&io::ErrorKind::HostUnreachable.into(), took)
    };
    for (took, leaves) in [(SECOND - MOMENT, true), (SECOND, false)] {
        let plant = gentle();
        for host in 1..=5 {
            assert_eq!(attempt(&plant, host, took).await, Ok(()));
        }
        let sixth = attempt(&plant, 6, took).await;
        assert_eq!(matches!(sixth, Err(Refusal::SubnetLeftAlone(_))), leaves, "{sixth:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn in_a_subnet_that_is_left_alone_only_an_open_connection_gets_its_first_question() {
    let plant = gentle();
    let (asked, mute) = (plant.visit(7).await, plant.visit(8).await);
    let _leases = (opened(&asked, at(7)).await.unwrap(), opened(&mute, at(8)).await.unwrap());
    ask(&asked).await.unwrap();
    for host in 1..=5 {
        let visit = plant.visit(host).await;
        let (permit, lease) = visit.connect(at(host), "modbus").await.unwrap();
        permit.pass(|_| ()).unwrap();
        lease.not_connected(&io::ErrorKind::NetworkUnreachable.into(), MOMENT).unwrap();
    }
    assert_eq!(ask(&asked).await, Err(Refusal::SubnetLeftAlone(at(7).ip())));
    assert_eq!(ask(&mute).await, Ok(()));
    assert_eq!(ask(&mute).await, Err(Refusal::SubnetLeftAlone(at(8).ip())));
}

#[tokio::test(start_paused = true)]
async fn what_did_not_leave_whole_is_in_the_journal() {
    let journal = Arc::new(MemoryJournal::default());
    let gate = Gate::new(Parts { journal: journal.clone(), ..parts(Policy::gentle()) });
    let visit = gate.visit(at(7), ENOUGH).await.unwrap();
    let lease = opened(&visit, at(7)).await.unwrap();
    admitted(&visit).await.unwrap().pass(|_| ()).unwrap();
    lease.not_sent(3, &io::ErrorKind::BrokenPipe.into()).unwrap();
    let last = journal.entries().pop().unwrap().what;
    assert!(matches!(last, What::NotSent { written: 3, .. }), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn a_device_has_its_time_and_nothing_is_begun_that_does_not_fit_into_it() {
    let plant = gentle();
    let visit = plant.visit(7).await;
    sleep(100 * SECOND).await;
    assert_eq!(visit.time_left(), 60 * SECOND, "waiting for a turn costs nothing");
    let began = Instant::now();
    drop(opened(&visit, at(7)).await.unwrap());
    // A connection may take 0.9 s and its first question 5 s.
    sleep(60 * SECOND - Duration::from_millis(5_900) - MOMENT).await;
    assert_eq!(visit.time_left(), Duration::from_millis(5_901));
    drop(visit.connect(at(7), "modbus").await.unwrap());
    sleep(MOMENT).await;
    let refused = visit.connect(at(7), "modbus").await.map(drop).unwrap_err();
    assert!(matches!(refused, Refusal::Spent { limit: "device_time_s", allowed: 60, .. }));
    assert_eq!(began.elapsed() + visit.time_left(), 60 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_pause_between_two_conversations_takes_no_time_from_a_device() {
    let plant = gentle();
    let visit = plant.visit(7).await;
    opened(&visit, at(7)).await.unwrap().closed(Close::Polite);
    let left = visit.time_left();
    plant.gate.pause();
    let (again, ()) = tokio::join!(opened(&visit, at(7)), async {
        sleep(100 * SECOND).await;
        plant.gate.resume();
    });
    again.unwrap().closed(Close::Polite);
    assert!(left - visit.time_left() < 5 * SECOND, "{left:?}, {:?}", visit.time_left());
}

#[tokio::test(start_paused = true)]
async fn a_question_is_not_asked_when_its_answer_might_come_too_late() {
    let plant = plant(|limits| limits.device_time_s = 10);
    let visit = plant.visit(7).await;
    let _lease = opened(&visit, at(7)).await.unwrap();
    ask(&visit).await.unwrap();
    sleep(7 * SECOND).await;
    assert_eq!(visit.time_left(), PATIENCE);
    drop(admitted(&visit).await.unwrap());
    sleep(MOMENT).await;
    let refused = admitted(&visit).await.map(drop).unwrap_err();
    assert!(matches!(refused, Refusal::Spent { limit: "device_time_s", .. }));
    // Whoever has let us in gets its first question all the same.
    let visit = plant.visit(8).await;
    let _lease = opened(&visit, at(8)).await.unwrap();
    sleep(9 * SECOND).await;
    drop(admitted(&visit).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_new_connection_has_new_questions_and_datagrams_go_on_with_the_old_ones() {
    let plant = gentle();
    let visit = plant.visit(7).await;
    let lease = opened(&visit, at(7)).await.unwrap();
    ask(&visit).await.unwrap();
    assert_eq!(visit.questions_left(), 11);
    lease.closed(Close::Polite);
    let lease = opened(&visit, at(7)).await.unwrap();
    assert_eq!(visit.questions_left(), 12);
    lease.closed(Close::Polite);

    let to = SocketAddr::new(at(8).ip(), 47808);
    let visit = plant.gate.visit(to, ENOUGH).await.unwrap();
    for left in [11, 10] {
        let (permit, lease) = visit.address(to, None, "bacnet").await.unwrap();
        permit.pass(|_| ()).unwrap();
        lease.bound(local()).unwrap();
        admitted_datagram(&visit).await.unwrap();
        let never_heard = u32::from(left == 11);
        assert_eq!(visit.repetitions_left(), never_heard);
        visit.received(&[0; 10]).unwrap();
        visit.answered(MOMENT, false).unwrap();
        assert_eq!(visit.questions_left(), left);
        lease.closed(Close::Released);
    }
    assert_eq!(visit.spending().packets, 2, "one packet for a datagram, and none for its answer");
}

#[tokio::test(start_paused = true)]
async fn a_datagram_is_sent_once_more_as_long_as_nobody_was_ever_heard() {
    let plant = gentle();
    let to = SocketAddr::new(at(7).ip(), 47808);
    let visit = plant.gate.visit(to, ENOUGH).await.unwrap();
    assert_eq!(visit.repetitions_left(), 0, "nothing was sent");
    let (permit, lease) = visit.address(to, None, "bacnet").await.unwrap();
    assert_eq!(plant.wire.load(), 1, "the first datagram");
    permit.pass(|_| ()).unwrap();
    lease.bound(local()).unwrap();
    assert_eq!(plant.wire.load(), 1, "a socket sends nothing");
    admitted_datagram(&visit).await.unwrap();
    assert_eq!((plant.wire.load(), visit.spending().packets), (1, 1));
    assert_eq!((visit.repetitions_left(), visit.was_heard()), (1, false));
    visit.repeats();
    assert_eq!(visit.repetitions_left(), 0);
    lease.closed(Close::Released);
    let (_permit, lease) = visit.address(to, None, "bacnet").await.unwrap();
    lease.bound(local()).unwrap();
    admitted_datagram(&visit).await.unwrap();
    assert_eq!(visit.repetitions_left(), 1);
    visit.received(&[0; 10]).unwrap();
    assert_eq!((visit.repetitions_left(), visit.was_heard()), (0, true));
}

#[tokio::test(start_paused = true)]
async fn kinds_that_are_never_questioned_and_kinds_that_went_dark_are_left() {
    let plant = gentle();
    let visit = plant.visit(7).await;
    assert_eq!(visit.is_a("Rigwerk", "RW-1"), Ok(()));
    let _lease = opened(&visit, at(7)).await.unwrap();
    ask(&visit).await.unwrap();
    assert_eq!(visit.silent("A", true), Silence::WentDark);
    let visit = plant.visit(8).await;
    let same = Refusal::SameKindWentDark("Rigwerk RW-1".to_owned());
    assert_eq!(visit.is_a("Rigwerk", "RW-1"), Err(same.clone()));
    assert_eq!(visit.connect(at(8), "modbus").await.map(drop), Err(same));
    let visit = plant.visit(9).await;
    let sensitive = Refusal::Sensitive("safety controller".to_owned());
    assert_eq!(visit.is_a("HIMA", "HIMax"), Err(sensitive.clone()));
    assert_eq!(visit.connect(at(9), "modbus").await.map(drop), Err(sensitive));
}

#[tokio::test(start_paused = true)]
async fn when_a_device_was_visited_is_remembered_once_it_has_let_us_in() {
    let plant = gentle();
    let visited = |host| {
        let record = plant.memory.recall(&otcore::Zone::default(), Device::at(at(host))).unwrap();
        record.visited
    };
    let visit = plant.visit(7).await;
    let (permit, lease) = visit.connect(at(7), "modbus").await.unwrap();
    permit.pass(|_| ()).unwrap();
    assert_eq!(visited(7), None);
    let now = plant.gate.now();
    lease.connected(local()).unwrap();
    assert_eq!(visited(7), Some(now));
    lease.closed(Close::Polite);
    sleep(5 * SECOND).await;
    drop(opened(&visit, at(7)).await.unwrap());
    assert_eq!(visited(7), Some(now), "the first time counts");
}

/// The process may send eight packets in its second: four connections, and nothing to end them.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_connection_waits_for_its_turn_as_well() {
    let plant = plant(|limits| limits.process_packets_per_s = 8);
    let mut begun = Vec::new();
    for host in 1..=4 {
        let visit = plant.visit(host).await;
        let (permit, lease) = visit.connect(at(host), "modbus").await.unwrap();
        begun.push((visit, permit, lease));
    }
    let mut open = Vec::new();
    for (visit, permit, lease) in begun {
        permit.pass(|_| ()).unwrap();
        lease.connected(local()).unwrap();
        open.push((lease, visit));
    }
    let began = Instant::now();
    open[0].1.may_close().await.unwrap();
    // Of the eight, the four that acknowledged the handshakes count the least long.
    assert_eq!(began.elapsed(), Duration::from_millis(1_010));
    plant.gate.stop(StopReason::Asked);
    assert_eq!(open[1].1.may_close().await, Err(Refusal::Stopped(StopReason::Asked)));
}

#[tokio::test(start_paused = true)]
async fn a_datagram_waits_for_the_rest_of_the_device_and_a_connection_only_for_its_gap() {
    let slow = 5 * SECOND; // four times that is its rest
    let plant = gentle();
    let visit = plant.visit(7).await;
    let lease = opened(&visit, at(7)).await.unwrap();
    admitted(&visit).await.unwrap().pass(|_| ()).unwrap();
    visit.received(&[0; 10]).unwrap();
    visit.answered(slow, false).unwrap();
    lease.closed(Close::Polite);
    let answered = Instant::now();
    let (permit, lease) = visit.connect(at(7), "modbus").await.unwrap();
    assert_eq!(answered.elapsed(), 2 * SECOND);
    drop((permit, lease));
    let (_permit, _lease) = visit.address(at(7), None, "bacnet").await.unwrap();
    assert_eq!(answered.elapsed(), 20 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_question_may_be_as_long_as_the_policy_says() {
    for (most, fits) in [(8, true), (7, false)] {
        let plant = plant(|limits| limits.request_bytes = most);
        let visit = plant.visit(7).await;
        let _lease = opened(&visit, at(7)).await.unwrap();
        let refused = admitted(&visit).await.map(drop);
        assert_eq!(refused.is_ok(), fits, "{refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_that_an_old_answer_was_enough_for_leaves_nothing_promised() {
    let plant = gentle();
    let visit = plant.visit(7).await;
    let lease = opened(&visit, at(7)).await.unwrap();
    for _ in 0..3 {
        admitted(&visit).await.unwrap().pass(|_| ()).unwrap();
        visit.heard(false);
        visit.answered(MOMENT, false).unwrap();
    }
    lease.closed(Close::Polite);
    sleep(2 * SECOND).await;
    assert_eq!(plant.wire.load(), 0, "what stays promised keeps others waiting for ever");
}

#[tokio::test(start_paused = true)]
async fn a_conversation_with_another_port_is_another_one() {
    let plant = gentle();
    let visit = plant.visit(7).await;
    for (port, left) in [(47808, 11), (47808, 10), (47809, 11), (47808, 11)] {
        let to = SocketAddr::new(at(7).ip(), port);
        let (permit, lease) = visit.address(to, None, "bacnet").await.unwrap();
        permit.pass(|_| ()).unwrap();
        lease.bound(local()).unwrap();
        admitted_datagram(&visit).await.unwrap();
        visit.received(&[0; 10]).unwrap();
        visit.answered(MOMENT, false).unwrap();
        assert_eq!(visit.questions_left(), left, "{port}");
        lease.closed(Close::Released);
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_one_packet_has_room_for_one_datagram() {
    let plant = gentle();
    let visit = plant.gate.visit(at(7), 1).await.unwrap();
    let (permit, lease) = visit.address(at(7), None, "bacnet").await.unwrap();
    permit.pass(|_| ()).unwrap();
    lease.bound(local()).unwrap();
    assert_eq!(admitted_datagram(&visit).await, Ok(()));
    let device = visit.device();
    assert_eq!(admitted_datagram(&visit).await, Err(Refusal::PlanSpent { device, planned: 1 }));
}

#[tokio::test(start_paused = true)]
async fn closing_a_parked_connection_takes_nothing_from_those_that_are_open() {
    let plant = gentle();
    let dark = plant.visit(7).await;
    let lease = opened(&dark, at(7)).await.unwrap();
    ask(&dark).await.unwrap();
    assert_eq!(dark.silent("A", true), Silence::WentDark);
    dark.park(Box::new(lease));
    let visit = plant.visit(8).await;
    let _lease = opened(&visit, at(8)).await.unwrap();
    sleep(2 * SECOND).await;
    assert_eq!(plant.wire.load(), 2, "the end of the one that is open");
    plant.gate.close_parked();
    assert_eq!(plant.wire.load(), 4);
}
