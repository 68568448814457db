//! Serves pretend devices on loopback: the plant's side of the wire.
// The scanner's sockets live in net. These here are what it connects to.
#![allow(clippy::disallowed_types)]

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::device::{Action, Greeting};
use super::station::Station;

/// Every listener and every connection. Dropping it closes them all.
#[derive(Debug)]
pub(super) struct Server {
    started: Instant,
    listeners: JoinSet<()>,
}

impl Server {
    pub(super) fn new() -> Self {
        Self { started: Instant::now(), listeners: JoinSet::new() }
    }

    /// Serves `station` at `at`; port 0 takes any free one. Returns the address it got.
    pub(super) async fn serve(
        &mut self,
        station: Arc<Station>,
        at: SocketAddr,
    ) -> io::Result<SocketAddr> {
        let (listener, socket) = bind(at, station.takes_datagrams()).await?;
        let at = listener.local_addr()?;
        if let Some(socket) = socket {
            self.listeners.spawn(listen(socket, Arc::clone(&station), self.started));
        }
        self.listeners.spawn(accept(listener, station, self.started));
        Ok(at)
    }

    pub(super) async fn stop(mut self) {
        self.listeners.shutdown().await;
    }
}

/// One port for connections and, if wanted, for datagrams. The system picks a free one for the
/// first without a look at the second, so another is tried where that was somebody's.
async fn bind(at: SocketAddr, datagrams: bool) -> io::Result<(TcpListener, Option<UdpSocket>)> {
    let mut tries = if at.port() == 0 { 16 } else { 1 };
    loop {
        let listener = TcpListener::bind(at).await?;
        if !datagrams {
            return Ok((listener, None));
        }
        tries -= 1;
        match UdpSocket::bind(listener.local_addr()?).await {
            Ok(socket) => return Ok((listener, Some(socket))),
            Err(error) if tries == 0 || error.kind() != io::ErrorKind::AddrInUse => {
                return Err(error);
            }
            Err(_) => {}
        }
    }
}

/// Answers datagrams, one after the other.
async fn listen(socket: UdpSocket, station: Arc<Station>, started: Instant) {
    let mut buffer = vec![0; 4096];
    loop {
        let Ok((len, from)) = socket.recv_from(&mut buffer).await else {
            sleep(Duration::from_millis(20)).await; // somebody was gone before the answer came
            continue;
        };
        let received = buffer.get(..len).unwrap_or_default();
        for action in station.receive_datagram(received, started.elapsed()) {
            match action {
                Action::Wait(time) => sleep(time).await,
                Action::Send(bytes) if !station.is_dark() => {
                    drop(socket.send_to(&bytes, from).await);
                }
                Action::SendToPort(port, bytes) if !station.is_dark() => {
                    drop(socket.send_to(&bytes, SocketAddr::new(from.ip(), port)).await);
                }
                _ => {}
            }
        }
    }
}

async fn accept(listener: TcpListener, station: Arc<Station>, started: Instant) {
    let mut visitors = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    // A close that came just before this connection is noticed first.
                    if station.open() > 0 {
                        sleep(Duration::from_millis(3)).await;
                    }
                    let (connection, greeting) = station.connect(started.elapsed());
                    let line = Line::new(stream, Arc::clone(&station), connection, started);
                    visitors.spawn(line.serve(greeting));
                }
                // Out of file descriptors, most likely: let others close some.
                Err(_) => sleep(Duration::from_millis(20)).await,
            },
            Some(_) = visitors.join_next() => {}
        }
    }
}

/// One connection.
struct Line {
    stream: TcpStream,
    station: Arc<Station>,
    connection: u64,
    started: Instant,
    /// What is to be done, in this order, but not before `due`.
    actions: VecDeque<Action>,
    due: Instant,
}

impl Line {
    fn new(stream: TcpStream, station: Arc<Station>, connection: u64, started: Instant) -> Self {
        let due = Instant::now();
        Self { stream, station, connection, started, actions: VecDeque::new(), due }
    }

    async fn serve(mut self, greeting: Greeting) {
        match greeting {
            Greeting::Refuse => return,
            Greeting::Accept => {}
            Greeting::Banner(bytes) => self.actions.push_back(Action::Send(bytes)),
        }
        while self.step().await.is_ok() {}
        self.station.close(self.connection);
    }

    /// Does the next thing that is due, or hears the next bytes. Fails when the connection ends.
    async fn step(&mut self) -> io::Result<()> {
        tokio::select! {
            heard = self.stream.readable() => {
                heard?;
                self.hear()
            }
            () = sleep_until(self.due), if !self.actions.is_empty() => match self.actions.pop_front() {
                Some(action) => self.act(action).await,
                None => Ok(()),
            },
        }
    }

