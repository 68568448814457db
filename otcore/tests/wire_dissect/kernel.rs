//! What the system really sent, as tcpdump on loopback sees it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use otcore::gate::journal::What;
use otcore::sim::Plant;

use crate::peers_support::{Process, Scanned, Scratch, moment, scan, skipped};
use crate::{everything, runs};

/// Bytes of ours and packets of ours that tcpdump saw on loopback.
#[derive(Debug, Default)]
struct Wire {
    /// Payload by our port, in the order of sequence numbers.
    payload: BTreeMap<u16, BTreeMap<u32, Vec<u8>>>,
    packets: u64,
    resets: u64,
}

/// Reads a capture of IPv4 over Ethernet, as loopback looks to tcpdump on Linux.
fn read(capture: &[u8], to: SocketAddr) -> Wire {
    let mut wire = Wire::default();
    assert_eq!(capture[..4], 0xA1B2_C3D4_u32.to_ne_bytes(), "a pcap file of this machine");
    assert_eq!(capture[20], 1, "Ethernet");
    let mut rest = &capture[24..];
    while !rest.is_empty() {
        let length = u32::from_ne_bytes(rest[8..12].try_into().unwrap()) as usize;
        let (frame, next) = rest[16..].split_at(length);
        rest = next;
        let ip = &frame[14..];
        let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
        let tcp = &ip[usize::from(ip[0] & 0x0F) * 4..total];
        if u16::from_be_bytes([tcp[2], tcp[3]]) != to.port() {
            continue;
        }
        wire.packets += 1;
        wire.resets += u64::from(tcp[13] & 0x04 != 0);
        let payload = &tcp[usize::from(tcp[12] >> 4) * 4..];
        if !payload.is_empty() {
            let ours = u16::from_be_bytes([tcp[0], tcp[1]]);
            let sequence = u32::from_be_bytes(tcp[4..8].try_into().unwrap());
            wire.payload.entry(ours).or_default().insert(sequence, payload.to_vec());
        }
    }
    wire
}

/// What the journal says was sent, by our port.
fn journalled(scanned: &Scanned) -> BTreeMap<u16, Vec<u8>> {
    let mut ports = BTreeMap::new();
    let mut sent: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
    for entry in &scanned.journal {
        match &entry.what {
            What::Connected { local } => {
                ports.insert(entry.connection, local.port());
            }
            What::Sent { bytes, .. } => {
                sent.entry(ports[&entry.connection]).or_default().extend(bytes.as_ref());
            }
            _ => {}
        }
    }
    sent
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn what_the_kernel_sent_is_what_the_journal_says() {
    let plant = Plant::demo().start().await.unwrap();
    for name in ["compact-plc", "long-identity", "resets-on-server-id", "power-meter", "http"] {
        let device = plant.device(name).unwrap();
        let scratch = Scratch::new(&format!("{name}.pcap"));
        let Some(tcpdump) = listen(device.addr, scratch.path()) else { return };
        let scanned = scan(&[device.target()], everything()).await;
        moment().await;
        drop(tcpdump);

        let wire = read(&scratch.read(), device.addr);
        let payload = wire.payload.iter();
        let payload =
            payload.map(|(port, parts)| (*port, parts.values().flatten().copied().collect()));
        assert_eq!(payload.collect::<BTreeMap<u16, Vec<u8>>>(), journalled(&scanned), "{name}");
        assert_eq!(wire.resets, 0, "{name}: we say goodbye, we do not slam the door");
        let counted = scanned.report.counters.packets;
        assert!(
            wire.packets <= counted,
            "{name}: {} packets left, {counted} counted",
            wire.packets
        );
        println!("{name}: {} packets left, {counted} counted", wire.packets);
    }
}

/// tcpdump on loopback; `None`, and a notice, where it cannot run.
fn listen(to: SocketAddr, file: &Path) -> Option<Process> {
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    if !root || !runs("tcpdump") {
        skipped("the journal against the wire: that takes root and tcpdump");
        return None;
    }
    let mut command = Command::new("tcpdump");
    command.args(["-i", "lo", "--immediate-mode", "-U", "-n", "-w"]).arg(file);
    command.arg(format!("tcp port {}", to.port()));
    Some(Process::start_until_error(&mut command, "listening on"))
}
