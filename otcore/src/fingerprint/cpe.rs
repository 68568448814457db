//! Names in the Common Platform Enumeration 2.3 (NIST IR 7695), as the vulnerability database has
//! them.

use crate::model::Version;

/// A product as tables have it, with the model in place of `{model}`.
pub(super) fn product(template: &str, model: &str) -> String {
    template.replace("{model}", &escaped(&model.to_lowercase()))
}

/// The name of the hardware; `product` is `<vendor>:<product>` with what needs it escaped.
pub(super) fn hardware(product: &str) -> String {
    format!("cpe:2.3:h:{product}:-:*:*:*:*:*:*:*")
}

/// The name of the firmware of `product`, which the database calls like the hardware with
/// `_firmware`; `None` if `version` is none.
pub(super) fn firmware(product: &str, version: &str) -> Option<String> {
    let version = escaped(&Version::read(version)?.to_string());
    Some(format!("cpe:2.3:o:{product}_firmware:{version}:*:*:*:*:*:*:*"))
}

/// NIST IR 7695, 6.2.3: letters, digits, `.`, `-` and `_` stand for themselves.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' ' => shown.push('_'),
            '.' | '-' | '_' => shown.push(c),
            c if c.is_ascii_alphanumeric() => shown.push(c),
            c if c.is_ascii_graphic() => shown.extend(['\\', c]),
            _ => shown.push('_'),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_of_firmware_is_part_of_its_name() {
        let product = "siemens:simatic_s7-1200_cpu_12_1214c";
        assert_eq!(
            firmware(product, "V4.2.3").unwrap(),
            "cpe:2.3:o:siemens:simatic_s7-1200_cpu_12_1214c_firmware:4.2.3:*:*:*:*:*:*:*"
        );
        assert_eq!(
            hardware(product),
            "cpe:2.3:h:siemens:simatic_s7-1200_cpu_12_1214c:-:*:*:*:*:*:*:*"
        );
        let template = "siemens:simatic_s7-1500_{model}";
        assert_eq!(
            super::product(template, "CPU 1516-3 PN/DP"),
            r"siemens:simatic_s7-1500_cpu_1516-3_pn\/dp"
        );
        assert_eq!(firmware(product, "newest"), None);
        assert!(firmware(product, "1:*\u{202e}").unwrap().contains(r"_firmware:1\:\*_:*"));
    }
}
