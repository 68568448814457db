//! Who else answers on a port: known by the first bytes.

use std::borrow::Cow;

use crate::wire::WireError;

/// First bytes that other protocols send on their own or in answer to nonsense.
///
/// Asked only about bytes that are no message of the protocol that was asked, so a Modbus
/// transaction id that happens to look like `HT` never fires.
const SIGNS: &[(&[u8], &str)] = &[
    (b"HTTP", "http"),
    (b"<htm", "http"),
    (b"<HTM", "http"),
    (b"<!DO", "http"),
    (b"SSH-", "ssh"),
    (b"220 ", "ftp or smtp"),
    (b"220-", "ftp or smtp"),
    (b"421 ", "ftp or smtp"),
    (b"RFB ", "vnc"),
    (b"ERRF", "opc-ua"),
    (&[0x15, 0x03], "tls"),               // alert record
    (&[0x16, 0x03], "tls"),               // handshake record
    (&[0x03, 0x00], "iso-on-tcp or rdp"), // TPKT
    (&[0xFF, 0xFB], "telnet"),            // IAC WILL
    (&[0xFF, 0xFC], "telnet"),            // IAC WONT
    (&[0xFF, 0xFD], "telnet"),            // IAC DO
    (&[0xFF, 0xFE], "telnet"),            // IAC DONT
    (&[0x05, 0x64], "dnp3"),
    (&[0x05, 0x00], "dce/rpc"),
    (&[0x68, 0x04], "iec104"),
];

/// The error for `buf`, which is known not to be in the protocol that was asked, if it is in another.
pub(super) fn recognise(buf: &[u8]) -> Option<WireError> {
    let (_, protocol) = SIGNS.iter().find(|(sign, _)| buf.starts_with(sign))?;
    Some(WireError::Foreign { protocol: Cow::Borrowed(protocol) })
}
