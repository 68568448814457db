//! A list in parts: each is no more than was sent, and together they are what one whole would be.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocol::Request;
use otcore::protocols::s7::{List, ReadNextPart, ReadSzl, SetupCommunication, Szl};
use otcore::wire::Reader;

fuzz_target!(|bodies: &[u8]| {
    let (mut rest, mut list) = (Reader::new(bodies), Vec::new());
    let mut read = ReadSzl { list: List::ALL[0] }.read(&mut rest);
    while let Ok(part) = read {
        list.extend(&part.bytes);
        assert!(list.len() <= bodies.len(), "bytes that were not sent");
        if !part.more {
            break;
        }
        read = ReadNextPart { sequence: part.sequence }.read(&mut rest);
    }
    for kind in List::ALL {
        if let Ok(szl) = Szl::read(kind, &list) {
            let records: usize = szl.records().map(|(record, _)| record.len()).sum();
            assert!(records <= list.len());
        }
    }
    if let Ok(setup) = SetupCommunication.read(&mut Reader::new(bodies)) {
        assert_eq!(setup.pdu.to_be_bytes(), bodies[5..7]);
    }
});
