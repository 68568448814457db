//! A port of this host at which several conversations hear their devices.
//!
//! Some devices answer to the standard port of their protocol whatever port they were asked from,
//! or answer a question to them alone with a broadcast. One socket at that port takes everything,
//! and gives each conversation what its own device said. Nothing is ever sent from it.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::Notify;

use super::udp::{LARGEST, RECEIVE_BUFFER};

/// This many datagrams wait for one conversation; more than that is a flood.
const WAITING: usize = 16;

/// The postboxes of a scan that are open: a socket works only in the runtime that it was opened in.
/// Each closes with the last conversation that has an address in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Postboxes(Arc<Mutex<HashMap<SocketAddr, Weak<Postbox>>>>);

impl Postboxes {
    /// An address for what `peer` sends to `port`; `local` is the address of this host that the peer
    /// knows.
    ///
    /// # Errors
    /// If the port is not free: other software of this host has it, or another scan.
    pub(super) fn rent(&self, local: IpAddr, port: u16, peer: SocketAddr) -> io::Result<Slot> {
        let at = SocketAddr::new(listening_at(local), port);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, postbox| postbox.strong_count() > 0);
        let postbox = match open.get(&at).and_then(Weak::upgrade) {
            Some(postbox) => postbox,
            None => {
                let postbox = Arc::new(Postbox::open(at)?);
                open.insert(at, Arc::downgrade(&postbox));
                postbox
            }
        };
        Ok(Slot::new(postbox, peer))
    }
}

/// Broadcasts reach only a socket that is bound to no address; on loopback there are none, and a
/// pretend device may have the same port at the next address.
fn listening_at(local: IpAddr) -> IpAddr {
    match local {
        _ if local.is_loopback() => local,
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

#[derive(Debug)]
struct Postbox {
    socket: UdpSocket,
    slots: Mutex<HashMap<SocketAddr, Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    datagrams: VecDeque<Vec<u8>>,
    news: Arc<Notify>,
}

impl Postbox {
    /// Exclusive: nothing is taken away from other software of this host.
    fn open(at: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
        socket.bind(&SockAddr::from(at))?;
        Ok(Self { socket: UdpSocket::from_std(socket.into())?, slots: Mutex::default() })
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<SocketAddr, Waiting>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Put everything that has arrived where it belongs.
    fn sort(&self) -> io::Result<()> {
        let mut datagram = vec![0; LARGEST];
        loop {
            match self.socket.try_recv_from(&mut datagram) {
                Ok((count, from)) => self.deliver(from, datagram.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // That somebody else does not listen is no news of our devices (Windows).
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// A device may send from another port than it was asked at, if it is the only one there.
    fn deliver(&self, from: SocketAddr, datagram: &[u8]) {
        let mut slots = self.slots();
        let exact = slots.contains_key(&from).then_some(from);
        let mut same = slots.keys().filter(|peer| peer.ip() == from.ip());
        let only = match (same.next(), same.next()) {
            (Some(peer), None) => Some(*peer),
            _ => None,
        };
        let Some(waiting) = exact.or(only).and_then(|peer| slots.get_mut(&peer)) else { return };
        if !datagram.is_empty() && waiting.datagrams.len() < WAITING {
            waiting.datagrams.push_back(datagram.to_vec());
            waiting.news.notify_one();
        }
    }
}

/// Where one conversation finds what its device sent to the port.
#[derive(Debug)]
pub(super) struct Slot {
    postbox: Arc<Postbox>,
    peer: SocketAddr,
    news: Arc<Notify>,
}

impl Slot {
    fn new(postbox: Arc<Postbox>, peer: SocketAddr) -> Self {
        let news = Arc::new(Notify::new());
        let waiting = Waiting { datagrams: VecDeque::new(), news: Arc::clone(&news) };
        postbox.slots().insert(peer, waiting);
        Self { postbox, peer, news }
    }

    /// The next datagram of the device. Whoever waits sorts for everybody.
    pub(super) async fn recv(&self) -> io::Result<Vec<u8>> {
        loop {
            let next =
                self.postbox.slots().get_mut(&self.peer).and_then(|w| w.datagrams.pop_front());
            if let Some(datagram) = next {
                return Ok(datagram);
            }
            tokio::select! {
                () = self.news.notified() => {}
                ready = self.postbox.socket.readable() => {
                    ready?;
                    self.postbox.sort()?;
                }
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.postbox.slots().remove(&self.peer);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test says what went wrong by stopping
mod tests {
    use std::net::UdpSocket as Device;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn free_port() -> u16 {
        Device::bind((HERE, 0)).unwrap().local_addr().unwrap().port()
    }

    fn device() -> (Device, SocketAddr) {
        let socket = Device::bind((HERE, 0)).unwrap();
        let at = socket.local_addr().unwrap();
        (socket, at)
    }

    async fn next(slot: &Slot) -> Option<Vec<u8>> {
        timeout(Duration::from_secs(5), slot.recv()).await.ok().map(Result::unwrap)
    }

    #[tokio::test]
    async fn every_conversation_hears_its_own_device_whoever_sorts() {
        let (boxes, port) = (Postboxes::default(), free_port());
        let ((one, at_one), (two, at_two)) = (device(), device());
        let first = boxes.rent(HERE, port, at_one).unwrap();
        let second = boxes.rent(HERE, port, at_two).unwrap();
        two.send_to(b"two", (HERE, port)).unwrap();
        one.send_to(b"one", (HERE, port)).unwrap();
        assert_eq!(next(&first).await.unwrap(), b"one");
        assert_eq!(next(&second).await.unwrap(), b"two");
    }

    #[tokio::test]
    async fn a_device_that_answers_from_another_port_is_heard_if_it_is_the_only_one_there() {
        let (boxes, port) = (Postboxes::default(), free_port());
        let ((_, at), (other, _)) = (device(), device());
        let slot = boxes.rent(HERE, port, at).unwrap();
        other.send_to(b"hello", (HERE, port)).unwrap();
        assert_eq!(next(&slot).await.unwrap(), b"hello");
    }

    #[tokio::test]
    async fn a_port_that_other_software_has_is_left_to_it_and_free_again_afterwards() {
        let (boxes, (other, taken)) = (Postboxes::default(), device());
        let (_, at) = device();
        assert!(boxes.rent(HERE, taken.port(), at).is_err());
        drop(other);
        let slot = boxes.rent(HERE, taken.port(), at).unwrap();
        drop(slot);
        assert!(Device::bind(taken).is_ok(), "the port is held no longer than a conversation");
    }

    #[tokio::test]
    async fn a_flood_takes_no_more_memory_than_a_few_datagrams() {
        let (boxes, port) = (Postboxes::default(), free_port());
        let (socket, at) = device();
        let slot = boxes.rent(HERE, port, at).unwrap();
        for _ in 0..4 * WAITING {
            socket.send_to(&[7; 100], (HERE, port)).unwrap();
        }
        assert!(next(&slot).await.is_some());
        assert!(slot.postbox.slots()[&at].datagrams.len() <= WAITING);
    }
}
