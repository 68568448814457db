//! Which assets are one device: each is part of exactly one, nobody is joined without a reason, zones
//! stay apart, and merging in another order changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::Inventory;
use otcore::model::{Document, Joining, join};

fuzz_target!(|text: &str| {
    let Ok(document) = Document::read(text) else { return };
    let assets = &document.assets;
    let joined = join(assets, &Joining::default());
    let parts = || joined.devices.iter().flat_map(|device| &device.parts);
    assert_eq!(parts().count(), assets.len(), "an asset is lost, or there twice");
    for device in &joined.devices {
        assert_eq!(device.parts.len() > 1, !device.reasons.is_empty());
        assert!(device.parts.iter().all(|part| part.zone() == device.parts[0].zone()));
        let whole = device.whole().expect("a device has parts");
        for (part, field) in device
            .parts
            .iter()
            .flat_map(|part| part.node.identity.fields().map(move |field| (part, field)))
        {
            let mut claims = part.node.identity.claims(field);
            assert!(claims.all(|claim| whole.node.identity.claims(field).any(|c| c == claim)));
        }
    }
    let mut other = Inventory::default();
    let mut backwards: Vec<_> = assets.iter().cloned().collect();
    backwards.reverse();
    backwards.into_iter().for_each(|asset| other.add(asset));
    assert_eq!(other, *assets);
    let mut twice = assets.clone();
    twice.merge(other);
    assert_eq!(twice, *assets, "merging it twice adds something");
});
