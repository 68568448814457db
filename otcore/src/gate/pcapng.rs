//! The journal as a capture file that any packet analyser opens.
//!
//! The file shows payloads, openings and closings as TCP segments, and datagrams as such, with the
//! real addresses, ports and bytes. Sequence numbers are counted from zero per connection and pure acknowledgements are
//! left out: those are the kernel's own and no journal sees them.
//! Format: pcapng, IETF draft-ietf-opsawg-pcapng; link type 101 (raw IP).

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::append;
use super::journal::{Entry, Journal, What};
use crate::model::Transport;

const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const LINK_RAW_IP: u16 = 101;

const TCP: u8 = 6;
const UDP: u8 = 17;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const PSH_ACK: u8 = 0x18;
const ACK: u8 = 0x10;

/// Writes a capture file of everything that was sent and received.
pub struct Pcapng<W>(Mutex<State<W>>);

struct State<W> {
    out: W,
    /// By device and number: scans that share a scanner each count from 1.
    connections: HashMap<(SocketAddr, u64), Flow>,
}

#[derive(Clone, Copy)]
struct Flow {
    local: SocketAddr,
    carrier: Transport,
    sent: u32,
    received: u32,
}

impl<W> fmt::Debug for Pcapng<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pcapng").finish_non_exhaustive()
    }
}

impl<W: Write + Send> Pcapng<W> {
    /// Begin a capture file in `out`.
    ///
    /// # Errors
    /// If its header cannot be written.
    pub fn new(mut out: W) -> io::Result<Self> {
        let mut section = Vec::new();
        section.extend(0x1A2B_3C4D_u32.to_le_bytes());
        section.extend([1, 0, 0, 0]); // version 1.0
        section.extend(u64::MAX.to_le_bytes()); // length not given
        block(&mut out, SECTION_HEADER, &section)?;
        let mut interface = Vec::new();
        interface.extend(LINK_RAW_IP.to_le_bytes());
        interface.extend([0, 0]);
        interface.extend(0_u32.to_le_bytes()); // no snap length
        block(&mut out, INTERFACE, &interface)?;
        out.flush()?;
        Ok(Self(Mutex::new(State { out, connections: HashMap::new() })))
    }
}

impl Pcapng<File> {
    /// Go on in the capture file at `path`, or make it; what was cut off at its end makes way.
    ///
    /// # Errors
    /// If it cannot be read and written, or is something else: it stays as it is then.
    pub fn append_to(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::new(append::open(path.as_ref(), &append::Kind::Capture)?)
    }
}

impl<W: Write + Send> Journal for Pcapng<W> {
    fn record(&self, entry: &Entry) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).record(entry)
    }
}

impl<W: Write> State<W> {
    fn record(&mut self, entry: &Entry) -> io::Result<()> {
        let id = (entry.device, entry.connection);
        match &entry.what {
            What::Connected { local } => {
                let carrier = Transport::Tcp;
                let mut flow = Flow { local: *local, carrier, sent: 0, received: 0 };
                let (local, device) = (*local, entry.device);
                let syn = Segment { from: local, to: device, seq: 0, ack: 0, flags: SYN };
                self.write(entry, syn, &[])?;
                let back = Segment { from: device, to: local, seq: 0, ack: 1, flags: SYN | ACK };
                self.write(entry, back, &[])?;
                (flow.sent, flow.received) = (1, 1);
                let ack = Segment { from: local, to: device, seq: 1, ack: 1, flags: ACK };
                self.write(entry, ack, &[])?;
                self.connections.insert(id, flow);
                Ok(())
            }
            What::Bound { local } => {
                let flow = Flow { local: *local, carrier: Transport::Udp, sent: 0, received: 0 };
                self.connections.insert(id, flow);
                Ok(())
            }
            What::Sent { bytes, .. } => self.payload(entry, true, bytes.as_ref()),
            What::Received { bytes } => self.payload(entry, false, bytes.as_ref()),
            What::Closed { .. } => {
                let Some(flow) = self.connections.remove(&id) else { return Ok(()) };
                if flow.carrier == Transport::Udp {
                    return Ok(());
                }
                let (from, to, seq, ack) = (flow.local, entry.device, flow.sent, flow.received);
                self.write(entry, Segment { from, to, seq, ack, flags: FIN | ACK }, &[])
            }
            _ => Ok(()),
        }
    }

    fn payload(&mut self, entry: &Entry, ours: bool, bytes: &[u8]) -> io::Result<()> {
        let Some(flow) = self.connections.get_mut(&(entry.device, entry.connection)) else {
            return Ok(());
        };
        let before = *flow;
        if before.carrier == Transport::Udp {
            let ends = (before.local, entry.device);
            let (from, to) = if ours { ends } else { (ends.1, ends.0) };
            return self.packet(entry, &datagram(from, to, bytes));
        }
        let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let segment = if ours {
            flow.sent = flow.sent.wrapping_add(count);
            let (from, to) = (before.local, entry.device);
            Segment { from, to, seq: before.sent, ack: before.received, flags: PSH_ACK }
        } else {
            flow.received = flow.received.wrapping_add(count);
            let (from, to) = (entry.device, before.local);
            Segment { from, to, seq: before.received, ack: before.sent, flags: PSH_ACK }
        };
        let mut seq = segment.seq;
        for chunk in bytes.chunks(LARGEST_PAYLOAD) {
            self.write(entry, Segment { seq, ..segment }, chunk)?;
            seq = seq.wrapping_add(u32::try_from(chunk.len()).unwrap_or(0));
        }
        Ok(())
    }

