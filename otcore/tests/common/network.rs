//! A network without sockets that writes down every packet of ours: the independent witness.

mod datagrams;
mod line;

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use otcore::gate::policy::Limits;
use otcore::gate::{Call, Connection, Peer, Permit};
use otcore::session::{Dialer, LinkError, Transport};
use otcore::sim::{Action, Device, Station};
use tokio::time::{Instant, sleep};

use self::datagrams::Datagrams;
use self::line::Line;
use super::limits::{Watch, Why};

/// Simulated devices by their addresses. Addresses that nobody owns are silent.
#[derive(Clone)]
pub(crate) struct Network(Arc<Inner>);

struct Inner {
    started: Instant,
    latency: Duration,
    devices: HashMap<SocketAddr, Arc<Station>>,
    /// Makes a device as long as it is visited, where so many live that they would fill memory.
    maker: Option<Maker>,
    refusing: HashSet<IpAddr>,
    unreachable: HashSet<IpAddr>,
    gives_up_with: io::ErrorKind,
    capture: Option<Mutex<Vec<Packet>>>,
    heard: Mutex<Vec<(SocketAddr, Vec<u8>)>>,
    below: Option<Below>,
    taken: AtomicU64,
    stuck: AtomicU64,
    watch: Option<Mutex<Watch>>,
    packets: AtomicU64,
    open: Mutex<HashMap<IpAddr, usize>>,
    most_open: AtomicU64,
}

/// One packet that left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) at: Duration,
    pub(crate) to: SocketAddr,
    pub(crate) what: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Syn,
    Ack,
    Payload(Vec<u8>),
    Fin,
}

/// Who lives at an address.
pub(crate) type Maker = Box<dyn Fn(SocketAddr) -> Option<Station> + Send + Sync>;

/// What goes wrong with connections below the devices, between their systems and ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Below {
    /// After so many questions no more is taken off our hands, until our kernel gives up.
    Window(u64),
    /// No question is acknowledged before our kernel gives up, though it is answered.
    Acknowledgement,
    /// Our kernel acknowledges the handshake once more.
    Handshake,
    /// Our kernel sends the first question once more.
    TooLong,
}

/// Puts a [`Network`] together.
pub(crate) struct Wiring(Inner);

impl Network {
    /// Packets take a millisecond each way.
    pub(crate) fn wiring() -> Wiring {
        Wiring(Inner {
            started: Instant::now(),
            latency: Duration::from_millis(1),
            devices: HashMap::new(),
            maker: None,
            refusing: HashSet::new(),
            unreachable: HashSet::new(),
            gives_up_with: io::ErrorKind::TimedOut,
            capture: Some(Mutex::default()),
            heard: Mutex::default(),
            below: None,
            taken: AtomicU64::new(0),
            stuck: AtomicU64::new(0),
            watch: None,
            packets: AtomicU64::new(0),
            open: Mutex::default(),
            most_open: AtomicU64::new(0),
        })
    }

    /// Every packet of ours so far, in order.
    pub(crate) fn capture(&self) -> Vec<Packet> {
        let capture = self.0.capture.as_ref().map(|capture| capture.lock().unwrap().clone());
        capture.unwrap_or_default()
    }

    /// Every piece of an answer that we were handed so far, and from whom.
    pub(crate) fn heard(&self) -> Vec<(SocketAddr, Vec<u8>)> {
        self.0.heard.lock().unwrap().clone()
    }

    /// How many questions nobody has taken off our hands.
    pub(crate) fn stuck(&self) -> u64 {
        self.0.stuck.load(Ordering::Relaxed)
    }

    /// How many packets of ours there were so far.
    pub(crate) fn packets(&self) -> u64 {
        self.0.packets.load(Ordering::Relaxed)
    }

    /// The most connections, or attempts, that one address ever had at once.
    pub(crate) fn most_open(&self) -> u64 {
        self.0.most_open.load(Ordering::Relaxed)
    }

    pub(crate) fn station(&self, at: SocketAddr) -> &Station {
        &self.0.devices[&at]
    }

    pub(crate) fn stations(&self) -> impl Iterator<Item = (SocketAddr, &Station)> {
        self.0.devices.iter().map(|(at, station)| (*at, &**station))
    }

    /// What the watch says now, if there is one.
    pub(crate) fn watched<T>(&self, ask: impl FnOnce(&mut Watch, Duration) -> T) -> Option<T> {
        let now = self.now();
        self.0.watch.as_ref().map(|watch| ask(&mut watch.lock().unwrap(), now))
    }

    fn saw(&self, to: SocketAddr, what: Kind) {
        self.note(to, what, Why::Ours);
    }

    fn note(&self, to: SocketAddr, what: Kind, why: Why) {
        self.0.packets.fetch_add(1, Ordering::Relaxed);
        self.watched(|watch, now| {
            if what == Kind::Syn {
                watch.syn(now, to.ip());
            }
            watch.packet(now, to.ip(), why);
        });
        if let Some(capture) = &self.0.capture {
            capture.lock().unwrap().push(Packet { at: self.0.started.elapsed(), to, what });
        }
    }

    /// We are handed these bytes.
    fn hands(&self, from: SocketAddr, bytes: &[u8]) {
        if self.0.capture.is_some() {
            self.0.heard.lock().unwrap().push((from, bytes.to_vec()));
        }
    }

    fn now(&self) -> Duration {
        self.0.started.elapsed()
    }
}

