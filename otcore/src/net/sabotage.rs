//! What the saboteurs of the tests do to sockets; see `gate::sabotage`.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};

use crate::frame::Frame;
use crate::gate::sabotage::Saboteur;

/// An address of TEST-NET-2 (RFC 5737), which no policy of the tests names.
const NOBODY_ASKED: ([u8; 4], u16) = ([198, 51, 100, 1], 502);

/// The finished bytes, or a Write Single Register in their place, or nothing.
pub(super) fn finished(frame: &Frame) -> Vec<u8> {
    let mut bytes = frame.bytes().to_vec();
    if Saboteur::Write.is_at_work() {
        bytes.truncate(4);
        bytes.extend([0, 6, 0xFF, 0x06, 0, 0, 0, 0]);
        bytes.truncate(frame.bytes().len());
    }
    bytes
}

/// A connection that the gate knows nothing of, kept for as long as the returned socket.
pub(super) fn uninvited(device: SocketAddr) -> Option<Socket> {
    let to = match () {
        () if Saboteur::Scope.is_at_work() => SocketAddr::from(NOBODY_ASKED),
        () if Saboteur::SecondConnection.is_at_work() => device,
        () => return None,
    };
    connect(to).ok()
}

fn connect(to: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    drop(socket.connect(&to.into())); // under way is an error too
    Ok(socket)
}
