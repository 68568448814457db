//! Datagrams over real sockets: whom they go to, whose answers count, and what a refusal is.
#![cfg(feature = "net")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::disallowed_types
)] // a test says what went wrong by stopping; the other side of the wire has sockets of its own

mod peers_support;

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use otcore::gate::journal::What;
use otcore::{Outcome, Policy, Scanner, Targets};
use peers_support::{Scanned, scan};

/// An answer to List Identity: an adapter with the serial number 1.
fn answer(question: &[u8]) -> Vec<u8> {
    let mut item = vec![1, 0, 0, 2, 0xAF, 0x12, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    item.extend([1, 0, 12, 0, 58, 0, 4, 7, 0x30, 0, 1, 0, 0, 0, 3, b'A', b'B', b'C', 3]);
    let mut bytes = question.to_vec();
    bytes[2] = 6 + item.len() as u8;
    bytes.extend([1, 0, 0x0C, 0, item.len() as u8, 0]);
    bytes.extend(item);
    bytes
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    socket
}

/// Asks who is at `at`, with nothing else in the policy than usual.
async fn ask(at: SocketAddr) -> Scanned {
    scan(&[format!("enip://{at}")], Policy::gentle()).await
}

fn asked(scanned: &Scanned) -> usize {
    scanned.journal.iter().filter(|entry| matches!(entry.what, What::Sent { .. })).count()
}

/// For every datagram that arrives, does `then`; how many arrived.
fn serve(
    socket: UdpSocket,
    then: impl Fn(&UdpSocket, &[u8], SocketAddr) + Send + 'static,
) -> Arc<AtomicUsize> {
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        loop {
            match socket.recv_from(&mut buffer) {
                Ok((length, from)) => {
                    count.fetch_add(1, Ordering::SeqCst);
                    then(&socket, &buffer[..length], from);
                }
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
                Err(_) => return,
            }
        }
    });
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_from_where_was_asked_is_taken() {
    let socket = socket();
    let at = socket.local_addr().unwrap();
    let seen = serve(socket, |socket, question, from| {
        socket.send_to(&answer(question), from).unwrap();
    });
    let scanned = ask(at).await;
    assert_eq!(scanned.outcome().outcome, Outcome::Identified, "{:?}", scanned.outcome());
    assert_eq!((seen.load(Ordering::SeqCst), asked(&scanned)), (1, 1));
    assert_eq!(scanned.outcome().packets, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_from_another_port_or_address_is_none() {
    for elsewhere in ["127.0.0.1:0", "127.0.0.2:0"] {
        let Ok(other) = UdpSocket::bind(elsewhere) else { continue }; // not on every system
        let socket = socket();
        let at = socket.local_addr().unwrap();
        let seen = serve(socket, move |_, question, from| {
            other.send_to(&answer(question), from).unwrap();
        });
        let scanned = ask(at).await;
        assert_eq!(seen.load(Ordering::SeqCst), 2, "asked, and asked once more");
        assert!(scanned.report.assets.is_empty());
        let received = |what: &What| matches!(what, What::Received { .. });
        assert!(!scanned.journal.iter().any(|entry| received(&entry.what)));
        // Nobody listens for connections there, which is the last word.
        assert_eq!(scanned.outcome().outcome, Outcome::Refused, "{:?}", scanned.outcome());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_nobody_listens_at_is_a_refusal_and_not_a_silence() {
    let at = socket().local_addr().unwrap(); // and closed again
    let began = Instant::now();
    let scanned = ask(at).await;
    assert_eq!(scanned.outcome().outcome, Outcome::Refused, "{:?}", scanned.outcome());
    assert_eq!(asked(&scanned), 1, "no repetition");
    // The rest between two conversations, and no time for an answer.
    let limits = Policy::gentle().limits;
    let gap = Duration::from_millis(limits.connection_gap_ms.into());
    assert!(began.elapsed() < gap + Duration::from_millis(900), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_connection_is_opened_while_a_datagram_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let Ok(socket) = UdpSocket::bind(at) else { return }; // somebody else has it
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let connected = thread::spawn(move || {
        let _line = listener.accept().unwrap();
        Instant::now()
    });
    let began = Instant::now();
    let seen = serve(socket, |_, _, _| {});
    let scanned = ask(at).await;
    assert_eq!(seen.load(Ordering::SeqCst), 2);
    let limits = Policy::gentle().limits;
    let waited =
        limits.response_timeout_ms.max(limits.udp_retry_gap_ms) + limits.response_timeout_ms;
    let after = connected.join().unwrap() - began;
    assert!(after >= Duration::from_millis(waited.into()), "connected after {after:?}");
    assert!(scanned.report.assets.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_something_else_and_then_nothing_is_not_connected_to() {
    let socket = socket();
    let at = socket.local_addr().unwrap();
    let seen = serve(socket, |socket, question, from| {
        let mut stale = answer(question);
        stale[14] ^= 0xFF;
        socket.send_to(&stale, from).unwrap();
    });
    let scanned = ask(at).await;
    assert_eq!(scanned.outcome().outcome, Outcome::Silent, "{:?}", scanned.outcome());
    assert_eq!((seen.load(Ordering::SeqCst), asked(&scanned)), (1, 1));
    assert_eq!(scanned.outcome().connections, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_answers_to_one_question_are_bounded() {
    let socket = socket();
    let at = socket.local_addr().unwrap();
    let seen = serve(socket, |socket, question, from| {
        let mut stale = answer(question);
        stale[14] ^= 0xFF;
        for _ in 0..1000 {
            let _ = socket.send_to(&stale, from);
        }
    });
    let scanned = ask(at).await;
    let outcome = scanned.outcome();
    assert_eq!(outcome.outcome, Outcome::Malformed, "{outcome:?}");
    assert_eq!((seen.load(Ordering::SeqCst), outcome.connections), (1, 0));
    assert!(outcome.bytes_in <= 2048, "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_abort_no_datagram_leaves_and_no_connection() {
    let socket = socket();
    let at = socket.local_addr().unwrap();
    let seen = serve(socket, |_, _, _| {});
    let scanner = Scanner::builder().build().unwrap();
    let plan = scanner.plan(&format!("enip://{at}").parse::<Targets>().unwrap()).unwrap();
    let scan = scanner.start(plan);
    let handle = scan.handle();
    let finished = tokio::spawn(scan.finish());
    while seen.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let began = Instant::now();
    handle.abort();
    let report = finished.await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
    assert!(!report.completed);
    tokio::time::sleep(Duration::from_secs(5)).await; // longer than until the repetition
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}
