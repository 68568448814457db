//! What a BACnet device says when it refuses.
//!
//! The codes of a [`Refusal`](crate::protocol::Answer::Refusal). The highest byte says who refused and
//! how; of an error the class is the second lowest byte and the code the lowest, of the others the
//! reason is. ASHRAE 135, clauses 18, 21, 6.4.4 and J.2.1.

use crate::protocol::Answer;

/// The service was understood and cannot be done: an Error.
pub const ERROR: u32 = 0x0100_0000;
/// The question was not understood: a Reject.
pub const REJECT: u32 = 0x0200_0000;
/// The conversation was given up: an Abort.
pub const ABORT: u32 = 0x0300_0000;
/// A router does not hand it on.
pub const ROUTER: u32 = 0x0400_0000;
/// The way over IP says no: it keeps no such table.
pub const LINK: u32 = 0x0500_0000;

/// The name of a refusal code.
///
/// ```
/// use otcore::protocols::bacnet::refusal;
/// assert_eq!(refusal::text(refusal::ERROR | 0x0220), "no such property");
/// assert_eq!(refusal::text(refusal::REJECT | 9), "it does not know the service");
/// ```
#[must_use]
pub const fn text(code: u32) -> &'static str {
    let low = code & 0xFFFF;
    match code & 0xFF00_0000 {
        ERROR => match low & 0xFF {
            2 => "it is being configured",
            3 => "the device is busy",
            25 => "it cannot do that now",
            27 => "it may not be read",
            29 => "it does not do that",
            31 => "no such object",
            32 => "no such property",
            42 => "no such element",
            _ => "an error without a name here",
        },
        REJECT => match low {
            1 => "its buffer is too small",
            4 => "it does not know the tag",
            7 => "too many arguments",
            8 => "it does not know the number",
            9 => "it does not know the service",
            _ => "a reason without a name here",
        },
        ABORT => match low {
            1 => "its buffer is too small",
            3 => "it has more urgent work",
            4 => "its answer is too long to be sent in one piece",
            5 | 6 => "it wants a secured question",
            8 => "its application took too long",
            9 => "it has no resources",
            11 => "the answer is too long",
            _ => "a reason without a name here",
        },
        ROUTER => match low {
            1 => "no way to that network",
            2 => "the network is busy",
            4 => "the message is too long for that network",
            BUSY_NETWORK => "the router is busy",
            _ => "the router does not hand it on",
        },
        LINK => "it keeps no such table",
        _ => "a refusal without a name here",
    }
}

/// Router-Busy-To-Network has no reason of its own.
const BUSY_NETWORK: u32 = 0xFFFF;

/// `DEVICE`/device-busy is the one error that says that there is no time now.
pub(super) fn error<'a>(class: u32, code: u32) -> Answer<'a> {
    let busy = matches!((class, code), (0, 3));
    Answer::Refusal { code: ERROR | (class & 0xFF) << 8 | (code & 0xFF), busy }
}

pub(super) fn reject<'a>(reason: u8) -> Answer<'a> {
    Answer::Refusal { code: REJECT | u32::from(reason), busy: false }
}

/// Preempted, too slow, out of resources.
pub(super) fn abort<'a>(reason: u8) -> Answer<'a> {
    Answer::Refusal { code: ABORT | u32::from(reason), busy: matches!(reason, 3 | 8 | 9) }
}

pub(super) fn router<'a>(reason: u8) -> Answer<'a> {
    Answer::Refusal { code: ROUTER | u32::from(reason), busy: reason == 2 }
}

pub(super) fn busy_router<'a>() -> Answer<'a> {
    Answer::Refusal { code: ROUTER | BUSY_NETWORK, busy: true }
}

pub(super) fn link<'a>(result: u16) -> Answer<'a> {
    Answer::Refusal { code: LINK | u32::from(result), busy: false }
}

/// Whether the device itself refused, rather than somebody on the way to it.
pub(in crate::protocols::bacnet) const fn is_of_device(code: u32) -> bool {
    matches!(code & 0xFF00_0000, ERROR | REJECT | ABORT)
}

/// Whether the device wants a question that proves who asks.
pub(in crate::protocols::bacnet) const fn is_for_security(code: u32) -> bool {
    matches!(code, 0x0300_0005 | 0x0300_0006) || code & 0xFFFF_FF00 == ERROR | 4 << 8
}
