//! Datagrams to one peer and back.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::finished;
use crate::frame::Frame;
use crate::gate::journal::Close;
use crate::gate::sabotage::Saboteur;
use crate::gate::{Peer, Permit};
use crate::session::{LinkError, Manners, Transport};

/// What the kernel may hold for us: several times the largest answer of any protocol of the plant.
/// It drops what does not fit, and nobody is told.
const RECEIVE_BUFFER: usize = 16 * 1024;

/// Largest datagram that is taken whole. Answers fit into one packet; of a larger one the beginning
/// is taken, which is no whole message.
const LARGEST: usize = 4096;

/// Opens a socket for datagrams to and from this peer alone; nothing leaves by that.
pub(super) fn address(to: Permit<Peer>) -> Result<Box<dyn Transport>, LinkError> {
    let socket = to.pass(|peer| open(peer.to))??;
    let local = socket.local_addr()?;
    Ok(Box::new(Udp { socket, local }))
}

/// A connected socket: the kernel drops what comes from any other address or port, and tells us
/// when the peer, or somebody on the way, says that nobody is there.
fn open(to: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(to), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.connect(&SockAddr::from(to))?;
    UdpSocket::from_std(socket.into())
}

/// That nobody listens at the port reads as a reset on Windows.
fn refusal(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::ConnectionReset => io::ErrorKind::ConnectionRefused.into(),
        _ => error,
    }
}

struct Udp {
    socket: UdpSocket,
    local: SocketAddr,
}

impl Udp {
    /// What somebody on the way said of a datagram of ours. That an error waits makes a socket ready,
    /// but not to be read.
    fn check(&self) -> io::Result<()> {
        let said = self.socket.take_error()?.map(refusal);
        // Looked at; wait for the next.
        let _ = self.socket.try_io(Interest::ERROR, || -> io::Result<()> {
            Err(io::ErrorKind::WouldBlock.into())
        });
        said.map_or(Ok(()), Err)
    }
}

#[async_trait]
impl Transport for Udp {
    async fn send(&mut self, question: Permit<Arc<Frame>>) -> Result<(), LinkError> {
        if Saboteur::Empty.is_at_work() {
            return Ok(());
        }
        self.socket.writable().await?;
        // The datagram leaves inside the permit: after an abort there is none.
        question.pass(|frame| self.socket.try_send(finished(frame).as_ref()))??;
        Ok(())
    }

    async fn recv(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
        loop {
            let ready = self.socket.ready(Interest::READABLE | Interest::ERROR).await?;
            if ready.is_error() {
                self.check()?;
            }
            let mut datagram = vec![0; LARGEST];
            match self.socket.try_recv(&mut datagram) {
                Ok(0) => {} // says nothing
                Ok(count) => {
                    buf.extend_from_slice(datagram.get(..count).unwrap_or_default());
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(refusal(error)),
            }
        }
    }

    /// There is nobody to say goodbye to.
    async fn close(&mut self, _: Manners) -> Close {
        Close::Released
    }

    fn local(&self) -> SocketAddr {
        self.local
    }
}
