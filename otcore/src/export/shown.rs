//! Device text as people may see it: inert, and no longer than a person reads.

use jiff::Timestamp;

use crate::model::{Claim, Method, printable};

/// Longer text ends in an ellipsis, in characters. Everything a device says of itself is shorter
/// (`LONGEST_TEXT`); what comes from elsewhere may not be.
const MOST: usize = 300;

/// Text without anything that acts, of at most 300 characters.
pub(super) fn shown(text: &str) -> String {
    // An escape of one character is ten at most, so nothing beyond this can be shown.
    let start = match text.char_indices().nth(MOST + 1) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    };
    let mut shown = printable(start).into_owned();
    if let Some((cut, _)) = shown.char_indices().nth(MOST) {
        shown.truncate(cut);
        shown.push('…');
    }
    shown
}

/// A time to the second, as people read it.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// How somebody came to know, in words: `answered in modbus/502 ReadDeviceIdBasic`.
pub(super) fn basis(claim: &Claim) -> String {
    let evidence = &claim.evidence;
    let how = match (evidence.method, &evidence.rule) {
        (Method::Rule, Some(rule)) => format!("concluded by rule {rule} from"),
        (Method::Rule, None) => "concluded from".to_owned(),
        (Method::Passive, _) => "heard in".to_owned(),
        (Method::Import, _) => "imported as".to_owned(),
        _ => "answered in".to_owned(),
    };
    shown(&format!("{how} {}/{} {}", evidence.protocol, evidence.port, evidence.function))
}
