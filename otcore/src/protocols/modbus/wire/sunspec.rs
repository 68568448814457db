//! SunSpec: inverters and meters that keep their identity in registers.

use super::{Function, Modbus, until_nul};
use crate::protocol::Request;
use crate::wire::{Reader, WireError, Writer};

const MARKER: &[u8] = b"SunS";
const MARKER_BYTES: u8 = 4;
const COMMON_BYTES: u8 = 136; // 68 registers: id, length, and 66 of the model
const COMMON_MODEL: u16 = 1;
const NOT_IMPLEMENTED: u16 = 0xFFFF;

/// Where a SunSpec map may begin; the specification allows these three registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Base {
    /// Register 40000, by far the most frequent.
    FortyThousand,
    /// Register 50000.
    FiftyThousand,
    /// Register 0.
    Zero,
}

impl Base {
    /// All of them, likeliest first.
    pub const ALL: [Self; 3] = [Self::FortyThousand, Self::FiftyThousand, Self::Zero];
}

/// Asks whether a SunSpec map begins here. The answer is `true` if it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SunSpecMarker {
    /// Where to look.
    pub base: Base,
}

impl Request<Modbus> for SunSpecMarker {
    type Reply = bool;

    fn function(&self) -> Function {
        match self.base {
            Base::FortyThousand => Function::SunSpecMarker40000,
            Base::FiftyThousand => Function::SunSpecMarker50000,
            Base::Zero => Function::SunSpecMarker0,
        }
    }

    fn write(&self, _: &mut Writer) {}

    fn read(&self, r: &mut Reader<'_>) -> Result<bool, WireError> {
        r.expect_u8(MARKER_BYTES, "byte count")?;
        Ok(r.take(MARKER_BYTES.into(), "marker registers")? == MARKER)
    }
}

/// Asks for the common model, once [`SunSpecMarker`] was found at the same base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SunSpecCommon {
    /// Where the marker was found.
    pub base: Base,
}

/// What a device answers to [`SunSpecCommon`]: model 1. Texts end at their first NUL and are raw
/// otherwise; a field that the device does not have is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommonModel {
    /// Manufacturer (`Mn`).
    pub manufacturer: Vec<u8>,
    /// Model (`Md`).
    pub model: Vec<u8>,
    /// Options (`Opt`), free for the manufacturer to use.
    pub options: Vec<u8>,
    /// Version (`Vr`): of the firmware, usually.
    pub version: Vec<u8>,
    /// Serial number (`SN`).
    pub serial_number: Vec<u8>,
    /// Modbus unit identifier (`DA`).
    pub device_address: Option<u16>,
}

impl Request<Modbus> for SunSpecCommon {
    type Reply = CommonModel;

    fn function(&self) -> Function {
        match self.base {
            Base::FortyThousand => Function::SunSpecCommon40000,
            Base::FiftyThousand => Function::SunSpecCommon50000,
            Base::Zero => Function::SunSpecCommon0,
        }
    }

    fn write(&self, _: &mut Writer) {}

    fn read(&self, r: &mut Reader<'_>) -> Result<CommonModel, WireError> {
        r.expect_u8(COMMON_BYTES, "byte count")?;
        match r.u16_be("model id")? {
            COMMON_MODEL => {}
            other => return Err(WireError::Invalid { field: "model id", value: other.into() }),
        }
        match r.u16_be("model length")? {
            65 | 66 => {} // with or without the padding register
            other => return Err(WireError::Invalid { field: "model length", value: other.into() }),
        }
        let mut text = |len, field| r.take(len, field).map(|bytes| until_nul(bytes).to_vec());
        Ok(CommonModel {
            manufacturer: text(32, "manufacturer")?,
            model: text(32, "model")?,
            options: text(16, "options")?,
            version: text(16, "version")?,
            serial_number: text(32, "serial number")?,
            device_address: Some(r.u16_be("device address")?).filter(|da| *da != NOT_IMPLEMENTED),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common(id: u16, length: u16) -> Vec<u8> {
        let mut body = Writer::default();
        body.u8(136).u16_be(id).u16_be(length);
        for (text, len) in [("Rigwerk", 32), ("RW-INV-9", 32), ("", 16), ("1.2.3", 16), ("42", 32)]
        {
            let mut field = text.as_bytes().to_vec();
            field.resize(len, 0);
            body.bytes(&field);
        }
        body.u16_be(126).u16_be(0x8000);
        body.into_vec()
    }

    fn read(body: &[u8]) -> Result<CommonModel, WireError> {
        SunSpecCommon { base: Base::FortyThousand }.read(&mut Reader::new(body))
    }

    #[test]
    fn the_common_model_names_the_device() {
        for length in [65, 66] {
            let model = read(&common(1, length)).unwrap();
            assert_eq!(model.manufacturer, b"Rigwerk");
            assert_eq!(model.model, b"RW-INV-9");
            assert_eq!(model.options, b"");
            assert_eq!(model.version, b"1.2.3");
            assert_eq!(model.serial_number, b"42");
            assert_eq!(model.device_address, Some(126));
        }
    }

    #[test]
    fn another_model_is_not_taken_for_the_common_one() {
        let model_id = WireError::Invalid { field: "model id", value: 103 };
        assert_eq!(read(&common(103, 66)), Err(model_id));
        let length = WireError::Invalid { field: "model length", value: 50 };
        assert_eq!(read(&common(1, 50)), Err(length));
    }

    #[test]
    fn only_the_marker_is_the_marker() {
        let ask = |body: &[u8]| SunSpecMarker { base: Base::Zero }.read(&mut Reader::new(body));
        assert_eq!(ask(b"\x04SunS"), Ok(true));
        assert_eq!(ask(b"\x04\0\0\0\0"), Ok(false));
        assert_eq!(ask(b"\x04Sun"), Err(WireError::Short { field: "marker registers" }));
        assert_eq!(ask(b"\x02Su"), Err(WireError::Invalid { field: "byte count", value: 2 }));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_an_answer_or_an_error(bytes: Vec<u8>, cut in 0usize..137) {
            drop(SunSpecMarker { base: Base::Zero }.read(&mut Reader::new(&bytes)));
            drop(read(&bytes));
            proptest::prop_assert_eq!(read(&common(1, 66)[..cut]).is_ok(), cut >= 135);
        }
    }
}
