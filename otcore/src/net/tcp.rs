//! TCP connections.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use socket2::{Domain, Protocol, SockRef, Type};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout_at};

use super::{finished, without_blocking};
use crate::frame::Frame;
use crate::gate::journal::Close;
use crate::gate::sabotage::Saboteur;
use crate::gate::{Connection, Permit};
use crate::session::{LinkError, Manners, Transport};

/// What the kernel may hold for us: several times the largest answer of any protocol of the plant.
/// Every segment that fits is acknowledged before anybody looks at it, so a device that floods us
/// makes us send as many packets as this lets in.
const RECEIVE_BUFFER: usize = 4 * 1024;

/// Largest piece taken from the kernel at once.
const CHUNK: usize = 2048;

/// How long the further pieces of an answer gather before they are taken. The system acknowledges what
/// was taken, but holds that back for 40 ms at least (Linux), so what gathers in half of that costs one
/// packet of ours instead of one for each piece.
const GATHERING: Duration = Duration::from_millis(20);

/// Connects.
pub(super) async fn dial(to: Permit<Connection>) -> Result<Box<dyn Transport>, LinkError> {
    // The SYN leaves inside the permit: after an abort there is none.
    let stream = to.pass(begin_connecting)??;
    stream.writable().await?;
    match stream.take_error()? {
        Some(error) => Err(error.into()),
        None => {
            stream.set_nodelay(true)?; // a question is one segment, at once
            Ok(Box::new(Tcp::new(stream)?))
        }
    }
}

fn begin_connecting(connection: &Connection) -> io::Result<TcpStream> {
    let domain = Domain::for_address(connection.to);
    let socket = without_blocking(domain, Type::STREAM, Protocol::TCP)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?; // a flood ends here, not in memory
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        socket.set_tcp_user_timeout(Some(connection.patience))?;
    }
    acknowledge_together(&SockRef::from(&socket))?;
    match socket.connect(&connection.to.into()) {
        Err(error) if !is_under_way(&error) => return Err(error),
        _ => {}
    }
    TcpStream::from_std(socket.into())
}

/// One acknowledgement for an answer in two pieces. The kernel forgets it when the first bytes
/// arrive, so it is said before each question.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn acknowledge_together(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_tcp_quickack(false)
}

/// Other systems do so unasked (RFC 1122, 4.2.3.2).
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn acknowledge_together(_: &SockRef<'_>) -> io::Result<()> {
    Ok(())
}

fn is_under_way(error: &io::Error) -> bool {
    #[cfg(unix)]
    let in_progress = error.raw_os_error() == Some(libc::EINPROGRESS);
    #[cfg(not(unix))]
    let in_progress = false;
    in_progress || error.kind() == io::ErrorKind::WouldBlock
}

struct Tcp {
    stream: TcpStream,
    local: SocketAddr,
    /// Something has come back to the last question, so what comes now is a further piece.
    in_pieces: bool,
    #[cfg(feature = "sabotage")]
    _uninvited: Option<socket2::Socket>,
}

impl Tcp {
    fn new(stream: TcpStream) -> io::Result<Self> {
        let local = stream.local_addr()?;
        #[cfg(feature = "sabotage")]
        let _uninvited = super::sabotage::uninvited(stream.peer_addr()?);
        Ok(Self {
            stream,
            local,
            in_pieces: false,
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
        acknowledge_together(&SockRef::from(&self.stream))?;
        let (written, whole) = question
            .pass(|frame| (self.stream.try_write(finished(frame).as_ref()), frame.bytes().len()))
            .map(|(written, whole)| written.map(|written| (written, whole)))??;
        self.in_pieces = false;
        if written == whole {
            return Ok(());
        }
        // A question is smaller than any empty send buffer, so this device takes nothing.
        Err(LinkError::Io { written, source: io::ErrorKind::WriteZero.into() })
    }

    async fn recv(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
        loop {
            self.stream.readable().await?;
            if self.in_pieces {
                sleep(GATHERING).await;
            }
            let mut chunk = [0; CHUNK];
            match self.stream.try_read(&mut chunk) {
                Ok(count) => {
                    self.in_pieces = true;
                    buf.extend_from_slice(chunk.get(..count).unwrap_or_default());
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Drained first: closing with unread bytes would be a reset instead of a goodbye. A device that
    /// goes on talking is not listened to: each piece would cost another acknowledgement.
    async fn close(&mut self, manners: Manners) -> Close {
        let mut left = manners.drain_bytes.min(RECEIVE_BUFFER);
        match self.drain_waiting(&mut left) {
            Drained::Closed => return Close::ByDevice,
            Drained::TooMuch => return Close::Hurried,
            Drained::Quiet => {}
        }
        if SockRef::from(&self.stream).shutdown(Shutdown::Write).is_err() {
            return Close::ByDevice;
        }
        let until = Instant::now() + manners.drain.max(manners.wait);
        let mut buf = Vec::new();
        loop {
            buf.clear();
            match timeout_at(until, self.recv(&mut buf)).await {
                Ok(Ok(0)) => return Close::Polite,
                Ok(Ok(count)) if count < left => left -= count,
                Ok(Ok(_)) => return Close::Hurried,
                Ok(Err(_)) => return Close::ByDevice,
                Err(_) => return Close::OneSided,
            }
        }
    }

    fn local(&self) -> SocketAddr {
        self.local
    }
}

/// What was found of a connection that is to be closed.
enum Drained {
    /// Nothing more has arrived.
    Quiet,
    /// The device closed it first.
    Closed,
    /// The device does not stop talking.
    TooMuch,
}

impl Tcp {
    /// Take what has already arrived, at most `left` bytes.
    fn drain_waiting(&mut self, left: &mut usize) -> Drained {
        let mut chunk = [0; CHUNK];
        while *left > 0 {
            match self.stream.try_read(&mut chunk) {
                Ok(0) => return Drained::Closed,
                Ok(count) => *left = left.saturating_sub(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Drained::Quiet,
                Err(_) => return Drained::Closed,
            }
        }
        Drained::TooMuch
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_types)] // the device's side

    use std::io::Write;
    use std::thread;

    use super::*;

    #[tokio::test]
    async fn the_pieces_of_an_answer_are_taken_together() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let device = thread::spawn(move || {
            let (mut visitor, _) = listener.accept().unwrap();
            visitor.set_nodelay(true).unwrap();
            for byte in 0..50 {
                visitor.write_all(&[byte]).unwrap();
                thread::sleep(Duration::from_millis(1));
            }
            visitor
        });
        let mut line = Tcp::new(TcpStream::connect(address).await.unwrap()).unwrap();
        let (mut answer, mut pieces, began) = (Vec::new(), 0, Instant::now());
        while answer.len() < 50 {
            line.recv(&mut answer).await.unwrap();
            pieces += 1;
        }
        assert_eq!(answer, (0..50).collect::<Vec<u8>>());
        // On a busy computer they trickle in more slowly.
        let most = 2 + began.elapsed().as_millis() / GATHERING.as_millis();
        assert!(pieces <= most, "{pieces} pieces were taken, and each is acknowledged");
        drop(device.join());
    }
}
