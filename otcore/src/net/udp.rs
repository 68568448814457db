//! Datagrams to one peer and back.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use socket2::{Domain, Protocol, SockAddr, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::postbox::{Postboxes, Slot};
use super::{finished, without_blocking};
use crate::frame::Frame;
use crate::gate::journal::Close;
use crate::gate::sabotage::Saboteur;
use crate::gate::{Peer, Permit};
use crate::session::{LinkError, Manners, Transport};

/// What the kernel may hold for us: several times the largest answer of any protocol of the plant.
/// It drops what does not fit, and nobody is told.
pub(super) const RECEIVE_BUFFER: usize = 16 * 1024;

/// Largest datagram that is taken whole. Answers fit into one packet; of a larger one the beginning
/// is taken, which is no whole message.
pub(super) const LARGEST: usize = 4096;

/// Opens a socket for datagrams to and from this peer alone; nothing leaves by that.
pub(super) fn address(
    to: Permit<Peer>,
    postboxes: &Postboxes,
) -> Result<Box<dyn Transport>, LinkError> {
    let (peer, socket) = to.pass(|peer| (*peer, open(peer.to)))?;
    let socket = socket?;
    let local = socket.local_addr()?;
    // Without it most devices are heard all the same.
    let slot = peer.reply_port.and_then(|port| postboxes.rent(local.ip(), port, peer.to).ok());
    Ok(Box::new(Udp {
        socket,
        local,
        slot,
        #[cfg(feature = "sabotage")]
        _uninvited: super::sabotage::uninvited(peer.to),
    }))
}

/// A connected socket: the kernel drops what comes from any other address or port, and tells us
/// when the peer, or somebody on the way, says that nobody is there.
fn open(to: SocketAddr) -> io::Result<UdpSocket> {
    let socket = without_blocking(Domain::for_address(to), Type::DGRAM, Protocol::UDP)?;
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

/// Whether somebody on the way says that a datagram is too long for it. A question is shorter than what
/// every host has to take (RFC 1122, 3.3.2: 576 bytes), so that is wrong or forged, and no answer.
#[cfg(unix)]
fn is_about_length(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EMSGSIZE)
}

/// Here it means that an answer was cut, which is dealt with as such.
#[cfg(not(unix))]
fn is_about_length(_: &io::Error) -> bool {
    false
}

struct Udp {
    socket: UdpSocket,
    local: SocketAddr,
    slot: Option<Slot>,
    #[cfg(feature = "sabotage")]
    _uninvited: Option<socket2::Socket>,
}

impl Udp {
    /// What somebody on the way said of a datagram of ours. That an error waits makes a socket ready,
    /// but not to be read.
    fn check(&self) -> io::Result<()> {
        let said = self.socket.take_error()?.filter(|error| !is_about_length(error)).map(refusal);
        // Looked at; wait for the next.
        let _ = self.socket.try_io(Interest::ERROR, || -> io::Result<()> {
            Err(io::ErrorKind::WouldBlock.into())
        });
        said.map_or(Ok(()), Err)
    }

    /// The next datagram that is not empty; an empty one says nothing.
    async fn next(&self) -> io::Result<Vec<u8>> {
        loop {
            let ready = self.socket.ready(Interest::READABLE | Interest::ERROR).await?;
            if ready.is_error() {
                self.check()?;
            }
            let mut datagram = vec![0; LARGEST];
            match self.socket.try_recv(&mut datagram) {
                Ok(0) => {}
                Ok(count) => {
                    datagram.truncate(count);
                    return Ok(datagram);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if is_about_length(&error) => {}
                Err(error) => return Err(refusal(error)),
            }
        }
    }

    /// What somebody said of the length of an earlier datagram stands in the way of the next once.
    fn try_send(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.socket.try_send(bytes) {
            Err(error) if is_about_length(&error) => self.socket.try_send(bytes),
            sent => sent,
        }
    }
}

#[async_trait]
impl Transport for Udp {
    async fn send(&mut self, question: Permit<Arc<Frame>>) -> Result<(), LinkError> {
        if Saboteur::Empty.is_at_work() {
            self.try_send(&[])?;
            return Ok(());
        }
        self.socket.writable().await?;
        // The datagram leaves inside the permit: after an abort there is none.
        question.pass(|frame| self.try_send(finished(frame).as_ref()))??;
        Ok(())
    }

    async fn recv(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
        let heard = match &self.slot {
            None => Some(self.next().await?),
            Some(slot) => tokio::select! {
                datagram = self.next() => Some(datagram?),
                datagram = slot.recv() => datagram.ok(),
            },
        };
        let datagram = match heard {
            Some(datagram) => datagram,
            None => {
                self.slot = None; // its own socket hears most devices all the same
                self.next().await?
            }
        };
        buf.extend_from_slice(&datagram);
        Ok(datagram.len())
    }

    /// There is nobody to say goodbye to.
    async fn close(&mut self, _: Manners) -> Close {
        Close::Released
    }

    fn local(&self) -> SocketAddr {
        self.local
    }

    fn hears_reply_port(&self) -> bool {
        self.slot.is_some()
    }
}
