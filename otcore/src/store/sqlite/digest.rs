//! A number over everything that a look holds, by which damage is found.

use rusqlite::Result;

use super::rows::{micros, nanoseconds, question};
use crate::store::look::Look;

/// FNV-1a with 64 bits: it finds accidents, not forgers.
/// <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>
///
/// `words` are its outcomes and claims as they are kept: an engine that knows more of them would write
/// them in another way.
pub(super) fn of<'a>(look: &Look, words: impl Iterator<Item = &'a str>) -> Result<i64> {
    let mut digest = Digest(0xCBF2_9CE4_8422_2325);
    digest.add(look.place.to_string().as_bytes());
    digest.add(&nanoseconds(look.at)?.to_le_bytes());
    for exchange in &look.exchanges {
        let (source, protocol, port, transport, function) = question(exchange);
        for text in [source, protocol, transport, function] {
            digest.add(text.as_bytes());
        }
        digest.add(&port.to_le_bytes());
        digest.add(&nanoseconds(exchange.at)?.to_le_bytes());
        digest.add(&micros(exchange).to_le_bytes());
        digest.add(exchange.request.as_ref());
        digest.add(exchange.response.as_ref());
    }
    words.for_each(|word| digest.add(word.as_bytes()));
    Ok(digest.0.cast_signed())
}

struct Digest(u64);

impl Digest {
    /// The length goes first, so that no byte can move from one part to the next.
    fn add(&mut self, part: &[u8]) {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes();
        for byte in length.iter().chain(part) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }
}
