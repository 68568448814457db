//! What routers and those that hand broadcasts on list: no more than was sent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocol::Request;
use otcore::protocols::bacnet::{
    ReadBroadcastTable, ReadForeignTable, WhatIsNetworkNumber, WhoIsRouter,
};
use otcore::wire::Reader;

fuzz_target!(|body: &[u8]| {
    if let Ok(networks) = WhoIsRouter.read(&mut Reader::new(body)) {
        assert_eq!(networks.len() * 2, body.len());
    }
    if let Ok(entries) = ReadBroadcastTable.read(&mut Reader::new(body)) {
        assert_eq!(entries.len() * 10, body.len());
    }
    if let Ok(entries) = ReadForeignTable.read(&mut Reader::new(body)) {
        assert_eq!(entries.len() * 10, body.len());
    }
    if let Ok(network) = WhatIsNetworkNumber.read(&mut Reader::new(body)) {
        assert!(body.starts_with(&network.number.to_be_bytes()));
    }
});
