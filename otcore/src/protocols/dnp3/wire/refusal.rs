//! What an outstation says when it refuses: the codes of a
//! [`Refusal`](crate::protocol::Answer::Refusal) are its internal indications.

use super::Indications;
use crate::protocol::Answer;

/// The function is not supported (IIN2.0).
const NO_FUNCTION: u32 = 0x0001;
/// The object is unknown (IIN2.1).
const NO_OBJECT: u32 = 0x0002;
/// The qualifier or the range is not valid (IIN2.2).
const PARAMETER_ERROR: u32 = 0x0004;

/// The name of a refusal code.
///
/// ```
/// use otcore::protocols::dnp3::refusal;
/// assert_eq!(refusal::text(0x8002), "no such object here");
/// ```
#[must_use]
pub const fn text(code: u32) -> &'static str {
    if code & NO_FUNCTION != 0 {
        "function not supported"
    } else if code & NO_OBJECT != 0 {
        "no such object here"
    } else if code & PARAMETER_ERROR != 0 {
        "parameter error"
    } else if code & 0x0010 != 0 {
        "already executing"
    } else {
        "refused without a reason"
    }
}

/// Whether no other read makes sense: it does not know the function.
pub(in crate::protocols::dnp3) const fn is_of_every_read(code: u32) -> bool {
    code & NO_FUNCTION != 0
}

pub(super) fn answer(indications: Indications) -> Answer<'static> {
    Answer::Refusal { code: indications.0.into(), busy: indications.is_busy() }
}