    fn hear(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        let received = match self.stream.try_read(&mut buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(len) => buffer.get(..len).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        if self.actions.is_empty() {
            self.due = Instant::now();
        }
        let now = self.started.elapsed();
        self.actions.extend(self.station.receive(self.connection, received, now));
        Ok(())
    }

    async fn act(&mut self, action: Action) -> io::Result<()> {
        if self.station.is_dark() {
            self.actions.clear();
            return Ok(());
        }
        match action {
            Action::Wait(time) => self.due = self.due.checked_add(time).unwrap_or(self.due),
            Action::Send(bytes) => self.send(&bytes).await?,
            Action::Close => return Err(io::ErrorKind::ConnectionAborted.into()),
            Action::Reset => {
                self.stream.set_zero_linger()?;
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            Action::GoDark | Action::SendToPort(..) => {}
        }
        Ok(())
    }

    async fn send(&self, mut bytes: &[u8]) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        while !bytes.is_empty() {
            self.stream.writable().await?;
            match self.stream.try_write(bytes) {
                Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;

    use super::*;
    use crate::sim::{Plant, Running, RunningPlant};

    const BASIC: [u8; 11] = [0, 1, 0, 0, 0, 5, 255, 0x2B, 0x0E, 1, 0];
    const SERVER_ID: [u8; 8] = [0, 2, 0, 0, 0, 2, 255, 0x11];

    async fn dial(device: &Running) -> TcpStream {
        TcpStream::connect(device.addr).await.unwrap()
    }

    /// One answer; empty if the device closed, `None` if it said nothing for `patience`.
    async fn ask(stream: &mut TcpStream, request: &[u8], patience: u64) -> Option<Vec<u8>> {
        stream.write_all(request).await.unwrap();
        let mut buffer = vec![0; 512];
        let read = stream.read(&mut buffer);
        let len = timeout(Duration::from_millis(patience), read).await.ok()?.unwrap_or(0);
        buffer.truncate(len);
        Some(buffer)
    }

    async fn asked(plant: &RunningPlant, name: &str, request: &[u8]) -> Option<Vec<u8>> {
        ask(&mut dial(plant.device(name).unwrap()).await, request, 3_000).await
    }

    #[tokio::test]
    async fn the_demonstration_plant_answers_on_loopback() {
        let plant = Plant::demo().start().await.unwrap();
        let answer = asked(&plant, "compact-plc", &BASIC).await.unwrap();
        assert_eq!(answer[..9], [0, 1, 0, 0, 0, 48, 255, 0x2B, 0x0E]);
        assert!(answer.ends_with(b"V3.1.4"));
        let http = asked(&plant, "http", &BASIC).await.unwrap();
        assert!(http.starts_with(b"HTTP/1.1 400"));
        assert_eq!(asked(&plant, "echo", &BASIC).await.unwrap(), BASIC);
        assert_eq!(asked(&plant, "tls-only", &BASIC).await.unwrap()[0], 0x15);
        assert_eq!(asked(&plant, "busy", &BASIC).await.unwrap()[7..], [0xAB, 6]);
        assert_eq!(asked(&plant, "power-meter", &BASIC).await.unwrap()[7..], [0xAB, 1]);
        let meter = asked(&plant, "power-meter", &SERVER_ID).await.unwrap();
        assert!(meter.ends_with(b"Ohmstead PM-300"));
        assert_eq!(plant.violations(), Vec::<String>::new());
        let seen = plant.device("power-meter").unwrap().counters();
        assert_eq!((seen.connections, seen.requests, seen.bytes), (2, 2, 19));
        assert!(plant.device("power-meter").unwrap().target().starts_with("modbus://127.0.0.1:"));
        plant.stop().await;
    }

    #[tokio::test]
    async fn a_write_is_found_by_the_plant() {
        let plant = Plant::demo().start().await.unwrap();
        let coil = [0, 9, 0, 0, 0, 6, 255, 5, 0, 1, 0xFF, 0];
        assert_eq!(asked(&plant, "compact-plc", &coil).await.unwrap()[7..], [0x85, 1]);
        asked(&plant, "echo", &coil).await.unwrap();
        assert_eq!(
            plant.violations(),
            [
                "compact-plc: changes the device: unit 255: 05 00 01 FF 00",
                "echo: changes the device: unit 255: 05 00 01 FF 00"
            ]
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_second_connection_to_one_slot_is_closed_and_counted() {
        let plant = Plant::demo().start().await.unwrap();
        let device = plant.device("one-slot").unwrap();
        let mut first = dial(device).await;
        assert!(ask(&mut first, &BASIC, 3_000).await.unwrap().len() > 9);
        assert_eq!(ask(&mut dial(device).await, &BASIC, 3_000).await, Some(Vec::new()));
        assert_eq!(device.counters().turned_away, 1);
        drop(first);
        for _ in 0..20 {
            let mut next = dial(device).await;
            assert!(ask(&mut next, &BASIC, 3_000).await.unwrap().len() > 9);
        }
        let seen = device.counters();
        assert_eq!((seen.turned_away, seen.connections), (1, 21), "one after the other is fine");
    }

    #[tokio::test]
    async fn the_dark_device_stays_silent_on_every_connection() {
        let plant = Plant::demo().start().await.unwrap();
        let device = plant.device("goes-dark").unwrap();
        let mut first = dial(device).await;
        let page = ask(&mut first, &BASIC, 3_000).await.unwrap();
        assert_eq!(page[11..14], [0xFF, 1, 1], "more follows, from object 1, one is here");
        assert_eq!(ask(&mut first, &BASIC, 200).await, None);
        assert_eq!(device.counters().after_dark, 0);
        assert_eq!(ask(&mut dial(device).await, &BASIC, 200).await, None);
        assert_eq!(device.counters().after_dark, 2, "a connection and a request");
    }

    #[tokio::test]
    async fn a_reset_is_a_reset() {
        let plant = Plant::demo().start().await.unwrap();
        let device = plant.device("resets-on-server-id").unwrap();
        let mut stream = dial(device).await;
        assert_eq!(ask(&mut stream, &BASIC, 3_000).await.unwrap()[7..], [0xAB, 1]);
        stream.write_all(&SERVER_ID).await.unwrap();
        let error = stream.read(&mut [0; 9]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn delays_are_kept_and_giving_up_during_one_is_noticed() {
        let plant = Plant::demo().start().await.unwrap();
        let slow = plant.device("slow").unwrap();
        let start = Instant::now();
        assert_eq!(ask(&mut dial(slow).await, &BASIC, 100).await, None);
        let answer = ask(&mut dial(slow).await, &BASIC, 5_000).await.unwrap();
        assert!(answer.len() > 9 && start.elapsed() >= Duration::from_millis(1_800));
        let seen = slow.counters();
        assert_eq!((seen.at_once, seen.overlapping), (1, 1));
    }

    #[tokio::test]
    async fn devices_can_have_their_own_addresses() {
        let port = Plant::demo().start().await.unwrap().devices()[0].addr.port();
        let plant = Plant::demo().own_addresses(port).start().await.unwrap();
        let addresses: std::collections::BTreeSet<_> =
            plant.devices().iter().map(|device| device.addr).collect();
        assert_eq!(addresses.len(), plant.devices().len());
        if cfg!(target_os = "linux") {
            assert_eq!(plant.devices()[0].target(), format!("modbus://127.20.4.11:{port}"));
        }
        let taken = Plant::demo().own_addresses(port).start().await;
        if cfg!(target_os = "linux") {
            let error = taken.unwrap_err().to_string();
            assert!(error.starts_with(&format!("compact-plc: 127.20.4.11:{port}: ")), "{error}");
        }
    }

    #[tokio::test]
    async fn a_port_that_is_taken_for_datagrams_is_passed_over() {
        let mut others = Vec::new();
        for _ in 0..100 {
            others.push(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        }
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        for _ in 0..1_000 {
            bind(any, true).await.unwrap(); // some three of them meet a port of the others
        }
        let taken = others[0].local_addr().unwrap();
        let error = bind(taken, true).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "a port that was named is no other");
    }

    #[tokio::test]
    async fn a_stopped_plant_hears_nothing() {
        let plant = Plant::demo().start().await.unwrap();
        let at = plant.devices()[0].addr;
        let mut open = TcpStream::connect(at).await.unwrap();
        assert!(ask(&mut open, &BASIC, 3_000).await.unwrap().len() > 9);
        plant.stop().await;
        assert!(TcpStream::connect(at).await.is_err());
        assert_eq!(ask(&mut open, &BASIC, 3_000).await, Some(Vec::new()));

        let plant = Plant::demo().start().await.unwrap();
        let at = plant.devices()[0].addr;
        drop(plant);
        tokio::task::yield_now().await;
        assert!(TcpStream::connect(at).await.is_err(), "dropping stops as well");
    }
}
