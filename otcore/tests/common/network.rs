//! A network without sockets that writes down every packet of ours: the independent witness.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use otcore::frame::Frame;
use otcore::gate::journal::Close;
use otcore::gate::policy::Limits;
use otcore::gate::{Call, Connection, Peer, Permit};
use otcore::session::{Dialer, LinkError, Manners, Transport};
use otcore::sim::{Action, Device, Greeting, Station};
use tokio::time::{Instant, sleep, sleep_until};

use super::limits::{Watch, Why};

/// Largest piece that is read at once, as with the sockets of the engine.
const CHUNK: usize = 2048;
/// Of a longer datagram the beginning is read, as with the sockets of the engine.
const LARGEST: usize = 4096;
/// How long a kernel holds an acknowledgement back at least.
const DELAY: Duration = Duration::from_millis(40);

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
        let (connection, greeting) = station.connect(self.now());
        let arrivals = match greeting {
            Greeting::Accept => VecDeque::new(),
            Greeting::Banner(bytes) => VecDeque::from([(Instant::now(), Arrival::Bytes(bytes))]),
            Greeting::Refuse => VecDeque::from([(Instant::now(), Arrival::End)]),
        };
        let network = self.clone();
        let state = State::Open;
        let (due, asked) = (Instant::now(), Instant::now());
        Ok(Box::new(Line {
            network,
            station,
            to,
            connection,
            patience,
            arrivals,
            due,
            asked,
            owed: false,
            delayed: None,
            gives_up: None,
            state,
            _open: open,
        }))
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

/// Datagrams to one peer and back.
struct Datagrams {
    network: Network,
    to: SocketAddr,
    reply_port: Option<u16>,
    arrivals: VecDeque<(Instant, Arrival)>,
    due: Instant,
    /// Looking for the address, until anything comes back or nobody waits any more.
    attempt: Option<Attempt>,
    asked: bool,
    open: Option<Open>,
}

impl Datagrams {
    fn new(network: &Network, Peer { to, reply_port }: Peer) -> Self {
        let open = Some(Open::new(network, to.ip()));
        let (network, arrivals, due) = (network.clone(), VecDeque::new(), Instant::now());
        Self { network, to, reply_port, arrivals, due, attempt: None, asked: false, open }
    }

    /// What comes back, each thing in its time.
    fn hear(&mut self, bytes: &[u8]) {
        let latency = self.network.0.latency;
        let now = Instant::now();
        let ip = self.to.ip();
        let says =
            |kind: io::ErrorKind| VecDeque::from([(now + 2 * latency, Arrival::Error(kind))]);
        if self.network.0.refusing.contains(&ip) {
            self.arrivals = says(io::ErrorKind::ConnectionRefused);
            return;
        }
        if self.network.0.unreachable.contains(&ip) {
            self.arrivals = says(io::ErrorKind::HostUnreachable);
            return;
        }
        let Some(station) = self.network.0.devices.get(&self.to).cloned() else { return };
        if !station.takes_datagrams() {
            self.arrivals = says(io::ErrorKind::ConnectionRefused);
            return;
        }
        self.due = self.due.max(now + latency);
        for action in station.receive_datagram(bytes, self.network.now() + latency) {
            match action {
                Action::Wait(time) => self.due += time,
                Action::Send(bytes) => {
                    self.arrivals.push_back((self.due + latency, Arrival::Bytes(bytes)));
                }
                Action::SendToPort(port, bytes) if self.reply_port == Some(port) => {
                    self.arrivals.push_back((self.due + latency, Arrival::Bytes(bytes)));
                }
                Action::GoDark => self.arrivals.clear(),
                Action::SendToPort(..) | Action::Close | Action::Reset => {}
            }
        }
    }
}

#[async_trait]
impl Transport for Datagrams {
    async fn send(&mut self, question: Permit<Arc<Frame>>) -> Result<(), LinkError> {
        let first = !std::mem::replace(&mut self.asked, true);
        let bytes = question.pass(|frame| {
            let to = self.to.ip();
            self.network.watched(|watch, now| match (first, self.attempt.is_some()) {
                (true, _) => watch.syn(now, to),
                (false, true) => watch.new_address(now, to),
                (false, false) => {}
            });
            self.network.saw(self.to, Kind::Payload(frame.bytes().to_vec()));
            frame.bytes().to_vec()
        })?;
        if first {
            self.attempt = Some(Attempt::new(&self.network, self.to.ip()));
        }
        self.hear(&bytes);
        Ok(())
    }