impl Wiring {
    pub(crate) fn latency(mut self, one_way: Duration) -> Self {
        self.0.latency = one_way;
        self
    }

    pub(crate) fn device(mut self, at: SocketAddr, device: impl Device + 'static) -> Self {
        self.0.devices.insert(at, Arc::new(Station::new(device)));
        self
    }

    /// Whoever else lives here is forgotten after each visit by TCP.
    pub(crate) fn made_by(mut self, maker: Maker) -> Self {
        self.0.maker = Some(maker);
        self
    }

    /// This address resets every attempt.
    pub(crate) fn refusing(mut self, address: IpAddr) -> Self {
        self.0.refusing.insert(address);
        self
    }

    /// A router says that this address cannot be reached.
    pub(crate) fn unreachable(mut self, address: IpAddr) -> Self {
        self.0.unreachable.insert(address);
        self
    }

    /// What our kernel says when nobody acknowledges a question: what somebody on the way said of it.
    pub(crate) fn gives_up_with(mut self, kind: io::ErrorKind) -> Self {
        self.0.gives_up_with = kind;
        self
    }

    /// Every packet is held against these limits as it leaves.
    pub(crate) fn watched(mut self, limits: &Limits) -> Self {
        self.0.watch = Some(Mutex::new(Watch::new(limits.clone())));
        self
    }

    /// On all connections this goes wrong.
    pub(crate) fn below(mut self, below: Below) -> Self {
        self.0.below = Some(below);
        self
    }

    /// Only count packets.
    pub(crate) fn without_capture(mut self) -> Self {
        self.0.capture = None;
        self
    }

    pub(crate) fn done(self) -> Network {
        Network(Arc::new(self.0))
    }
}

#[async_trait]
impl Dialer for Network {
    async fn dial(&self, to: Permit<Connection>) -> Result<Box<dyn Transport>, LinkError> {
        let (to, patience) = to.pass(|connection| {
            self.saw(connection.to, Kind::Syn);
            (connection.to, connection.patience)
        })?;
        let open = Open::new(self, to.ip());
        let _attempt = Attempt::new(self, to.ip());
        sleep(2 * self.0.latency).await;
        if self.0.refusing.contains(&to.ip()) {
            return Err(io::Error::from(io::ErrorKind::ConnectionRefused).into());
        }
        if self.0.unreachable.contains(&to.ip()) {
            return Err(io::Error::from(io::ErrorKind::HostUnreachable).into());
        }
        let made = || self.0.maker.as_ref().and_then(|make| make(to)).map(Arc::new);
        let Some(station) = self.0.devices.get(&to).cloned().or_else(made) else {
            return std::future::pending().await;
        };
        self.saw(to, Kind::Ack);
        if self.0.below == Some(Below::Handshake) {
            self.note(to, Kind::Ack, Why::Piece);
        }
        Ok(Box::new(Line::new(self, station, to, patience, open)))
    }

    async fn address(&self, to: Permit<Peer>) -> Result<Box<dyn Transport>, LinkError> {
        let peer = to.pass(|peer| *peer)?;
        Ok(Box::new(Datagrams::new(self, peer)))
    }

    /// Every device at the port hears it and answers after one round trip, those at lower addresses
    /// first.
    async fn call(
        &self,
        call: Permit<Call>,
        patience: Duration,
        most: usize,
    ) -> Result<Vec<(SocketAddr, Vec<u8>)>, LinkError> {
        let (to, bytes) = call.pass(|call| {
            let bytes = call.frame.bytes().to_vec();
            self.watched(|watch, now| watch.syn(now, call.to.ip()));
            self.saw(call.to, Kind::Payload(bytes.clone()));
            (call.to, bytes)
        })?;
        sleep(patience).await;
        let mut stations: Vec<_> =
            self.stations().filter(|(at, _)| at.port() == to.port()).collect();
        stations.sort_by_key(|(at, _)| *at);
        let answers = stations.into_iter().flat_map(|(at, station)| {
            let actions = station.receive_datagram(&bytes, self.now());
            actions.into_iter().filter_map(move |action| match action {
                Action::Send(bytes) | Action::SendToPort(_, bytes) => Some((at, bytes)),
                _ => None,
            })
        });
        let answers: Vec<(SocketAddr, Vec<u8>)> = answers.take(most).collect();
        answers.iter().for_each(|(_, bytes)| self.hands(to, bytes));
        Ok(answers)
    }
}

/// An address is being looked for, for as long as this lives.
struct Attempt(Network, IpAddr);

impl Attempt {
    fn new(network: &Network, to: IpAddr) -> Self {
        network.watched(|watch, now| watch.resolving(now, to, true));
        Self(network.clone(), to)
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.0.watched(|watch, now| watch.resolving(now, self.1, false));
    }
}

/// Counts an attempt or a connection for as long as it lives.
struct Open {
    network: Network,
    to: IpAddr,
}

impl Open {
    fn new(network: &Network, to: IpAddr) -> Self {
        let mut open = network.0.open.lock().unwrap();
        let count = open.entry(to).or_default();
        *count += 1;
        network.0.most_open.fetch_max(*count as u64, Ordering::Relaxed);
        drop(open);
        network.watched(|watch, now| watch.connection(now, to, true));
        Self { network: network.clone(), to }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut open = self.network.0.open.lock().unwrap();
        if let Some(count) = open.get_mut(&self.to) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.to);
            }
        }
        drop(open);
        self.network.watched(|watch, now| watch.connection(now, self.to, false));
    }
}
