//! What a Modbus device says when it refuses.
//!
//! The codes of a [`Refusal`](crate::protocol::Answer::Refusal). A device that refuses in its own
//! format is there: a refusal proves Modbus, whatever its code.

/// The function is not known here, or not allowed now.
pub const ILLEGAL_FUNCTION: u32 = 0x01;
/// No such register, or no such identification object.
pub const ILLEGAL_DATA_ADDRESS: u32 = 0x02;
/// A value in the question is not allowed; some devices answer so to a category they lack.
pub const ILLEGAL_DATA_VALUE: u32 = 0x03;
/// Something failed for good while the device tried.
pub const SERVER_DEVICE_FAILURE: u32 = 0x04;
/// Accepted, but it takes a long time.
pub const ACKNOWLEDGE: u32 = 0x05;
/// Busy with a long command.
pub const SERVER_DEVICE_BUSY: u32 = 0x06;
/// Cannot do it; only in old editions of the specification.
pub const NEGATIVE_ACKNOWLEDGE: u32 = 0x07;
/// Extended memory failed its parity check.
pub const MEMORY_PARITY_ERROR: u32 = 0x08;
/// The gateway has no way to that unit: misconfigured or overloaded.
pub const GATEWAY_PATH_UNAVAILABLE: u32 = 0x0A;
/// The gateway asked that unit and heard nothing: usually nobody is there.
pub const GATEWAY_TARGET_FAILED_TO_RESPOND: u32 = 0x0B;
/// A UMAS denial, with the controller's own sixteen-bit error in the low half.
///
/// UMAS refuses inside a positive Modbus answer (status `FD`), so its codes are kept apart.
pub const UMAS_DENIED: u32 = 0x5AFD_0000;

/// The name of a refusal code.
///
/// ```
/// use otcore::protocols::modbus::exception;
/// assert_eq!(exception::text(0x0B), "gateway target device failed to respond");
/// ```
#[must_use]
pub const fn text(code: u32) -> &'static str {
    match code {
        ILLEGAL_FUNCTION => "illegal function",
        ILLEGAL_DATA_ADDRESS => "illegal data address",
        ILLEGAL_DATA_VALUE => "illegal data value",
        SERVER_DEVICE_FAILURE => "server device failure",
        ACKNOWLEDGE => "acknowledge",
        SERVER_DEVICE_BUSY => "server device busy",
        NEGATIVE_ACKNOWLEDGE => "negative acknowledge",
        MEMORY_PARITY_ERROR => "memory parity error",
        GATEWAY_PATH_UNAVAILABLE => "gateway path unavailable",
        GATEWAY_TARGET_FAILED_TO_RESPOND => "gateway target device failed to respond",
        code if code & 0xFFFF_0000 == UMAS_DENIED => "denied by the controller through UMAS",
        _ => "exception code outside the specification",
    }
}

/// Whether a gateway says that it could not reach the unit: nobody is there, as far as it knows.
#[must_use]
pub const fn is_absent(code: u32) -> bool {
    matches!(code, GATEWAY_PATH_UNAVAILABLE | GATEWAY_TARGET_FAILED_TO_RESPOND)
}

/// Whether the device has no room or time now, rather than no such thing.
pub(super) const fn is_busy(code: u32) -> bool {
    matches!(code, ACKNOWLEDGE | SERVER_DEVICE_BUSY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_busy_device_is_busy() {
        let busy: Vec<u32> = (0..=0xFF).filter(|&code| is_busy(code)).collect();
        assert_eq!(busy, [0x05, 0x06]);
    }

    #[test]
    fn only_a_gateway_says_that_a_unit_is_absent() {
        let absent: Vec<u32> = (0..=0xFF).filter(|&code| is_absent(code)).collect();
        assert_eq!(absent, [0x0A, 0x0B]);
    }

    #[test]
    fn every_code_has_a_name() {
        assert_eq!(text(0x0A), "gateway path unavailable");
        assert_eq!(text(UMAS_DENIED | 0x81), "denied by the controller through UMAS");
        assert_eq!(text(0x0E), "exception code outside the specification");
    }

    #[test]
    fn no_two_codes_of_the_standard_have_the_same_name() {
        let mut names: Vec<&str> = (1..=0xFF).map(text).collect();
        names.retain(|name| *name != "exception code outside the specification");
        let told = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!((told, names.len()), (10, 10));
    }
}