    async fn recv(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
        let Some((at, _)) = self.arrivals.front() else { return std::future::pending().await };
        sleep_until(*at).await;
        match self.arrivals.pop_front() {
            Some((_, Arrival::Bytes(mut bytes))) => {
                bytes.truncate(LARGEST);
                self.attempt = None;
                self.network.hands(self.to, &bytes);
                buf.extend_from_slice(&bytes);
                Ok(bytes.len())
            }
            Some((_, Arrival::Error(kind))) => Err(kind.into()),
            _ => std::future::pending().await,
        }
    }

    async fn close(&mut self, _: Manners) -> Close {
        (self.attempt, self.open) = (None, None);
        Close::Released
    }

    fn local(&self) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 40_001)
    }

    fn hears_reply_port(&self) -> bool {
        self.reply_port.is_some()
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

/// One connection to one device.
struct Line {
    network: Network,
    station: Arc<Station>,
    to: SocketAddr,
    connection: u64,
    /// How long our kernel waits for the acknowledgement of a question.
    patience: Duration,
    /// What is on its way to us, and when it arrives.
    arrivals: VecDeque<(Instant, Arrival)>,
    /// When the device has done everything it was told to.
    due: Instant,
    /// When the last question left.
    asked: Instant,
    /// Nothing has come back to the last question yet, so one acknowledgement is still to leave.
    owed: bool,
    /// Until when another piece is acknowledged with the last one.
    delayed: Option<Instant>,
    /// When our kernel gives up on what is not acknowledged.
    gives_up: Option<Instant>,
    state: State,
    _open: Open,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    EndedByDevice,
    Reset,
    Closed,
}

enum Arrival {
    Bytes(Vec<u8>),
    End,
    Reset,
    GivenUp,
    /// Somebody on the way says this of a datagram.
    Error(io::ErrorKind),
}

impl Line {
    /// The device hears a question and does what it does, each thing in its time.
    fn hear(&mut self, bytes: &[u8]) {
        let latency = self.network.0.latency;
        self.asked = Instant::now();
        self.owed = true;
        if self.is_spoiled_below() {
            return;
        }
        self.due = self.due.max(self.asked + latency);
        let heard = self.network.now() + latency;
        for action in self.station.receive(self.connection, bytes, heard) {
            let arrives = self.due + latency;
            match action {
                Action::Wait(time) => self.due += time,
                Action::Send(bytes) => self.arrivals.push_back((arrives, Arrival::Bytes(bytes))),
                Action::Close => self.arrivals.push_back((arrives, Arrival::End)),
                Action::Reset => self.arrivals.push_back((arrives, Arrival::Reset)),
                Action::GoDark => self.arrivals.clear(),
                Action::SendToPort(..) => {}
            }
        }
    }

    /// Whether what is below the device keeps the question from it.
    fn is_spoiled_below(&mut self) -> bool {
        let taken = self.network.0.taken.fetch_add(1, Ordering::Relaxed);
        match self.network.0.below {
            Some(Below::Window(most)) if taken >= most => {
                self.network.0.stuck.fetch_add(1, Ordering::Relaxed);
                self.gives_up.get_or_insert(self.asked + self.patience);
                return true;
            }
            Some(Below::Acknowledgement) => {
                self.gives_up.get_or_insert(self.asked + self.patience);
            }
            Some(Below::TooLong) if taken == 0 => {
                self.network.note(self.to, Kind::Ack, Why::Piece);
            }
            _ => {}
        }
        false
    }

    /// Wait until the next thing arrives; for ever if nothing is on its way. A dead device does not
    /// even acknowledge, and then our kernel gives up.
    async fn arrival(&mut self) -> Arrival {
        loop {
            let next = self.arrivals.front().map(|(at, _)| *at);
            match self.arrivals.front() {
                _ if self.gives_up.is_some_and(|at| next.is_none_or(|next| at <= next)) => {
                    let Some(at) = self.gives_up else { continue };
                    sleep_until(at).await;
                    return Arrival::GivenUp;
                }
                _ if self.station.is_dark() && self.owed => {
                    sleep_until(self.asked + self.patience).await;
                    return Arrival::GivenUp;
                }
                None => std::future::pending().await,
                Some((at, _)) if *at > Instant::now() => sleep_until(*at).await,
                Some(_) => {
                    if let Some((_, arrival)) = self.arrivals.pop_front() {
                        return arrival;
                    }
                }
            }
        }
    }

    /// As a kernel does: two pieces that come close together get one acknowledgement.
    fn acknowledge(&mut self) {
        let now = Instant::now();
        let first = std::mem::take(&mut self.owed);
        if self.delayed.take().is_some_and(|until| now < until) && !first {
            return;
        }
        self.delayed = Some(now + DELAY);
        self.network.note(self.to, Kind::Ack, if first { Why::Ours } else { Why::Piece });
    }

    /// Everything that has arrived by now, up to a chunk.
    fn gather(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        while let Some((at, Arrival::Bytes(more))) = self.arrivals.front_mut() {
            if *at > Instant::now() || bytes.len() + more.len() > CHUNK {
                break;
            }
            bytes.append(more);
            self.arrivals.pop_front();
        }
        bytes
    }
}

#[async_trait]
impl Transport for Line {
    async fn send(&mut self, question: Permit<Arc<Frame>>) -> Result<(), LinkError> {
        let bytes = question.pass(|frame| {
            self.network.saw(self.to, Kind::Payload(frame.bytes().to_vec()));
            frame.bytes().to_vec()
        })?;
        match self.state {
            State::Open => self.hear(&bytes),
            State::Reset => return Err(io::Error::from(io::ErrorKind::BrokenPipe).into()),
            State::EndedByDevice | State::Closed => {}
        }
        Ok(())
    }

    async fn recv(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
        match self.state {
            State::EndedByDevice => return Ok(0),
            State::Reset => return Err(io::ErrorKind::ConnectionReset.into()),
            State::Open | State::Closed => {}
        }
        match self.arrival().await {
            Arrival::Bytes(mut bytes) => {
                if bytes.len() > CHUNK {
                    let rest = bytes.split_off(CHUNK);
                    self.arrivals.push_front((Instant::now(), Arrival::Bytes(rest)));
                }
                let bytes = self.gather(bytes);
                self.acknowledge();
                self.network.hands(self.to, &bytes);
                buf.extend_from_slice(&bytes);
                Ok(bytes.len())
            }
            Arrival::End => {
                self.network.saw(self.to, Kind::Ack);
                self.state = State::EndedByDevice;
                Ok(0)
            }
            Arrival::Reset => {
                self.state = State::Reset;
                Err(io::ErrorKind::ConnectionReset.into())
            }
            Arrival::GivenUp => {
                self.state = State::Reset;
                Err(self.network.0.gives_up_with.into())
            }
            Arrival::Error(kind) => Err(kind.into()),
        }
    }

    async fn close(&mut self, manners: Manners) -> Close {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Reset => return Close::ByDevice,
            State::EndedByDevice => {
                self.network.saw(self.to, Kind::Fin);
                return Close::ByDevice;
            }
            State::Open | State::Closed => {}
        }
        self.network.saw(self.to, Kind::Fin);
        if self.station.is_dark() {
            sleep(manners.wait).await;
            return Close::OneSided;
        }
        sleep(2 * self.network.0.latency).await;
        self.network.saw(self.to, Kind::Ack);
        Close::Polite
    }

    fn local(&self) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 40_000)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        match self.state {
            State::Open => {
                self.network.note(self.to, Kind::Fin, Why::Hurry);
                self.network.note(self.to, Kind::Ack, Why::Hurry);
            }
            State::EndedByDevice => self.network.saw(self.to, Kind::Fin),
            State::Reset | State::Closed => {}
        }
        self.station.close(self.connection);
    }
}
