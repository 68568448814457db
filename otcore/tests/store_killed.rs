//! A program that is killed while it writes into a store loses nothing that was acknowledged.
#![cfg(feature = "store-sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout)] // the writer tells the judge what was acknowledged

mod store_support;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use otcore::fingerprint::Knowledge;
use otcore::store::{InventoryStore, Look, Sqlite, Which};
use store_support::{Folder, Seen};

/// How often the writer is killed.
const TIMES: u32 = 40;

/// Names the file that the writer writes into.
const FILE: &str = "OTCORE_TEST_STORE";

/// Looks that belong together are acknowledged together.
const TOGETHER: i64 = 3;

/// The looks of one acknowledgement; the same number makes the same looks.
fn looks(number: i64) -> Vec<Look> {
    let device = |place: i64| u8::try_from(1 + (number + place) % 5).unwrap();
    let look = |place| {
        let version = format!("V{number}");
        Seen::new(device(place), number * TOGETHER + place, &version).look()
    };
    (0..TOGETHER).map(look).collect()
}

/// Not a test by itself: the program that gets killed.
#[test]
fn writer() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let store = Sqlite::open(path).unwrap();
    let mut out = std::io::stdout().lock();
    for number in acknowledged(&store).. {
        store.append(&looks(number)).unwrap();
        writeln!(out, "kept {number}").unwrap();
        out.flush().unwrap();
    }
}

/// How many acknowledgements the store holds, all of them whole, equal and in order.
fn acknowledged(store: &Sqlite) -> i64 {
    let mut kept: Vec<Look> = Vec::new();
    for place in store.places().unwrap() {
        kept.extend(store.looks(&place, Which::All).unwrap());
    }
    kept.sort_by_key(|look| look.at);
    let number = i64::try_from(kept.len()).unwrap() / TOGETHER;
    let expected: Vec<Look> = (0..number).flat_map(looks).collect();
    assert_eq!(kept, expected, "what is kept is what was written, whole and in order");
    number
}

/// Let the writer run, kill it, and give the number of its last acknowledgement. The time to live
/// counts from its start, or from its first acknowledgement: it is killed while it opens the store
/// too, and a slow computer cannot keep it from writing.
fn run_and_kill(path: &Path, after_first: bool, time_to_live: Duration) -> Option<i64> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "writer", "--nocapture"]).env(FILE, path);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let told = BufReader::new(child.stdout.take().unwrap());
    let (first, seen) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let lines = told.lines().map_while(Result::ok);
        let numbers = lines.filter_map(|line| line.split_once("kept ")?.1.parse().ok());
        numbers.inspect(|_| first.send(()).unwrap_or_default()).last()
    });
    if after_first {
        seen.recv_timeout(Duration::from_secs(60)).expect("the writer writes");
    }
    std::thread::sleep(time_to_live);
    child.kill().unwrap(); // that one process, at once, whatever it does
    child.wait().unwrap();
    reader.join().unwrap()
}

#[test]
fn nothing_acknowledged_is_lost_however_often_the_writer_is_killed() {
    let folder = Folder::new("killed");
    let path = folder.file("plant.otcore");
    let mut last = 0;
    let mut wait: u32 = 7;
    for round in 0..TIMES {
        wait = wait.wrapping_mul(1_664_525).wrapping_add(1_013_904_223); // any spread will do
        let time_to_live = Duration::from_millis(u64::from(wait >> 16) % 60);
        let told = run_and_kill(&path, round % 2 == 0, time_to_live);
        let told = told.map_or(last, |number| number + 1);
        let store = Sqlite::open(&path).unwrap();
        store.check().unwrap();
        let kept = acknowledged(&store);
        assert!(kept >= told.max(last), "round {round}: {told} acknowledged, {kept} kept");
        let known = Knowledge::built_in();
        assert_eq!(store.inventory(&known).unwrap(), store.redecode(&known).unwrap());
        last = kept;
    }
    assert!(last >= i64::from(TIMES / 2), "the writer wrote only {last} times");
}
