//! UMAS (function 0x5A): what a Modicon controller says about itself and its project.
//!
//! Numbers are little-endian. An answer does not say which question it answers; it is paired by
//! its transaction id. Layouts as observed on a 140 CPU 311 10.

use std::fmt;

use super::{Function, Modbus, exception, until_nul};
use crate::protocol::{Answer, Request};
use crate::wire::{Reader, WireError, Writer};

const SUCCESS: u8 = 0xFE;
const DENIED: u8 = 0xFD;

/// Takes the UMAS header off what follows the Modbus function code.
pub(super) fn open(body: &[u8]) -> Result<Answer<'_>, WireError> {
    let mut r = Reader::new(body);
    r.u8("pairing key")?;
    match r.u8("umas status")? {
        SUCCESS => Ok(Answer::Body(r.rest())),
        DENIED => {
            let mut byte = || r.u8("umas error").unwrap_or(0);
            let error = u16::from_le_bytes([byte(), byte()]);
            Ok(Answer::Refusal { code: exception::UMAS_DENIED | u32::from(error), busy: false })
        }
        other => Err(WireError::Invalid { field: "umas status", value: other.into() }),
    }
}

/// Asks which controller this is: READ_ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UmasReadId;

/// What a controller answers to [`UmasReadId`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuId {
    /// Hardware family number.
    pub ident: u32,
    /// Model number; 0 on controllers that do not use it.
    pub model: u16,
    /// Version of the communication firmware: major in the high byte, minor in the low one.
    pub com_version: u16,
    /// Patch level of the communication firmware.
    pub com_patch: u16,
    /// Internal version.
    pub internal_version: u16,
    /// Hardware version.
    pub hardware_version: u16,
    /// Code of the last crash.
    pub crash_code: u32,
    /// Commercial name, for example `140 CPU 311 10`, raw as sent.
    pub name: Vec<u8>,
}

impl CpuId {
    /// The firmware version as its vendor prints it, for example `2.70`.
    #[must_use]
    pub fn firmware(&self) -> String {
        let [minor, major] = self.com_version.to_le_bytes();
        format!("{major}.{minor:02X}") // the minor number is binary coded decimal
    }
}

impl Request<Modbus> for UmasReadId {
    type Reply = CpuId;

    fn function(&self) -> Function {
        Function::UmasReadId
    }

    fn write(&self, _: &mut Writer) {}

    /// The memory banks that follow the name are not read: they identify nothing.
    fn read(&self, r: &mut Reader<'_>) -> Result<CpuId, WireError> {
        r.u16_le("range")?;
        let ident = r.u32_le("ident")?;
        let model = r.u16_le("model")?;
        let com_version = r.u16_le("com version")?;
        let com_patch = r.u16_le("com patch")?;
        let internal_version = r.u16_le("internal version")?;
        let hardware_version = r.u16_le("hardware version")?;
        let crash_code = r.u32_le("crash code")?;
        r.u16_le("reserved word")?;
        let len = r.u8("cpu name length")?;
        let name = until_nul(r.take(len.into(), "cpu name")?).to_vec();
        Ok(CpuId {
            ident,
            model,
            com_version,
            com_patch,
            internal_version,
            hardware_version,
            crash_code,
            name,
        })
    }
}

/// Asks for the project's name, revision and last change: READ_PROJECT_INFO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UmasReadProjectInfo;

/// What a controller answers to [`UmasReadProjectInfo`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectInfo {
    /// Revision of the project, most significant number first.
    pub revision: [u8; 3],
    /// When the project was last changed, by the clock of the tool that changed it; `None` if it is
    /// no possible date.
    pub changed: Option<CivilTime>,
    /// Name of the project, raw as sent.
    pub name: Vec<u8>,
}

impl ProjectInfo {
    /// The revision as the programming tool prints it, for example `0.0.8`.
    #[must_use]
    pub fn revision_text(&self) -> String {
        let [major, minor, build] = self.revision;
        format!("{major}.{minor}.{build}")
    }
}

impl Request<Modbus> for UmasReadProjectInfo {
    type Reply = ProjectInfo;

    fn function(&self) -> Function {
        Function::UmasReadProjectInfo
    }

    fn write(&self, _: &mut Writer) {}

    fn read(&self, r: &mut Reader<'_>) -> Result<ProjectInfo, WireError> {
        r.take(18, "project ids")?;
        r.take(8, "first timestamp")?;
        let changed = CivilTime::read(r)?;
        let mut revision = r.array::<3>("project revision")?;
        revision.reverse();
        r.take(2, "reserved word")?;
        let name = until_nul(r.rest()).to_vec();
        Ok(ProjectInfo { revision, changed, name })
    }
}

/// A date and a time of day without a time zone: the device does not say which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CivilTime {
    /// Year, for example 2014.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 59.
    pub second: u8,
}

impl CivilTime {
    fn read(r: &mut Reader<'_>) -> Result<Option<Self>, WireError> {
        r.u8("weekday")?;
        let second = r.u8("second")?;
        let minute = r.u8("minute")?;
        let hour = r.u8("hour")?;
        let day = r.u8("day")?;
        let month = r.u8("month")?;
        let year = r.u16_le("year")?;
        let time = Self { year, month, day, hour, minute, second };
        Ok(time.is_possible().then_some(time))
    }

    fn is_possible(&self) -> bool {
        let leap = self.year.is_multiple_of(4)
            && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        let days = match self.month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => 0,
        };
        (1970..=9999).contains(&self.year)
            && (1..=days).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second < 60
    }
}

impl fmt::Display for CivilTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_is_a_refusal_with_the_controllers_own_code() {
        let refusal = |code| Ok(Answer::Refusal { code, busy: false });
        assert_eq!(open(&[0, 0xFD, 0x81, 0x80]), refusal(0x5AFD_8081));
        assert_eq!(open(&[0, 0xFD]), refusal(0x5AFD_0000));
    }

    #[test]
    fn a_status_nobody_knows_is_an_error() {
        assert_eq!(open(&[0, 0x02]), Err(WireError::Invalid { field: "umas status", value: 0x02 }));
        assert_eq!(open(&[0]), Err(WireError::Short { field: "umas status" }));
    }

    #[test]
    fn a_name_longer_than_the_message_is_named() {
        let mut body = vec![0; 22];
        body.push(200);
        body.extend(b"140");
        let error = UmasReadId.read(&mut Reader::new(&body)).unwrap_err();
        assert_eq!(error, WireError::Short { field: "cpu name" });
    }

    #[test]
    fn a_clock_that_was_never_set_is_no_date() {
        let body = [0; 40];
        let project = UmasReadProjectInfo.read(&mut Reader::new(&body)).unwrap();
        assert_eq!(project.changed, None);
    }

    #[test]
    fn only_real_dates_are_dates() {
        let day = |year, month, day| {
            CivilTime { year, month, day, hour: 0, minute: 0, second: 0 }.is_possible()
        };
        assert!(day(2024, 2, 29) && day(2000, 2, 29) && day(2014, 1, 31));
        assert!(!day(2023, 2, 29) && !day(1900, 2, 29) && !day(2014, 4, 31) && !day(2014, 13, 1));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_an_answer_or_an_error(bytes: Vec<u8>) {
            drop(open(&bytes));
            drop(UmasReadId.read(&mut Reader::new(&bytes)).map(|cpu| cpu.firmware()));
            let project = UmasReadProjectInfo.read(&mut Reader::new(&bytes));
            proptest::prop_assert_eq!(project.is_ok(), bytes.len() >= 39);
        }
    }
}
