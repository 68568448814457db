//! Whom we ask, and which questions are for whom.

use crate::protocols::bacnet::{Function, IAm};

/// Who takes no longer messages than this is asked for one property at a time, since several would not
/// fit into one answer (ASHRAE 135, clause 20.1.2.5, knows 50, 128, 206, 480, 1024 and 1476).
const LEAST_FOR_SEVERAL: u32 = 206;
/// The same behind a router, where whatever is long keeps a slow bus busy.
const LEAST_FOR_SEVERAL_BEHIND: u32 = 480;

/// A device that is asked: the one at the address itself, or another behind it.
#[derive(Clone, Debug)]
pub(super) struct Device {
    /// Its number.
    pub(super) instance: u32,
    /// How it is asked.
    pub(super) way: &'static Way,
    /// Whether it can be asked for several properties at once.
    pub(super) several: bool,
    /// The revision of the standard that it follows, once it has said so.
    pub(super) revision: u64,
}

/// The same questions here and behind a router.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) identity: Function,
    pub(super) description: Function,
    pub(super) state: Function,
    /// Who it is, most useful first.
    pub(super) names: &'static [Function],
    /// Who made it, as a number, if it says no name.
    pub(super) number: Option<Function>,
    /// How it is, most useful first.
    pub(super) status: &'static [Function],
    /// Who takes no longer messages is asked for one property at a time.
    pub(super) least_for_several: u32,
}

pub(super) const HERE: Way = Way {
    identity: Function::ReadIdentity,
    description: Function::ReadDescription,
    state: Function::ReadState,
    names: &[
        Function::ReadObjectName,
        Function::ReadVendorName,
        Function::ReadModelName,
        Function::ReadFirmwareRevision,
        Function::ReadSerialNumber,
        Function::ReadApplicationSoftware,
        Function::ReadLocation,
        Function::ReadDescriptionText,
    ],
    number: Some(Function::ReadVendorIdentifier),
    status: &[
        Function::ReadSystemStatus,
        Function::ReadDatabaseRevision,
        Function::ReadRestartReason,
        Function::ReadRestartTime,
    ],
    least_for_several: LEAST_FOR_SEVERAL,
};

pub(super) const BEHIND: Way = Way {
    identity: Function::ReadRoutedIdentity,
    description: Function::ReadRoutedDescription,
    state: Function::ReadRoutedState,
    names: &[
        Function::ReadRoutedObjectName,
        Function::ReadRoutedVendorName,
        Function::ReadRoutedModelName,
        Function::ReadRoutedFirmwareRevision,
        Function::ReadRoutedSerialNumber,
        Function::ReadRoutedApplicationSoftware,
        Function::ReadRoutedLocation,
        Function::ReadRoutedDescriptionText,
        Function::ReadRoutedProtocolRevision,
    ],
    number: None, // it said that in I-Am
    status: &[Function::ReadRoutedSystemStatus, Function::ReadRoutedDatabaseRevision],
    least_for_several: LEAST_FOR_SEVERAL_BEHIND,
};

impl Device {
    /// A device of which nothing is known but its number; what it takes is found out.
    pub(super) fn numbered(instance: u32) -> Self {
        Self { instance, way: &HERE, several: true, revision: 0 }
    }

    /// A device that said who it is.
    pub(super) fn heard(i_am: &IAm, way: &'static Way) -> Self {
        let several = i_am.max_apdu >= way.least_for_several;
        Self { instance: i_am.instance, way, several, revision: 0 }
    }
}
