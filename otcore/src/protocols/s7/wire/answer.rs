//! What an answer says to the question that it belongs to.

use super::message::{
    ACK, ACK_DATA, Header, JOB, PROTOCOL_ID, SETUP, SZL_ANSWERED, USER_DATA, user_data_head,
};
use super::{cotp, refusal};
use crate::protocol::Answer;
use crate::wire::{Reader, WireError};

/// What an answer must fit, read from our own finished question.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    kind: u8,
    reference: u16,
}

impl Asked {
    /// `None` for a connection request: on a new connection any answer is one to it.
    #[inline]
    pub(super) fn read(question: &[u8]) -> Result<Option<Self>, WireError> {
        match question {
            [_, _, _, _, _, 0xE0, ..] => Ok(None),
            [_, _, _, _, _, 0xF0, _, PROTOCOL_ID, kind, _, _, r1, r0, ..] => {
                Ok(Some(Self { kind: *kind, reference: u16::from_be_bytes([*r1, *r0]) }))
            }
            _ => Err(WireError::Short { field: "question" }),
        }
    }
}

/// Whoever lets us in and goes at the first words of S7 is somebody else on the same transport.
pub(super) fn gone<'a>(question: Asked, reason: u8) -> Result<Answer<'a>, WireError> {
    match question.kind {
        JOB => Err(WireError::Foreign { protocol: "another user of iso-on-tcp".into() }),
        _ => Ok(refused(refusal::DISCONNECTED | u32::from(reason))),
    }
}

pub(super) fn refused<'a>(code: u32) -> Answer<'a> {
    Answer::Refusal { code, busy: refusal::is_busy(code) }
}

/// What an S7 message says to an S7 question.
#[inline]
pub(super) fn answer_to(asked: Asked, payload: &[u8]) -> Result<Option<Answer<'_>>, WireError> {
    if let Some(somebody_else) = cotp::foreign(payload) {
        return Err(somebody_else);
    }
    let mut r = Reader::new(payload);
    let header = Header::read(&mut r)?;
    if header.reference != asked.reference {
        return Ok(None);
    }
    match (asked.kind, header.kind) {
        (_, ACK | ACK_DATA) if header.error != 0 => Ok(Some(refused(header.error.into()))),
        (JOB, ACK_DATA) => {
            r.expect_u8(SETUP, "function")?;
            Ok(Some(Answer::Body(r.rest())))
        }
        (USER_DATA, USER_DATA) => list_answer(&header, r),
        (_, kind) => Err(WireError::Invalid { field: "message kind", value: kind.into() }),
    }
}

#[inline]
fn list_answer<'a>(header: &Header, mut r: Reader<'a>) -> Result<Option<Answer<'a>>, WireError> {
    const HEAD: usize = 7;
    const PARAMETERS: usize = 12;
    user_data_head(&mut r)?;
    r.take(2, "parameter length and method")?;
    if r.array("group and function")? != SZL_ANSWERED {
        return Ok(None); // something that the device says unasked
    }
    let mut body = r.clone();
    if header.parameters != PARAMETERS {
        let value = header.parameters as u64;
        return Err(WireError::Invalid { field: "parameter length", value });
    }
    let mut parameters = Reader::new(r.take(PARAMETERS - HEAD, "parameters")?);
    parameters.take(3, "sequence number and data unit")?;
    let error = parameters.u16_be("error code")?;
    if error != 0 {
        return Ok(Some(refused(error.into())));
    }
    if header.data == 0 {
        return Err(WireError::Short { field: "return code" });
    }
    match r.u8("return code")? {
        0xFF => {}
        other => return Ok(Some(refused(refusal::RETURN_CODE | u32::from(other)))),
    }
    Ok(Some(Answer::Body(body.rest())))
}
