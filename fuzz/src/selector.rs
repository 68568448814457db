//! What two pairs of eyes see in the same bytes: the engine, which reads every question back before
//! it may leave, and the pretend device, which was written without it.

use otcore::protocol::Protocol;
use otcore::protocols::by_name;
use otcore::safety::never;
use otcore::sim::{Device, Visit};

/// Bytes that the engine would let out, since they are a question of the manifest, are on no list of
/// what changes a device; and a device that takes them for a question takes them for the same one.
/// Whatever else a device takes for a question never leaves.
pub fn check<P: Protocol>(device: &dyn Device, message: &[u8]) {
    let Ok(selector) = P::selector(message) else { return };
    let probe = by_name(P::NAME).expect("a protocol of this build");
    if !probe.functions().iter().any(|facts| facts.selector == selector) {
        return;
    }
    let never = never::of(P::NAME).expect("a list for every protocol");
    assert!(!never::lists(never, selector.path()), "{selector} changes a device");
    let visit = Visit { connection: 1, datagram: P::NAME == "bacnet", ..Visit::default() };
    let reply = device.answer(visit, message);
    if reply.consumed == message.len()
        && let Some(heard) = reply.heard
    {
        assert_eq!(heard.selector, selector, "the device hears another question");
    }
}
