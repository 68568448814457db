//! What a finished question asks, read back from its bytes.

use super::connect;
use super::message::{
    CONTINUATION, Header, JOB, NO_ITEM, QUESTION, SETUP, SZL_ASKED, USER_DATA, user_data_head,
};
use crate::protocol::Path;
use crate::wire::{Reader, WireError};

/// The selector of a question goes to `path`, every other byte of which must be as we write it.
#[inline]
pub(super) fn question(payload: &[u8], path: &mut impl Path) -> Result<(), WireError> {
    let mut r = Reader::new(payload);
    let header = Header::read(&mut r)?;
    if header.reserved != 0 {
        return Err(WireError::Invalid { field: "reserved", value: header.reserved.into() });
    }
    let parameters = r.take(header.parameters, "parameters")?;
    match (header.kind, parameters, r.rest()) {
        (JOB, [SETUP, 0, 0, 1, 0, 1, high, low], [])
            if u16::from_be_bytes([*high, *low]) == connect::PDU =>
        {
            path.next([JOB, SETUP])
        }
        (JOB, [function, ..], _) => {
            Err(WireError::Invalid { field: "function", value: (*function).into() })
        }
        (USER_DATA, parameters, data) => user_data(parameters, data, path),
        (kind, ..) => Err(WireError::Invalid { field: "message kind", value: kind.into() }),
    }
}

#[inline]
fn user_data(parameters: &[u8], data: &[u8], path: &mut impl Path) -> Result<(), WireError> {
    let mut r = Reader::new(parameters);
    user_data_head(&mut r)?;
    let length = r.u8("parameter length")?;
    if usize::from(length) != r.left() {
        return Err(WireError::Invalid { field: "parameter length", value: length.into() });
    }
    let method = r.u8("method")?;
    let [group, function] = r.array("group and function")?;
    if [group, function] != SZL_ASKED {
        let value = u16::from_be_bytes([group, function]).into();
        return Err(WireError::Invalid { field: "group and function", value });
    }
    match (method, r.rest(), data) {
        (QUESTION, [0], [0xFF, 0x09, 0, 4, i1, i0, x1, x0]) => {
            path.next([USER_DATA, method, group, function, *i1, *i0, *x1, *x0])
        }
        (CONTINUATION, [_sequence, 0, 0, 0, 0], data) if data == NO_ITEM => {
            path.next([USER_DATA, method, group, function])
        }
        _ => Err(WireError::Invalid { field: "method", value: method.into() }),
    }
}
