//! Stored results as text in and text out: what a binding needs to compare and hand them on.

use super::json;
use crate::error::{Error, ErrorKind};
use crate::export::Format;
use crate::fingerprint::Knowledge;
use crate::model::{Document, Joining, join as joined};
use crate::scan;

/// Read a report, an inventory, or lines of assets or exchanges. Exchanges without assets are
/// decoded.
///
/// # Errors
/// [`ErrorKind::File`] if the text is none of them, or not a sound one.
pub fn read(text: &str) -> Result<Document, Error> {
    let mut document = Document::read(text)?;
    if document.assets.is_empty() && !document.exchanges.is_empty() {
        document.assets = scan::redecode(&Knowledge::built_in(), &document.exchanges);
    }
    Ok(document)
}

/// What differs between two documents, as JSON; silence counts only where the later one asked.
///
/// ```
/// let diff = otcore::blocking::diff("[]", "[]", false)?;
/// assert!(diff.starts_with(r#"{"new":[],"gone":[]"#), "{diff}");
/// # Ok::<(), otcore::Error>(())
/// ```
///
/// # Errors
/// As for [`read`].
pub fn diff(before: &str, after: &str, across_zones: bool) -> Result<String, Error> {
    json(&scan::compare(&read(before)?, &read(after)?, joining(across_zones)))
}

/// Which assets of a document are one device, and why, as JSON.
///
/// # Errors
/// As for [`read`].
pub fn join(document: &str, across_zones: bool) -> Result<String, Error> {
    json(&joined(&read(document)?.assets, &joining(across_zones)))
}

/// A document in another form; the names of the forms are those of [`Format`].
///
/// # Errors
/// As for [`read`], and [`ErrorKind::Naming`] for a form that there is not.
pub fn export(document: &str, format: &str) -> Result<String, Error> {
    let format: Format = format.parse()?;
    let written = format.write(&read(document)?);
    written.map_err(|error| Error::new(ErrorKind::Internal, error))
}

/// The assets that the exchanges of a document decode to with this build, as JSON. Nothing is sent.
///
/// # Errors
/// As for [`read`].
pub fn redecode(document: &str) -> Result<String, Error> {
    json(&scan::redecode(&Knowledge::built_in(), &Document::read(document)?.exchanges))
}

fn joining(across_zones: bool) -> Joining {
    Joining { across_zones, ..Joining::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::{asset, said};
    use crate::model::{Field, Inventory};

    fn inventory(firmware: &str) -> String {
        let mut drive = asset("line-3", 7);
        drive.node.identity.add(Field::Vendor, said("Brakkenholt"));
        drive.node.identity.add(Field::SerialNumber, said("BH-0042-11"));
        drive.node.identity.add(Field::Firmware, said(firmware));
        let mut inventory = Inventory::default();
        inventory.add(drive);
        serde_json::to_string(&inventory).unwrap()
    }

    #[test]
    fn everything_is_reached_with_text_alone() {
        let (old, new) = (inventory("0.98"), inventory("1.02"));
        assert!(diff(&old, &new, false).unwrap().contains("identity.firmware"));
        assert!(join(&old, false).unwrap().contains(r#""paths":["line-3/10.0.0.7"]"#));
        for format in Format::ALL {
            let text = export(&old, format.name()).unwrap();
            assert!(text.contains("BH-0042-11") || format == Format::Observations, "{format}");
        }
        assert_eq!(redecode(&old).unwrap(), "[]");
    }

    #[test]
    fn what_is_wrong_has_its_kind() {
        assert_eq!(export("[]", "pdf").unwrap_err().kind(), ErrorKind::Naming);
        assert_eq!(export("shopping list", "csv").unwrap_err().kind(), ErrorKind::File);
        assert_eq!(diff("[]", "{}", false).unwrap_err().kind(), ErrorKind::File);
    }
}
