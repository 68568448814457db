//! The reference of all limits, protocols and consents, written from the tables.

use super::limits::Bound;
use super::{KNOWN, KnownProtocol, LimitFacts, NEVER_PORTS, Policy, TABLE};

impl Policy {
    /// A reference in Markdown of every limit, protocol, consent and forbidden port.
    #[must_use]
    pub fn reference() -> String {
        let mut lines = vec![
            "| Limit | Row | Per | Unit | Gentle | Careful | Allowed | Reason |".to_owned(),
            "|---|---|---|---|---|---|---|---|".to_owned(),
        ];
        lines.extend(TABLE.iter().map(limit));
        lines.extend([
            String::new(),
            "| Protocol | Port | By default | Consent | Risk |".to_owned(),
            "|---|---|---|---|---|".to_owned(),
        ]);
        lines.extend(KNOWN.iter().flat_map(protocol));
        lines.extend([
            String::new(),
            "| Never touched | What listens there |".to_owned(),
            "|---|---|".to_owned(),
        ]);
        lines.extend(NEVER_PORTS.iter().map(|row| {
            let (first, last) = (row.ports.start(), row.ports.end());
            let ports = if first == last { first.to_string() } else { format!("{first}-{last}") };
            format!("| {ports} | {} |", row.why)
        }));
        lines.join("\n") + "\n"
    }
}

fn limit(facts: &LimitFacts) -> String {
    let LimitFacts { key, number, per, unit, gentle, careful, min, max, reason, .. } = facts;
    let allowed = match facts.bound {
        Bound::AtMost => format!("{min} to **{max}**"),
        Bound::AtLeast => format!("**{min}** to {max}"),
    };
    format!("| `{key}` | {number} | {per} | {unit} | {gentle} | {careful} | {allowed} | {reason} |")
}

fn protocol(known: &KnownProtocol) -> Vec<String> {
    let KnownProtocol { name, default_port, enabled, level, .. } = known;
    let state = if *enabled { "on" } else { "off" };
    let first = format!("| `{name}` | {default_port} | {state}, up to {level} |");
    let row = |consent: &super::Consent| {
        let given = if known.given.contains(&consent.name) { ", given by default" } else { "" };
        format!("{first} `{}`{given} | {} |", consent.name, consent.risk)
    };
    known.consents.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_has_every_limit_every_consent_and_every_forbidden_port() {
        let reference = Policy::reference();
        for facts in TABLE {
            let row = format!("| `{}` | {} |", facts.key, facts.number);
            assert_eq!(reference.matches(&row).count(), 1, "{row}");
        }
        for consent in KNOWN.iter().flat_map(|known| known.consents) {
            assert!(reference.contains(consent.risk), "{}", consent.name);
        }
        assert!(reference.contains("| 9100-9107 | printers"));
        assert!(reference.contains("| 1502 | safety"));
    }

    #[test]
    fn every_table_has_as_many_cells_in_each_row_as_in_its_head() {
        for table in Policy::reference().split("\n\n") {
            let cells: Vec<usize> = table.lines().map(|line| line.matches('|').count()).collect();
            assert!(cells.iter().all(|count| Some(count) == cells.first()), "{table}");
        }
    }
}