    fn write(&mut self, entry: &Entry, segment: Segment, payload: &[u8]) -> io::Result<()> {
        self.packet(entry, &segment.packet(payload))
    }

    fn packet(&mut self, entry: &Entry, packet: &[u8]) -> io::Result<()> {
        let micros = u64::try_from(entry.at.as_microsecond()).unwrap_or(0);
        let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
        let mut body = Vec::new();
        body.extend(0_u32.to_le_bytes()); // interface
        body.extend(u32::try_from(micros >> 32).unwrap_or(0).to_le_bytes());
        body.extend(u32::try_from(micros & 0xFFFF_FFFF).unwrap_or(0).to_le_bytes());
        body.extend(length.to_le_bytes());
        body.extend(length.to_le_bytes());
        body.extend(packet);
        block(&mut self.out, ENHANCED_PACKET, &body)?;
        self.out.flush()
    }
}

const LARGEST_PAYLOAD: usize = 60_000;

/// One TCP segment, headers only.
#[derive(Clone, Copy)]
struct Segment {
    from: SocketAddr,
    to: SocketAddr,
    seq: u32,
    ack: u32,
    flags: u8,
}

impl Segment {
    fn packet(self, payload: &[u8]) -> Vec<u8> {
        ip(self.from, self.to, TCP, &self.tcp(payload))
    }

    fn tcp(self, payload: &[u8]) -> Vec<u8> {
        let mut tcp = Vec::with_capacity(20 + payload.len());
        tcp.extend(self.from.port().to_be_bytes());
        tcp.extend(self.to.port().to_be_bytes());
        tcp.extend(self.seq.to_be_bytes());
        tcp.extend(self.ack.to_be_bytes());
        tcp.extend([0x50, self.flags, 0xFF, 0xFF]); // 20 bytes, window 65535
        let before = pseudo_header(self.from, self.to, TCP, 20 + payload.len());
        let mut sum = checksum(&before, 0);
        sum = checksum(&tcp, sum);
        sum = checksum(payload, sum);
        tcp.extend(fold(sum).to_be_bytes());
        tcp.extend([0, 0]); // urgent pointer
        tcp.extend(payload);
        tcp
    }
}

/// A datagram with its headers.
fn datagram(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let mut udp = Vec::with_capacity(8 + payload.len());
    udp.extend(from.port().to_be_bytes());
    udp.extend(to.port().to_be_bytes());
    udp.extend(u16::try_from(8 + payload.len()).unwrap_or(u16::MAX).to_be_bytes());
    let before = pseudo_header(from, to, UDP, 8 + payload.len());
    let sum = fold(checksum(payload, checksum(&udp, checksum(&before, 0))));
    udp.extend(if sum == 0 { u16::MAX } else { sum }.to_be_bytes()); // RFC 768: zero says none
    udp.extend(payload);
    ip(from, to, UDP, &udp)
}

fn pseudo_header(from: SocketAddr, to: SocketAddr, protocol: u8, length: usize) -> Vec<u8> {
    let mut header = Vec::new();
    match (from.ip().to_canonical(), to.ip().to_canonical()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            header.extend(from.octets());
            header.extend(to.octets());
        }
        (from, to) => {
            header.extend(octets(from));
            header.extend(octets(to));
        }
    }
    header.extend(u32::try_from(length).unwrap_or(0).to_be_bytes());
    header.extend([0, 0, 0, protocol]);
    header
}

fn ip(from: SocketAddr, to: SocketAddr, protocol: u8, inner: &[u8]) -> Vec<u8> {
    match (from.ip().to_canonical(), to.ip().to_canonical()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => ipv4(from, to, protocol, inner),
        (from, to) => ipv6(from, to, protocol, inner),
    }
}

fn ipv4(from: Ipv4Addr, to: Ipv4Addr, protocol: u8, inner: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + inner.len()).unwrap_or(u16::MAX);
    let mut ip = vec![0x45, 0];
    ip.extend(length.to_be_bytes());
    ip.extend([0, 0, 0x40, 0, 64, protocol]); // do not fragment, TTL 64
    let mut addresses = from.octets().to_vec();
    addresses.extend(to.octets());
    let sum = fold(checksum(&addresses, checksum(&ip, 0)));
    ip.extend(sum.to_be_bytes());
    ip.extend(addresses);
    ip.extend(inner);
    ip
}

fn ipv6(from: IpAddr, to: IpAddr, protocol: u8, inner: &[u8]) -> Vec<u8> {
    let mut ip = vec![0x60, 0, 0, 0];
    ip.extend(u16::try_from(inner.len()).unwrap_or(u16::MAX).to_be_bytes());
    ip.extend([protocol, 64]);
    ip.extend(octets(from));
    ip.extend(octets(to));
    ip.extend(inner);
    ip
}

fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

fn checksum(bytes: &[u8], start: u32) -> u32 {
    bytes.chunks(2).fold(start, |sum, pair| {
        let (high, low) = (pair.first().copied(), pair.get(1).copied());
        let word = u16::from_be_bytes([high.unwrap_or(0), low.unwrap_or(0)]);
        sum.wrapping_add(word.into())
    })
}

fn fold(mut sum: u32) -> u16 {
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

fn block(out: &mut impl Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let padding = body.len().next_multiple_of(4) - body.len();
    let total = u32::try_from(12 + body.len() + padding).map_err(io::Error::other)?;
    let mut block = Vec::with_capacity(12 + body.len() + padding);
    block.extend(kind.to_le_bytes());
    block.extend(total.to_le_bytes());
    block.extend(body);
    block.extend(std::iter::repeat_n(0, padding));
    block.extend(total.to_le_bytes());
    out.write_all(&block)
}
