//! One connection to one device.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use otcore::frame::Frame;
use otcore::gate::Permit;
use otcore::gate::journal::Close;
use otcore::session::{LinkError, Manners, Transport};
use otcore::sim::{Action, Greeting, Station};
use tokio::time::{Instant, sleep, sleep_until};

use super::super::limits::Why;
use super::{Below, Kind, Network, Open};

/// How long a kernel holds an acknowledgement back at least.
const DELAY: Duration = Duration::from_millis(40);
/// Largest piece that is read at once, as with the sockets of the engine.
const CHUNK: usize = 2048;
/// One connection to one device.
pub(super) struct Line {
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

pub(super) enum Arrival {
    Bytes(Vec<u8>),
    End,
    Reset,
    GivenUp,
    /// Somebody on the way says this of a datagram.
    Error(io::ErrorKind),
}

impl Line {
    /// The handshake is over.
    pub(super) fn new(
        network: &Network,
        station: Arc<Station>,
        to: SocketAddr,
        patience: Duration,
        open: Open,
    ) -> Self {
        let (connection, greeting) = station.connect(network.now());
        let now = Instant::now();
        let arrivals = match greeting {
            Greeting::Accept => VecDeque::new(),
            Greeting::Banner(bytes) => VecDeque::from([(now, Arrival::Bytes(bytes))]),
            Greeting::Refuse => VecDeque::from([(now, Arrival::End)]),
        };
        Self {
            network: network.clone(),
            station,
            to,
            connection,
            patience,
            arrivals,
            due: now,
            asked: now,
            owed: false,
            delayed: None,
            gives_up: None,
            state: State::Open,
            _open: open,
        }
    }

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
