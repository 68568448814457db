//! The Modbus exchange: ask a device who it is, in the three ways that are compared here.

use tokio_modbus::bytes::Bytes;

use crate::codecs::{Hand, Parts};
use crate::measure::Contender;
use crate::python::Peer;
use crate::{floor, message, ours, tokio_modbus as peer};

const MBAP: usize = 7;

/// Everybody who is timed on it.
pub(crate) fn parts() -> Option<Parts> {
    let answer = message::answer();
    let by_hand = Hand {
        encode: || floor::encode(std::hint::black_box(message::TAG), message::UNIT),
        decode: floor::decode,
    };
    let mut parts =
        Parts::of(&answer, by_hand, Hand { encode: ours::encode, decode: ours::decode })?;
    let pdu = Bytes::from(answer.clone()).slice(MBAP..);
    parts.decode.push(Contender::new("tokio-modbus", "without the header", move || {
        peer::decode(std::hint::black_box(pdu.clone())).as_ref().and_then(peer::owned)
    }));
    let mut client = peer::client();
    parts.exchange.push(Contender::new("tokio-modbus", "its client, in memory", move || {
        peer::exchange(&mut client).as_ref().and_then(peer::owned)
    }));
    let python = Peer::reads("pymodbus", "pymodbus_exchange.py", &answer);
    parts.python.push(python.asking(&message::question()).expecting(message::objects()));
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_asks_the_same_bytes() {
        assert_eq!(floor::encode(message::TAG, message::UNIT), message::question());
        assert_eq!(ours::encode().unwrap().bytes(), message::question());
    }

    #[test]
    fn everybody_reads_the_same_objects() {
        let expected = message::objects();
        let bytes = message::answer();
        assert_eq!(floor::decode(&bytes).unwrap(), expected);
        assert_eq!(ours::objects(&bytes).unwrap(), expected);
        let pdu = Bytes::from(bytes).slice(MBAP..);
        let decoded = peer::decode(pdu).unwrap();
        assert_eq!(peer::owned(&decoded).unwrap(), expected);
        let exchanged = peer::exchange(&mut peer::client()).unwrap();
        assert_eq!(peer::owned(&exchanged).unwrap(), expected);
    }

    #[test]
    fn an_answer_to_somebody_else_is_nobodys() {
        let mut bytes = message::answer();
        bytes[0] ^= 0xFF;
        assert_eq!(floor::decode(&bytes), None);
        let asked = ours::encode().unwrap();
        assert!(ours::decode(&asked, &bytes).is_none());
    }
}
