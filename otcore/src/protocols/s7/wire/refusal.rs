//! What an S7 device says when it refuses.
//!
//! The codes of a [`Refusal`](crate::protocol::Answer::Refusal). S7 has error words of two bytes,
//! return codes of one, and COTP has reasons of one; the upper half of a code tells them apart.

/// A COTP disconnect request came instead of an answer; its reason is in the low byte.
pub const DISCONNECTED: u32 = 0xC080_0000;
/// A COTP error came instead of an answer; its cause is in the low byte.
pub const REJECTED: u32 = 0xC070_0000;
/// The return code of a data item, in the low byte.
pub const RETURN_CODE: u32 = 0x00FF_0000;

/// The name of a refusal code.
///
/// ```
/// use otcore::protocols::s7::refusal;
/// assert_eq!(refusal::text(0xD402), "no such system status list here");
/// ```
#[must_use]
pub const fn text(code: u32) -> &'static str {
    match code {
        0x8104 => "service not implemented",
        0x8301..=0x83FF => "no resources",
        0x8500..=0x85FF => "the question does not fit the size that was agreed",
        0xD401 | 0xD402 => "no such system status list here",
        0xD403..=0xD405 => "service not supported",
        0xD406 => "not available at present",
        _ if wants_password(code) => "not permitted at the protection level",
        _ => match code & 0xFFFF_0000 {
            DISCONNECTED => "no connection to this rack and slot of this kind",
            REJECTED => "connection request rejected",
            RETURN_CODE => "no such object",
            _ => "error code without a name",
        },
    }
}

/// Whether the device has no room or time now, rather than no such thing.
///
/// Error class 0x83; COTP reasons 1 and 129, congestion (RFC 905, 13.5.3).
pub(super) const fn is_busy(code: u32) -> bool {
    matches!(code, 0x8300..=0x83FF) || code == DISCONNECTED | 0x01 || code == DISCONNECTED | 0x81
}

/// Whether the device wants a password first.
pub(in crate::protocols::s7) const fn wants_password(code: u32) -> bool {
    matches!(code, 0xD0A1 | 0xD241 | 0xD242 | 0xD602 | 0xD605) || code == RETURN_CODE | 0x03
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lack_of_resources_is_busy() {
        for (code, busy) in [
            (0x8302, true),
            (0x8304, true),
            (0x8104, false),
            (0xD401, false),
            (0xD406, false),
            (DISCONNECTED | 0x01, true),
            (DISCONNECTED | 0x03, false),
            (DISCONNECTED | 0x81, true),
            (RETURN_CODE | 0x0A, false),
        ] {
            assert_eq!(is_busy(code), busy, "{code:#x}");
        }
    }

    #[test]
    fn every_code_has_a_name() {
        assert_eq!(text(0xD241), "not permitted at the protection level");
        assert_eq!(text(DISCONNECTED | 3), "no connection to this rack and slot of this kind");
        assert_eq!(text(RETURN_CODE | 0x0A), "no such object");
        assert_eq!(text(0x1234), "error code without a name");
    }
}
