//! What objects say: the data behind the status of an answer, and the items of a list.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocols::enip::{
    Chassis, EthernetLink, Identity, Names, Services, Status, TcpIp, classes, consistency,
    hardware_address, identities, ports, session,
};

fuzz_target!(|bytes: &[u8]| {
    for identity in identities(bytes).unwrap_or_default() {
        read(&identity, bytes);
    }
    for identity in [Identity::read(bytes), Identity::read_list(bytes)].into_iter().flatten() {
        read(&identity, bytes);
    }
    if let Ok(found) = TcpIp::read(bytes) {
        assert!(found.host_name.len() + found.domain.len() <= bytes.len());
    }
    for names in [Names::read(bytes), Names::read_all(bytes)].into_iter().flatten() {
        assert!(names.controller.len() + names.description.len() <= 2 * bytes.len());
    }
    if let Ok(classes) = classes(bytes) {
        assert!(classes.len() * 2 <= bytes.len());
    }
    if let Ok(ports) = ports(bytes) {
        assert!(ports.len() * 4 <= bytes.len());
    }
    let _ = (TcpIp::read_addresses(bytes), EthernetLink::read(bytes), hardware_address(bytes));
    let _ = (Services::read(bytes), Chassis::read(bytes), consistency(bytes), session(bytes));
});

fn read(identity: &Identity, bytes: &[u8]) {
    assert!(identity.name.len() < bytes.len(), "bytes that were not sent");
    let status = Status(identity.status);
    let _ = (status.mode(), status.key_switch(), status.extended(), status.faults().count());
    let _ = (identity.state(), identity.revision.to_string());
}
