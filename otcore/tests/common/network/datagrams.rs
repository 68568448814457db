//! Datagrams to one peer and back.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use otcore::frame::Frame;
use otcore::gate::journal::Close;
use otcore::gate::{Peer, Permit};
use otcore::session::{LinkError, Manners, Transport};
use otcore::sim::Action;
use tokio::time::{Instant, sleep_until};

use super::line::Arrival;
use super::{Attempt, Kind, Network, Open};

/// Of a longer datagram the beginning is read, as with the sockets of the engine.
const LARGEST: usize = 4096;
/// Datagrams to one peer and back.
pub(super) struct Datagrams {
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
    pub(super) fn new(network: &Network, Peer { to, reply_port }: Peer) -> Self {
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
