//! A plant: pretend devices, what is true of each, and where they are found.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde::Serialize;

use super::device::Device;
use super::server::Server;
use super::station::{Counters, Station};
use crate::protocols::{self, Probe};

/// Where the first device lives if each has its own address.
const FIRST: Ipv4Addr = Ipv4Addr::new(127, 20, 4, 11);

/// Pretend devices that can be started on loopback or used in process.
#[derive(Debug, Default)]
pub struct Plant {
    members: Vec<Member>,
    place: Place,
}

/// One device of a plant.
#[derive(Clone, Debug)]
pub struct Member {
    /// What is true of it.
    pub expected: Expected,
    /// The device, with its witness.
    pub station: Arc<Station>,
}

/// What is true of a device, to compare with what a scan says. It holds in every zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// Short unique name, for example `compact-plc`.
    pub name: String,
    /// What it is, in one line.
    pub description: String,
    /// What a scan finds at level `Identify` with no special consent.
    pub found: Truth,
    /// What a scan finds if the policy consents to what this device needs; `None` if no more.
    pub with_consent: Option<Truth>,
    /// What lives behind it, by unit.
    pub units: BTreeMap<u32, Truth>,
}

/// How a conversation ends and what it brings to light.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// Name of the outcome, for example `Identified`.
    pub outcome: String,
    /// Identity fields by their names in JSON, for example `vendor`.
    pub identity: BTreeMap<String, String>,
}

impl Truth {
    /// An outcome with these identity fields.
    #[must_use]
    pub fn new(outcome: &str, identity: &[(&str, &str)]) -> Self {
        let identity = identity.iter().map(|(field, value)| ((*field).into(), (*value).into()));
        Self { outcome: outcome.into(), identity: identity.collect() }
    }
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    /// All on 127.0.0.1, each with any free port.
    #[default]
    AnyPorts,
    /// All on 127.0.0.1, each with the next port.
    PortsFrom(u16),
    /// Each on its own address, all with the same port; on 127.0.0.1 if there are none.
    OwnAddresses(u16),
    /// Each on its own address, so many apart, with the usual port of its protocol.
    Addresses(Ipv4Addr, u32),
}

impl Plant {
    /// A plant without devices.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One ordinary device of each protocol, called like it.
    #[must_use]
    pub fn of_all_protocols() -> Self {
        let named = |name: &str| Expected { name: name.into(), ..Expected::default() };
        let mut plant = Self::new();
        for probe in protocols::ALL {
            plant = plant.with(named(probe.name()), probe.simulate());
        }
        plant
    }

    /// Adds a device.
    #[must_use]
    pub fn with(mut self, expected: Expected, device: impl Device + 'static) -> Self {
        self.members.push(Member { expected, station: Arc::new(Station::new(device)) });
        self
    }

    /// Puts the devices on 127.0.0.1 with consecutive ports, instead of any free ports.
    #[must_use]
    pub fn ports_from(mut self, first: u16) -> Self {
        self.place = Place::PortsFrom(first);
        self
    }

    /// Gives each device its own address, 127.20.4.11 onwards, all with the same port: that looks
    /// like a plant.
    ///
    /// Where the system has no such addresses, the devices get free ports on 127.0.0.1.
    #[must_use]
    pub fn own_addresses(mut self, port: u16) -> Self {
        self.place = Place::OwnAddresses(port);
        self
    }

    /// Gives each device its own address, from `first` onwards and `step` apart, with the usual port
    /// of its protocol. The addresses must belong to this host.
    #[must_use]
    pub fn addresses_from(mut self, first: Ipv4Addr, step: u32) -> Self {
        self.place = Place::Addresses(first, step);
        self
    }

    /// The devices without any socket, for tests in virtual time.
    #[must_use]
    pub fn in_process(self) -> Vec<Member> {
        self.members
    }

