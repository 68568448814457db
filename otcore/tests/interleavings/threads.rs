//! The same on real threads, where two may be inside at once: whatever the processor reorders.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use otcore::gate::policy::Limits;

use crate::rounds;
use crate::visitor::World;

/// Limits that are reached within a moment of real time.
fn wide() -> Limits {
    Limits {
        device_packets_per_s: 20,
        subnet_packets_per_s: 100,
        process_packets_per_s: 60,
        subnet_new_addresses_per_s: 16,
        subnet_devices: 16,
        subnet_unresolved: 16,
        connection_gap_ms: 500,
        request_gap_ms: 50,
        ..Limits::default()
    }
}

/// Many visitors on several threads, in real time, keep every limit, and all of them get on.
#[test]
fn on_real_threads_nobody_breaks_a_limit_and_nobody_waits_for_ever() {
    let runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = { runtime }.worker_threads(4).enable_time().build().unwrap();
    let world = World::new(wide());
    runtime.block_on(async {
        let scans = [world.scan(), world.scan()];
        let visitors = (0..24_u8).map(|nth| {
            let scan = scans[usize::from(nth % 2)].clone();
            tokio::spawn(scan.visitor(1 + nth / 2, nth % 3 == 0))
        });
        for visitor in visitors.collect::<Vec<_>>() {
            tokio::time::timeout(Duration::from_secs(60), visitor).await.unwrap().unwrap();
        }
    });
    world.check();
}

/// A permit that was granted is passed at the same moment as the scan is aborted, by another thread.
#[test]
fn on_real_threads_nothing_leaves_once_an_abort_has_returned() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(3).enable_time().build().unwrap();
    for _ in 0..rounds() {
        let world = World::new(wide());
        let scan = world.scan();
        let start = Arc::new(Barrier::new(2));
        runtime.block_on(async {
            let visitors: Vec<_> =
                (1..4).map(|host| tokio::spawn(scan.clone().visitor(host, true))).collect();
            let (aborts, waits) = (scan.clone(), Arc::clone(&start));
            let aborter = std::thread::spawn(move || {
                waits.wait();
                aborts.abort();
            });
            start.wait();
            for visitor in visitors {
                visitor.await.unwrap(); // a packet after the abort would stop it
            }
            aborter.join().unwrap();
        });
        world.check();
    }
}
