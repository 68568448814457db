//! What objects other than Identity say, taken apart.

use crate::wire::{Reader, WireError};

/// The TCP/IP Interface object: ODVA, volume 2, clause 5-4.3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TcpIp {
    /// Its address.
    pub address: Option<[u8; 4]>,
    /// The mask of its network.
    pub mask: Option<[u8; 4]>,
    /// Its gateway.
    pub gateway: Option<[u8; 4]>,
    /// Its domain.
    pub domain: Vec<u8>,
    /// Its host name.
    pub host_name: Vec<u8>,
}

impl TcpIp {
    /// All attributes: status, capability, control and the path of the link come first.
    ///
    /// # Errors
    /// If the addresses are not there.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        r.take(12, "status, capability and control")?;
        let words = r.u16_le("path size")?;
        r.take(usize::from(words) * 2, "path")?;
        let mut found = Self::addresses(&mut r)?;
        found.host_name = string(&mut r, "host name").unwrap_or_default().to_vec();
        Ok(found)
    }

    /// Attribute 5 alone.
    ///
    /// # Errors
    /// If the addresses are not there.
    pub fn read_addresses(bytes: &[u8]) -> Result<Self, WireError> {
        Self::addresses(&mut Reader::new(bytes))
    }

    fn addresses(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let [address, mask, gateway] =
            [address(r, "address")?, address(r, "mask")?, address(r, "gateway")?];
        let mut found = Self { address, mask, gateway, ..Self::default() };
        if r.take(8, "name servers").is_ok() {
            found.domain = string(r, "domain").unwrap_or_default().to_vec();
        }
        Ok(found)
    }
}

/// Low byte first, unlike in the socket address of List Identity; zero is none.
fn address(r: &mut Reader<'_>, field: &'static str) -> Result<Option<[u8; 4]>, WireError> {
    let address = r.u32_le(field)?.to_be_bytes();
    Ok(Some(address).filter(|address| *address != [0; 4]))
}

/// A string with its length before it, filled up to a whole word.
fn string<'a>(r: &mut Reader<'a>, field: &'static str) -> Result<&'a [u8], WireError> {
    let length = usize::from(r.u16_le(field)?);
    let text = r.take(length, field)?;
    if length % 2 != 0 {
        let _ = r.u8(field); // the last one may go without
    }
    Ok(text)
}

/// The Ethernet Link object: ODVA, volume 2, clause 5-5.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EthernetLink {
    /// Megabits per second.
    pub speed: u32,
    /// Whether anything is plugged in.
    pub is_up: bool,
    /// Whether both ends send at once.
    pub is_full_duplex: bool,
    /// Hardware address.
    pub hardware_address: [u8; 6],
}

impl EthernetLink {
    /// All attributes, of which the first three are read.
    ///
    /// # Errors
    /// If they are not there.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let speed = r.u32_le("speed")?;
        let flags = r.u32_le("flags")?;
        let hardware_address = r.array("hardware address")?;
        let (is_up, is_full_duplex) = (flags & 1 != 0, flags & 2 != 0);
        Ok(Self { speed, is_up, is_full_duplex, hardware_address })
    }
}

/// Attribute 3 of the Ethernet Link object alone.
///
/// # Errors
/// If it is not there.
pub fn hardware_address(bytes: &[u8]) -> Result<[u8; 6], WireError> {
    Reader::new(bytes).array("hardware address")
}

/// What a device offers over the encapsulation: ODVA, volume 2, clause 2-4.6.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Services {
    /// CIP over TCP.
    pub tcp: bool,
    /// I/O over UDP.
    pub udp: bool,
    /// Its name, `Communications` by the standard.
    pub name: Vec<u8>,
}

