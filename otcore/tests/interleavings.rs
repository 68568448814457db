//! The limiter and the abort, whoever comes first: no order of events breaks a limit, lets two visit
//! one device, leaves somebody waiting for ever, or lets anything out after an abort.
//!
//! `OTCORE_INTERLEAVINGS` says how many random orders and rounds of threads are tried (500).
#![cfg(feature = "sim")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_possible_truncation
)] // a test says what went wrong by stopping

mod common;

#[path = "interleavings/explorer.rs"]
mod explorer;
#[path = "interleavings/threads.rs"]
mod threads;
#[path = "interleavings/visitor.rs"]
mod visitor;

use common::Dice;
use explorer::{Order, Task, carry_out, step};
use otcore::gate::policy::Limits;
use visitor::{Scan, World};

/// How many random orders, and how many rounds of threads.
pub(crate) fn rounds() -> u64 {
    let text = std::env::var("OTCORE_INTERLEAVINGS").ok();
    text.map_or(500, |text| text.parse().unwrap_or_else(|_| panic!("OTCORE_INTERLEAVINGS={text}")))
}

/// Room for one connection at a time, so that everybody waits for everybody.
fn narrow() -> Limits {
    Limits {
        device_packets_per_s: 6,
        subnet_packets_per_s: 6,
        process_packets_per_s: 6,
        connection_gap_ms: 500,
        request_gap_ms: 50,
        ..Limits::default()
    }
}

/// Carry out every order of what `tasks` makes; how many there are.
fn every_order(limits: &Limits, tasks: impl Fn(&World) -> Vec<Task>) -> u64 {
    let (mut order, mut count) = (Order::every(), 0);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    loop {
        one_order(&runtime, &mut order, limits, &tasks);
        count += 1;
        if !order.next() {
            return count;
        }
    }
}

fn one_order(
    runtime: &tokio::runtime::Runtime,
    order: &mut Order,
    limits: &Limits,
    tasks: impl Fn(&World) -> Vec<Task>,
) {
    runtime.block_on(tokio::task::unconstrained(async {
        let world = World::new(limits.clone());
        carry_out(order, tasks(&world)).await;
        world.check();
    }));
}

fn visit(scan: &Scan, host: u8, asks: bool) -> Task {
    Box::pin(scan.clone().visitor(host, asks))
}

fn abort(scan: &Scan) -> Task {
    let scan = scan.clone();
    Box::pin(async move { scan.abort() })
}

fn pause_and_resume(scan: &Scan) -> Task {
    let scan = scan.clone();
    Box::pin(async move {
        scan.gate.pause();
        step().await;
        scan.gate.resume();
    })
}

#[test]
fn whoever_comes_first_a_device_has_one_visitor_and_nobody_waits_for_ever() {
    let count = every_order(&narrow(), |world| {
        let (one, other) = (world.scan(), world.scan());
        vec![visit(&one, 1, false), visit(&other, 1, true)]
    });
    println!("{count} orders");
    assert!(count > 50, "{count}");
}

#[test]
fn whoever_comes_first_two_never_take_the_room_of_one() {
    let count = every_order(&narrow(), |world| {
        let (one, other) = (world.scan(), world.scan());
        vec![visit(&one, 1, true), visit(&other, 2, false)]
    });
    println!("{count} orders");
    assert!(count > 100, "{count}");
}

#[test]
fn whenever_an_abort_comes_nothing_leaves_after_it_and_others_get_on() {
    let count = every_order(&narrow(), |world| {
        let (stopped, other) = (world.scan(), world.scan());
        vec![visit(&stopped, 1, true), visit(&other, 2, false), abort(&stopped)]
    });
    println!("{count} orders");
    assert!(count > 1_000, "{count}");
}

#[test]
fn whenever_a_pause_comes_everybody_gets_on_after_it() {
    let count = every_order(&narrow(), |world| {
        let scan = world.scan();
        vec![visit(&scan, 1, false), visit(&scan, 2, false), pause_and_resume(&scan)]
    });
    println!("{count} orders");
    assert!(count > 1_000, "{count}");
}

/// Too many for every order: six visitors, two scans, a pause and an abort.
#[test]
fn in_random_orders_many_keep_every_limit() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    for seed in 0..rounds() {
        let limits = Limits { parallel_devices: 3, subnet_unresolved: 2, ..narrow() };
        one_order(&runtime, &mut Order::Random(Dice::new(seed)), &limits, |world| {
            let (one, other) = (world.scan(), world.scan());
            let mut tasks: Vec<Task> = (0..6_u8)
                .map(|nth| {
                    visit(if nth % 2 == 0 { &one } else { &other }, 1 + nth / 2, nth % 3 == 0)
                })
                .collect();
            tasks.push(pause_and_resume(&other));
            if seed % 2 == 0 {
                tasks.push(abort(&one));
            }
            tasks
        });
    }
}
