//! Whose packs are used.

use minisign_verify::{Error, PublicKey, Signature};

use super::error::PackError;

/// What the first line of a pack says: it is not signed, so it says nothing else.
const FIRST_LINE: &str = "untrusted comment: otcore data pack";

/// A signature is four lines of at most 1 KiB together; the third is a comment of the signer.
const LONGEST_SIGNATURE: usize = 1024;

/// The keys of those whose packs are used: public keys of minisign.
#[derive(Clone, Debug, Default)]
pub struct Keys(Vec<(String, PublicKey)>);

impl Keys {
    /// Trust these keys, one a line; lines that begin with `untrusted comment:` or `#` and empty
    /// lines are for people. The file that minisign writes a public key to is such a text.
    ///
    /// # Errors
    /// [`PackError::NoKey`] with the line that is none, or if there is none at all.
    pub fn parse(text: &str) -> Result<Self, PackError> {
        let for_people =
            |line: &&str| line.starts_with("untrusted comment:") || line.starts_with('#');
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys = lines.filter(|line| !for_people(line)).map(|line| {
            let no_key = |_| PackError::NoKey(line.chars().take(80).collect());
            Ok((line.to_owned(), PublicKey::from_base64(line).map_err(no_key)?))
        });
        match keys.collect::<Result<Vec<_>, PackError>>()? {
            none if none.is_empty() => Err(PackError::NoKey(String::new())),
            keys => Ok(Self(keys)),
        }
    }

    /// The key that signed `pack`, and what it signed: everything after the signature.
    ///
    /// # Errors
    /// [`PackError::NotAPack`], [`PackError::UnknownKey`] or [`PackError::Tampered`].
    pub(super) fn signed<'a>(&self, pack: &'a [u8]) -> Result<(&str, &'a [u8]), PackError> {
        let (signature, signed) = split(pack)?;
        let signature = Signature::decode(signature)
            .map_err(|_| PackError::NotAPack("its signature cannot be read"))?;
        for (text, key) in &self.0 {
            // Never the old kind of signature, whose content is not hashed first.
            match key.verify(signed, &signature, false) {
                Ok(()) => return Ok((text, signed)),
                Err(Error::UnexpectedKeyId) => {}
                Err(_) => return Err(PackError::Tampered),
            }
        }
        Err(PackError::UnknownKey)
    }
}

/// The signature of a pack, and what comes after it.
fn split(pack: &[u8]) -> Result<(&str, &[u8]), PackError> {
    let head = pack.get(..LONGEST_SIGNATURE.min(pack.len())).unwrap_or_default();
    let ends = head.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
    let end = ends.take(4).nth(3).ok_or(PackError::NotAPack("it has no signature"))?;
    let (signature, signed) = pack.split_at(end + 1);
    let plain = |byte: &u8| (b' '..=b'~').contains(byte) || *byte == b'\n';
    let text = std::str::from_utf8(signature).ok().filter(|_| signature.iter().all(plain));
    match text {
        Some(text) if text.lines().next() == Some(FIRST_LINE) => Ok((text, signed)),
        _ => Err(PackError::NotAPack("it does not begin as one")),
    }
}
