//! TCP connections.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::frame::Frame;
use crate::gate::journal::Close;
use crate::gate::sabotage::Saboteur;
use crate::gate::{Connection, Permit};
use crate::session::{Dialer, LinkError, Manners, Transport};

/// Opens TCP connections with the kernel's own sockets; needs no rights.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpDialer;

/// What the kernel may hold for us: many times the largest answer of any protocol of the plant.
const RECEIVE_BUFFER: usize = 16 * 1024;

/// Largest piece taken from the kernel at once.
const CHUNK: usize = 2048;

#[async_trait]
impl Dialer for TcpDialer {
    async fn dial(&self, to: Permit<Connection>) -> Result<Box<dyn Transport>, LinkError> {
        // The SYN leaves inside the permit: after an abort there is none.
        let stream = to.pass(begin_connecting)??;
        stream.writable().await?;
        match stream.take_error()? {
            Some(error) => Err(error.into()),
            None => Ok(Box::new(Tcp::new(stream)?)),
        }
    }
}

fn begin_connecting(connection: &Connection) -> io::Result<TcpStream> {
    let domain = Domain::for_address(connection.to);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?; // a question is one segment, at once
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?; // a flood ends here, not in memory
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        socket.set_tcp_user_timeout(Some(connection.patience))?;
        socket.set_tcp_quickack(false)?; // one acknowledgement for an answer in pieces
    }
    match socket.connect(&connection.to.into()) {
        Err(error) if !is_under_way(&error) => return Err(error),
        _ => {}
    }
    TcpStream::from_std(socket.into())
}

fn is_under_way(error: &io::Error) -> bool {
    #[cfg(unix)]
    let in_progress = error.raw_os_error() == Some(libc::EINPROGRESS);
    #[cfg(not(unix))]
    let in_progress = false;
    in_progress || error.kind() == io::ErrorKind::WouldBlock
}

/// The bytes as they leave: those of the frame, except under a saboteur.
#[cfg(not(feature = "sabotage"))]
fn finished(frame: &Frame) -> &[u8] {
    frame.bytes()
}

#[cfg(feature = "sabotage")]
use super::sabotage::finished;

struct Tcp {
    stream: TcpStream,
    local: SocketAddr,
    #[cfg(feature = "sabotage")]
    _uninvited: Option<Socket>,
}

impl Tcp {
    fn new(stream: TcpStream) -> io::Result<Self> {
        let local = stream.local_addr()?;
        #[cfg(feature = "sabotage")]
        let _uninvited = super::sabotage::uninvited(stream.peer_addr()?);
        Ok(Self {
            stream,
            local,
            #[cfg(feature = "sabotage")]
            _uninvited,
        })
    }
}

#[async_trait]
impl Transport for Tcp {
    async fn send(&mut self, question: Permit<Arc<Frame>>) -> Result<(), LinkError> {
        if Saboteur::Empty.is_at_work() {
            return Ok(());
        }
        self.stream.writable().await?;
        let (written, whole) = question
            .pass(|frame| (self.stream.try_write(finished(frame).as_ref()), frame.bytes().len()))
            .map(|(written, whole)| written.map(|written| (written, whole)))??;
        if written == whole {
            return Ok(());
        }
        // A question is smaller than any empty send buffer, so this device takes nothing.
        Err(LinkError::Io { written, source: io::ErrorKind::WriteZero.into() })
    }

    async fn recv(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
        loop {
            self.stream.readable().await?;
            let mut chunk = [0; CHUNK];
            match self.stream.try_read(&mut chunk) {
                Ok(count) => {
                    buf.extend_from_slice(chunk.get(..count).unwrap_or_default());
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Drained first: closing with unread bytes would be a reset instead of a goodbye.
    async fn close(&mut self, manners: Manners) -> Close {
        if self.drain_waiting(manners) {
            return Close::ByDevice;
        }
        if SockRef::from(&self.stream).shutdown(Shutdown::Write).is_err() {
            return Close::ByDevice;
        }
        let until = Instant::now() + manners.drain.max(manners.wait);
        let mut left = manners.drain_bytes;
        let mut buf = Vec::new();
        loop {
            buf.clear();
            match timeout_at(until, self.recv(&mut buf)).await {
                Ok(Ok(0)) => return Close::Polite,
                Ok(Ok(count)) if count < left => left -= count,
                Ok(Err(_)) => return Close::ByDevice,
                _ => return Close::OneSided,
            }
        }
    }

    fn local(&self) -> SocketAddr {
        self.local
    }
}

impl Tcp {
    /// Take what has already arrived; true if the device has closed.
    fn drain_waiting(&mut self, manners: Manners) -> bool {
        let mut left = manners.drain_bytes;
        let mut chunk = [0; CHUNK];
        while left > 0 {
            match self.stream.try_read(&mut chunk) {
                Ok(0) => return true,
                Ok(count) => left = left.saturating_sub(count),
                Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
            }
        }
        false
    }
}
