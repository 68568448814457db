//! Kinds of device that are recognised and then left alone: safety systems and their like.

/// Words in a vendor or model name, in lower case, and what such a device is.
///
/// From the makers' public product names. A word that also names ordinary devices is not listed.
const KINDS: &[(&str, &str)] = &[
    ("triconex", "safety controller"),
    ("tricon ", "safety controller"),
    ("himax", "safety controller"),
    ("himatrix", "safety controller"),
    ("hima ", "safety controller"),
    ("hiquad", "safety controller"),
    ("safety manager", "safety controller"),
    ("prosafe", "safety controller"),
    ("deltav sis", "safety controller"),
    ("ics triplex", "safety controller"),
    ("guardplc", "safety controller"),
    ("laserjet", "printer"),
    ("smart-ups", "uninterruptible power supply"),
];

/// What kind of device that must be left alone this is, if it is one.
pub(super) fn kind(vendor: &str, model: &str) -> Option<&'static str> {
    let text = format!("{vendor} {model} ").to_lowercase();
    KINDS.iter().find(|(word, _)| text.contains(word)).map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn safety_systems_are_recognised_and_ordinary_controllers_are_not() {
        assert_eq!(kind("Invensys Triconex", "3008"), Some("safety controller"));
        assert_eq!(kind("HIMA Paul Hildebrandt GmbH", "F35"), Some("safety controller"));
        assert_eq!(kind("Schneider Electric", "BMX P34 2020"), None);
    }
}
