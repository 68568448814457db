//! Looks at pretend Modbus devices, as bytes.
#![allow(dead_code)] // each test uses its part

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use otcore::Zone;
use otcore::model::{Exchange, HexBytes, Outcome, OutcomeRecord, Transport};
use otcore::store::{Look, Place};

/// A folder of its own for each test, gone when the test ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("otcore-store-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What one look at one device is to bring.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// The last byte of the address.
    pub(crate) device: u8,
    pub(crate) second: i64,
    pub(crate) source: &'static str,
    pub(crate) firmware: String,
    /// Units that answer; 255 is the device itself.
    pub(crate) units: Vec<u8>,
    /// Whether it is asked for more than its identity.
    pub(crate) deep: bool,
}

impl Seen {
    pub(crate) fn new(device: u8, second: i64, firmware: &str) -> Self {
        let (source, firmware) = ("agent", firmware.to_owned());
        Self { device, second, source, firmware, units: vec![255], deep: false }
    }

    pub(crate) fn look(&self) -> Look {
        let zone = zone();
        let address = IpAddr::from([10, 0, 0, self.device]);
        let mut look = Look::new(Place::at(&zone, address, 502), at(self.second, 0));
        for unit in &self.units {
            let place = i64::try_from(look.exchanges.len()).unwrap();
            let basic = [(0, "Tarnwick Automation"), (1, "TW-9"), (2, &self.firmware)];
            look.exchanges.push(self.exchange(*unit, 1, &basic, place));
            if self.deep {
                let regular = [(5, "Tarnwick Compact"), (6, "Station 4")];
                look.exchanges.push(self.exchange(*unit, 2, &regular, place + 1));
            }
        }
        let record = OutcomeRecord::new(zone, address, "modbus", 502, Outcome::Identified);
        look.outcomes.push(record);
        look
    }

    /// Read Device Identification and its answer: MODBUS Application Protocol V1.1b3, 6.21.
    fn exchange(&self, unit: u8, code: u8, objects: &[(u8, &str)], place: i64) -> Exchange {
        let mut said = vec![0x2B, 0x0E, code, 0x82, 0, 0, u8::try_from(objects.len()).unwrap()];
        for (id, text) in objects {
            said.extend([*id, u8::try_from(text.len()).unwrap()]);
            said.extend(text.as_bytes());
        }
        let function = if code == 1 { "ReadDeviceIdBasic" } else { "ReadDeviceIdRegular" };
        Exchange {
            zone: zone(),
            source: self.source.parse().unwrap(),
            address: IpAddr::from([10, 0, 0, self.device]),
            port: 502,
            transport: Transport::Tcp,
            protocol: "modbus".into(),
            function: function.into(),
            request: message(unit, &[0x2B, 0x0E, code, 0]),
            response: message(unit, &said),
            at: at(self.second, place),
            rtt_micros: 1500,
        }
    }
}

fn message(unit: u8, said: &[u8]) -> HexBytes {
    let length = u16::try_from(said.len() + 1).unwrap().to_be_bytes();
    let head = [0, 7, 0, 0, length[0], length[1], unit];
    HexBytes::from([&head, said].concat())
}

fn at(second: i64, place: i64) -> Timestamp {
    Timestamp::from_millisecond(1_780_000_000_000 + second * 1000 + place).unwrap()
}

pub(crate) fn zone() -> Zone {
    "line-3".parse().unwrap()
}

/// A store with everything beside it that belongs to it.
pub(crate) fn copy(from: &Path, to: &Path) {
    for end in ["", "-wal", "-shm", "-journal"] {
        let beside = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
        match beside(from).exists() {
            true => drop(std::fs::copy(beside(from), beside(to)).unwrap()),
            false => drop(std::fs::remove_file(beside(to))),
        }
    }
}
