//! Who a device is: the items of List Identity, and the Identity object.
//!
//! ODVA, volume 2, clause 2-4.2.3 (item 0x000C) and volume 1, clause 5A-2.2 (attributes).

use std::fmt;

use super::{Enip, Function};
use crate::protocol::Request;
use crate::wire::{Reader, WireError, Writer};

/// The item that holds an identity.
const ITEM: u16 = 0x000C;
/// More items than this are not read.
const MOST_ITEMS: u16 = 64;

/// One identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The address that the device gives for itself; only List Identity has it.
    pub address: Option<[u8; 4]>,
    /// Vendor id.
    pub vendor: u16,
    /// Device type.
    pub device_type: u16,
    /// Product code, which the vendor assigns.
    pub product_code: u16,
    /// Revision.
    pub revision: Revision,
    /// Status word.
    pub status: u16,
    /// Serial number, unique for the vendor.
    pub serial: u32,
    /// Product name.
    pub name: Vec<u8>,
    /// State, where it is told.
    pub state: Option<u8>,
}

/// A revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    /// Its major part, without the bit that is reserved.
    pub major: u8,
    /// Its minor part.
    pub minor: u8,
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl Identity {
    /// Attributes 1 to 7, as Get_Attributes_All gives them.
    ///
    /// # Errors
    /// If they are not all there.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        Self::attributes(&mut Reader::new(bytes), None, false)
    }

    /// Made in one piece: what is put into it later is waited for when it is moved.
    #[inline]
    fn attributes(
        r: &mut Reader<'_>,
        address: Option<[u8; 4]>,
        with_state: bool,
    ) -> Result<Self, WireError> {
        let [v0, v1, d0, d1, p0, p1, major, minor, w0, w1, s0, s1, s2, s3] =
            r.array("attributes 1 to 6")?;
        let name = short_string(r, "product name")?;
        Ok(Self {
            address,
            vendor: u16::from_le_bytes([v0, v1]),
            device_type: u16::from_le_bytes([d0, d1]),
            product_code: u16::from_le_bytes([p0, p1]),
            revision: Revision::of(major, minor),
            status: u16::from_le_bytes([w0, w1]),
            serial: u32::from_le_bytes([s0, s1, s2, s3]),
            name: name.to_vec(),
            state: if with_state { r.u8("state").ok() } else { None }, // some leave it out
        })
    }

    /// The same attributes, as Get_Attribute_List gives them: each with its number and a status.
    ///
    /// # Errors
    /// If the list breaks off, or one of them was not given: what is not known is not zero.
    pub fn read_list(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let mut identity = Self::default();
        r.u16_le("attribute count")?;
        for number in 1..=7_u8 {
            r.expect_u8(number, "attribute")?;
            r.expect_u8(0, "attribute")?;
            r.expect_u8(0, "attribute status")?;
            r.expect_u8(0, "attribute status")?;
            identity.attribute(number.into(), &mut r)?;
        }
        Ok(identity)
    }

    /// Take over one attribute.
    ///
    /// # Errors
    /// If it is not there, or none that an identity has.
    pub fn attribute(&mut self, number: u16, r: &mut Reader<'_>) -> Result<(), WireError> {
        match number {
            1 => self.vendor = r.u16_le("vendor id")?,
            2 => self.device_type = r.u16_le("device type")?,
            3 => self.product_code = r.u16_le("product code")?,
            4 => self.revision = Revision::read(r)?,
            5 => self.status = r.u16_le("status")?,
            6 => self.serial = r.u32_le("serial number")?,
            7 => self.name = short_string(r, "product name")?.to_vec(),
            other => return Err(WireError::Invalid { field: "attribute", value: other.into() }),
        }
        Ok(())
    }

    /// What the state byte says. Who answers does exist, so 0 says nothing (OpENer gives it).
    #[must_use]
    pub const fn state(&self) -> Option<&'static str> {
        match self.state {
            Some(1) => Some("self-testing"),
            Some(2) => Some("standby"),
            Some(3) => Some("operational"),
            Some(4) => Some("major recoverable fault"),
            Some(5) => Some("major unrecoverable fault"),
            _ => None,
        }
    }

    /// Whether this is the same piece: a module that says it is its own parent is none.
    #[must_use]
    pub fn is_same_piece(&self, other: &Self) -> bool {
        let key = |identity: &Self| (identity.vendor, identity.product_code, identity.serial);
        key(self) == key(other) && self.device_type == other.device_type
    }
}

impl Revision {
    /// The highest bit of the major revision is reserved.
    const fn of(major: u8, minor: u8) -> Self {
        Self { major: major & 0x7F, minor }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let [major, minor] = r.array("revision")?;
        Ok(Self::of(major, minor))
    }
}

#[inline]
fn short_string<'a>(r: &mut Reader<'a>, field: &'static str) -> Result<&'a [u8], WireError> {
    let length = r.u8(field)?;
    r.take(length.into(), field)
}

/// Every identity in the items of a List Identity answer. Other items are passed over.
///
/// # Errors
/// If the items break off, or an identity does.
pub fn identities(body: &[u8]) -> Result<Vec<Identity>, WireError> {
    items(&mut Reader::new(body))
}

/// List Identity, whose answer is taken apart at once.
#[derive(Clone, Copy, Debug)]
pub struct ListIdentity;

impl Request<Enip> for ListIdentity {
    type Reply = Vec<Identity>;

    fn function(&self) -> Function {
        Function::ListIdentity
    }

    fn write(&self, _: &mut Writer) {}

    #[inline]
    fn read(&self, body: &mut Reader<'_>) -> Result<Vec<Identity>, WireError> {
        items(body)
    }
}

#[inline]
fn items(r: &mut Reader<'_>) -> Result<Vec<Identity>, WireError> {
    let count = r.u16_le("item count")?;
    let mut found = Vec::with_capacity(1); // more than one is rare
    for _ in 0..count.min(MOST_ITEMS) {
        let kind = r.u16_le("item type")?;
        let length = r.u16_le("item length")?;
        let item = r.take(length.into(), "item")?;
        if kind == ITEM {
            found.push(identity(item)?);
        }
    }
    Ok(found)
}

#[inline]
fn identity(item: &[u8]) -> Result<Identity, WireError> {
    let mut r = Reader::new(item);
    // Version of the encapsulation, family, port, address, zeros: the address high byte first.
    let [_, _, _, _, _, _, a, b, c, d, ..]: [u8; 18] = r.array("version and socket address")?;
    let address = Some([a, b, c, d]).filter(|address| *address != [0; 4]);
    Identity::attributes(&mut r, address, true)
}