    /// Serves every device on loopback, in the runtime of the caller.
    ///
    /// # Errors
    /// If a listener cannot be opened; the message names the device and the address.
    pub async fn start(self) -> io::Result<RunningPlant> {
        let mut server = Server::new();
        let mut devices = Vec::with_capacity(self.members.len());
        for (at, Member { expected, station }) in (0..).zip(self.members) {
            let served = self.place.serve(&mut server, &station, at).await;
            let addr = served.map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", expected.name))
            })?;
            devices.push(Running { name: expected.name.clone(), addr, expected, station });
        }
        Ok(RunningPlant { server, devices })
    }
}

impl Place {
    async fn serve(
        self,
        server: &mut Server,
        station: &Arc<Station>,
        at: u16,
    ) -> io::Result<SocketAddr> {
        let wanted = self.address(at, station.protocol())?;
        let served = server.serve(Arc::clone(station), wanted).await;
        match (self, served) {
            (Self::OwnAddresses(_), Err(error))
                if error.kind() == io::ErrorKind::AddrNotAvailable =>
            {
                server
                    .serve(Arc::clone(station), Self::AnyPorts.address(at, station.protocol())?)
                    .await
            }
            (_, served) => {
                served.map_err(|error| io::Error::new(error.kind(), format!("{wanted}: {error}")))
            }
        }
    }

    fn address(self, at: u16, protocol: &str) -> io::Result<SocketAddr> {
        let (ip, port) = match self {
            Self::AnyPorts => (Ipv4Addr::LOCALHOST, Some(0)),
            Self::PortsFrom(first) => (Ipv4Addr::LOCALHOST, first.checked_add(at)),
            Self::OwnAddresses(port) => {
                (Ipv4Addr::from_bits(FIRST.to_bits() + u32::from(at)), Some(port))
            }
            Self::Addresses(first, step) => {
                let bits = step.checked_mul(at.into()).and_then(|n| first.to_bits().checked_add(n));
                let bits = bits.ok_or_else(|| io::Error::other("no address left"))?;
                let usual = protocols::by_name(protocol).map_or(0, Probe::port);
                (Ipv4Addr::from_bits(bits), Some(usual))
            }
        };
        let port = port.ok_or_else(|| io::Error::other("no port left, start from a lower one"))?;
        Ok(SocketAddr::new(IpAddr::V4(ip), port))
    }
}

/// A plant that is being served. Dropping it stops it.
#[derive(Debug)]
pub struct RunningPlant {
    server: Server,
    devices: Vec<Running>,
}

/// One device that is being served.
#[derive(Clone, Debug)]
pub struct Running {
    /// Its name, as in `expected`.
    pub name: String,
    /// Where it listens.
    pub addr: SocketAddr,
    /// What is true of it.
    pub expected: Expected,
    station: Arc<Station>,
}

impl Running {
    /// What happened to it until now.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.station.counters()
    }

    /// The device as a target, for example `modbus://127.20.4.11:50502`.
    #[must_use]
    pub fn target(&self) -> String {
        format!("{}://{}", self.station.protocol(), self.addr)
    }
}

impl RunningPlant {
    /// Every device, in the order they were added.
    #[must_use]
    pub fn devices(&self) -> &[Running] {
        &self.devices
    }

    /// The device with this name.
    #[must_use]
    pub fn device(&self, name: &str) -> Option<&Running> {
        self.devices.iter().find(|device| device.name == name)
    }

    /// What must never have been sent to any device: writes, malformed requests.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.each(|counters| counters.violations)
    }

    /// Everything that would have hurt a real plant, violations included.
    #[must_use]
    pub fn harm(&self) -> Vec<String> {
        self.each(|counters| counters.harm())
    }

    /// Closes every listener and every connection.
    pub async fn stop(self) {
        self.server.stop().await;
    }

    fn each(&self, what: impl Fn(Counters) -> Vec<String>) -> Vec<String> {
        let named = |device: &Running| {
            let lines = what(device.counters()).into_iter();
            lines.map(|line| format!("{}: {line}", device.name)).collect::<Vec<_>>()
        };
        self.devices.iter().flat_map(named).collect()
    }
}
