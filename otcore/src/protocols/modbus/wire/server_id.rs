//! Report Server ID (17): a device's type and whether it runs, in no fixed layout.

use super::{Function, Modbus};
use crate::protocol::Request;
use crate::wire::{Reader, WireError, Writer};

/// Asks a device for its type. V1.1b3, 6.13.
///
/// Formally for serial lines only, widely answered over TCP; several stacks drop the connection,
/// stay silent or lie about the length, so it is the last question of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportServerId;

/// Whether a device says that it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Run {
    /// Run indicator FF.
    On,
    /// Run indicator 00.
    Off,
}

/// What a device answers to [`ReportServerId`].
///
/// The specification fixes neither how long the id is nor what follows the run indicator, so the
/// split is a **heuristic**:
///
/// 1. The first 00 or FF at the second, third or fourth byte is the run indicator. What stands
///    before it is the id, what follows is the text.
/// 2. Else an FF at the very end is the run indicator, and everything before it is the text. A 00
///    there may just as well terminate the text, so it says nothing.
/// 3. Else there is no run indicator, and everything is the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerId {
    /// The id before an early run indicator; empty otherwise.
    pub id: Vec<u8>,
    /// Whether the device runs, if that can be told.
    pub run: Option<Run>,
    /// What is left: by custom a readable name, raw as sent.
    pub text: Vec<u8>,
}

impl Request<Modbus> for ReportServerId {
    type Reply = ServerId;

    fn function(&self) -> Function {
        Function::ReportServerId
    }

    fn write(&self, _: &mut Writer) {}

    /// A byte count larger than the bytes present means those present.
    fn read(&self, r: &mut Reader<'_>) -> Result<ServerId, WireError> {
        let count = usize::from(r.u8("byte count")?);
        let data = r.take(count.min(r.left()), "server id")?;
        Ok(ServerId::guess(data))
    }
}

impl ServerId {
    fn guess(data: &[u8]) -> Self {
        let early = (1..4).find_map(|at| {
            let (id, rest) = data.split_at_checked(at)?;
            let (indicator, text) = rest.split_first()?;
            Some(Self { id: id.to_vec(), run: Some(Run::read(*indicator)?), text: text.to_vec() })
        });
        let (run, text) = match data {
            [text @ .., 0xFF] => (Some(Run::On), text),
            text => (None, text),
        };
        early.unwrap_or_else(|| Self { id: Vec::new(), run, text: text.to_vec() })
    }
}

impl Run {
    const fn read(indicator: u8) -> Option<Self> {
        match indicator {
            0xFF => Some(Self::On),
            0x00 => Some(Self::Off),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(data: &[u8]) -> ServerId {
        let mut body = vec![u8::try_from(data.len()).unwrap()];
        body.extend(data);
        ReportServerId.read(&mut Reader::new(&body)).unwrap()
    }

    fn id(id: &[u8], run: Option<Run>, text: &str) -> ServerId {
        ServerId { id: id.to_vec(), run, text: text.as_bytes().to_vec() }
    }

    #[test]
    fn a_run_indicator_after_a_short_id_is_found() {
        assert_eq!(
            answer(b"\xFA\xFFPM710PowerMeter"),
            id(&[0xFA], Some(Run::On), "PM710PowerMeter")
        );
        assert_eq!(answer(b"\xB4\xFFLMB3.1.6"), id(&[0xB4], Some(Run::On), "LMB3.1.6"));
        assert_eq!(answer(b"\x42\xFFRW-TM-77 tokio"), id(&[0x42], Some(Run::On), "RW-TM-77 tokio"));
        assert_eq!(answer(b"\x01\x02\x03\x00X"), id(&[1, 2, 3], Some(Run::Off), "X"));
    }

    #[test]
    fn an_id_of_zero_is_not_taken_for_the_run_indicator() {
        assert_eq!(answer(b"\x00\xFFWing"), id(&[0], Some(Run::On), "Wing"));
    }

    #[test]
    fn a_run_indicator_at_the_end_is_found() {
        let text = "Rigwerk AG-RW-PLC-4711-V2.14.3";
        assert_eq!(answer(&[text.as_bytes(), &[0xFF]].concat()), id(&[], Some(Run::On), text));
    }

    #[test]
    fn a_terminated_text_is_not_taken_for_a_stopped_device() {
        assert_eq!(answer(b"PowerMeter\0"), id(&[], None, "PowerMeter\0"));
    }

    #[test]
    fn a_text_alone_has_no_run_indicator() {
        assert_eq!(answer(b"PowerMeter"), id(&[], None, "PowerMeter"));
        assert_eq!(answer(b""), id(&[], None, ""));
    }

    #[test]
    fn a_byte_count_that_lies_is_bounded_by_the_bytes_present() {
        let read = |body: &[u8]| ReportServerId.read(&mut Reader::new(body));
        assert_eq!(read(b"\xFE\x42\xFFtok"), Ok(id(&[0x42], Some(Run::On), "tok")));
        assert_eq!(read(b"\x03\x42\xFFtok"), Ok(id(&[0x42], Some(Run::On), "t")));
        assert_eq!(read(b""), Err(WireError::Short { field: "byte count" }));
    }

    proptest::proptest! {
        #[test]
        fn no_byte_is_lost_or_invented(data in proptest::collection::vec(0u8.., 0..255)) {
            let ServerId { id, run, text } = answer(&data);
            let indicator = usize::from(run.is_some());
            proptest::prop_assert_eq!(id.len() + indicator + text.len(), data.len());
        }

        #[test]
        fn any_bytes_are_an_id_or_an_error(bytes: Vec<u8>) {
            let read = ReportServerId.read(&mut Reader::new(&bytes));
            proptest::prop_assert_eq!(read.is_err(), bytes.is_empty());
        }
    }
}
