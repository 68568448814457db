//! One datagram to everybody in a network, and what comes back.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::finished;
use super::udp::LARGEST;
use crate::gate::{Call, Permit};
use crate::session::LinkError;

/// Everybody answers at once.
const RECEIVE_BUFFER: usize = 256 * 1024;

/// Sends the call and listens until `patience` is over, for `most` datagrams. Whatever comes after
/// them must find somebody too, or our system would tell each sender that nobody is here.
pub(super) async fn call(
    call: Permit<Call>,
    patience: Duration,
    most: usize,
) -> Result<Vec<(SocketAddr, Vec<u8>)>, LinkError> {
    // The datagram leaves inside the permit: after an abort there is none.
    let (socket, frame) = call.pass(|call| -> io::Result<_> {
        let socket = open(call.to.port()).or_else(|_| open(0))?;
        socket.send_to(finished(&call.frame).as_ref(), call.to)?;
        Ok((UdpSocket::from_std(socket)?, Arc::clone(&call.frame)))
    })??;
    let until = Instant::now() + patience;
    let mut heard = Vec::new();
    let mut datagram = vec![0; LARGEST];
    loop {
        match timeout_at(until, socket.recv_from(&mut datagram)).await {
            Ok(Ok((count, from))) => match datagram.get(..count) {
                Some(ours) if ours == frame.bytes() => {} // everybody hears it, we too
                Some(theirs) if heard.len() < most => heard.push((from, theirs.to_vec())),
                _ => {}
            },
            // That somebody does not listen is no news of the others (Windows).
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => {}
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => break,
        }
    }
    Ok(heard)
}

/// Not connected, since everybody may answer, and exclusive, so nothing is taken from others.
fn open(port: u16) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.set_broadcast(true)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.bind(&SockAddr::from(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port)))?;
    Ok(socket.into())
}