impl Services {
    /// The first service of a List Services answer.
    ///
    /// # Errors
    /// If there is none, or it breaks off.
    pub fn read(body: &[u8]) -> Result<Self, WireError> {
        const SERVICE: u16 = 0x0100;
        let mut r = Reader::new(body);
        let count = r.u16_le("item count")?;
        for _ in 0..count {
            let kind = r.u16_le("item type")?;
            let length = r.u16_le("item length")?;
            let mut item = Reader::new(r.take(length.into(), "item")?);
            if kind == SERVICE {
                item.u16_le("version")?;
                let flags = item.u16_le("capabilities")?;
                let name = item.rest().split(|byte| *byte == 0).next().unwrap_or_default();
                let (tcp, udp) = (flags & 1 << 5 != 0, flags & 1 << 8 != 0);
                return Ok(Self { tcp, udp, name: name.to_vec() });
            }
        }
        Err(WireError::Invalid { field: "item count", value: count.into() })
    }
}

/// The names of a Logix controller and its project, in class 0x64 of Rockwell: each attribute with
/// its number, a status, and a length before its text. Observed, see the vectors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Attribute 1: what the controller is called in its project.
    pub controller: Vec<u8>,
    /// Attribute 2: what somebody wrote about it.
    pub description: Vec<u8>,
}

impl Names {
    /// Attributes 1 and 2 as a list.
    ///
    /// # Errors
    /// If the list breaks off.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let mut names = Self::default();
        for _ in 0..r.u16_le("attribute count")? {
            let attribute = r.u16_le("attribute")?;
            if r.u16_le("attribute status")? != 0 {
                continue;
            }
            let length = r.u16_le("name length")?;
            let text = r.take(length.into(), "name")?.to_vec();
            match attribute {
                1 => names.controller = text,
                2 => names.description = text,
                _ => {}
            }
        }
        Ok(names)
    }

    /// Everything, of which the two texts come first, each with its length before it.
    ///
    /// # Errors
    /// If the first breaks off.
    pub fn read_all(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let length = r.u16_le("name length")?;
        let controller = r.take(length.into(), "name")?.to_vec();
        let description = match r.u16_le("description length") {
            Ok(length) => r.take(length.into(), "description").unwrap_or_default().to_vec(),
            Err(_) => Vec::new(),
        };
        Ok(Self { controller, description })
    }
}

/// Attribute 9 of the Identity object: a number that changes with the configuration (ODVA, volume 1,
/// clause 5A-2.2.1.9).
///
/// # Errors
/// If it is not there.
pub fn consistency(bytes: &[u8]) -> Result<u16, WireError> {
    Reader::new(bytes).u16_le("configuration consistency")
}

/// A chassis, in class 0x66 of Rockwell: its number and its slots are the last six bytes. Observed,
/// see the vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chassis {
    /// Serial number.
    pub serial: u32,
    /// How many slots it has.
    pub slots: u16,
}

impl Chassis {
    /// All attributes.
    ///
    /// # Errors
    /// If they are too short.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let before = bytes.len().saturating_sub(6);
        let mut r = Reader::new(bytes);
        r.take(before, "chassis")?;
        Ok(Self { serial: r.u32_le("chassis serial number")?, slots: r.u16_le("slots")? })
    }
}

/// Where a port leads: ODVA, volume 1, clause 3-7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// What kind of port.
    pub kind: u16,
    /// Its number.
    pub number: u16,
}

/// Class attribute 8 of the Port object: a pair for every instance, the class itself included.
///
/// # Errors
/// If a pair breaks off.
pub fn ports(bytes: &[u8]) -> Result<Vec<Port>, WireError> {
    let mut r = Reader::new(bytes);
    let mut found = Vec::new();
    while r.left() > 0 {
        let port = Port { kind: r.u16_le("port type")?, number: r.u16_le("port number")? };
        if port.number != 0 {
            found.push(port);
        }
    }
    Ok(found)
}

/// Attribute 1 of the Message Router: the classes of the objects there are.
///
/// # Errors
/// If they are fewer than it says.
pub fn classes(bytes: &[u8]) -> Result<Vec<u16>, WireError> {
    let mut r = Reader::new(bytes);
    let count = r.u16_le("object count")?;
    (0..count).map(|_| r.u16_le("class")).collect()
}
