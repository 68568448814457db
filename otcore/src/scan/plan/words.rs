//! A plan in words, for whoever decides whether it may run.

use std::fmt;

use super::{Call, Conversation, Plan, Stop};
use crate::gate::policy::{Consent, known};
use crate::protocols::Bounds;
use crate::targets::AddressSet;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bounds { connections, requests, packets, bytes_out, .. } = self.bounds;
        let devices = match self.devices {
            1 => "1 device".to_owned(),
            many => format!("{many} devices"),
        };
        writeln!(f, "plan for zone {}, source {}: {devices}", self.zone, self.source)?;
        writeln!(
            f,
            "at most {packets} packets, {connections} connections, {requests} questions, \
             {bytes_out} bytes, {}",
            in_words(self.seconds_at_most)
        )?;
        for Call { protocol, network, port } in &self.calls {
            writeln!(f, "  {network}: everybody is called at once in {protocol}/{port}")?;
        }
        for alike in self.stops.chunk_by(|one, next| one.conversations == next.conversations) {
            write_alike(f, alike)?;
        }
        for skipped in &self.skipped {
            writeln!(f, "  skipped {} ({}): {}", skipped.what, skipped.addresses, skipped.reason)?;
        }
        Ok(())
    }
}

/// Stops that are treated alike, in one paragraph.
fn write_alike(f: &mut fmt::Formatter<'_>, stops: &[Stop]) -> fmt::Result {
    const SHOWN: usize = 3;
    let ranges: AddressSet = stops.iter().map(|stop| stop.range).collect();
    let mut shown: Vec<String> = ranges.ranges().take(SHOWN).map(|r| r.to_string()).collect();
    if ranges.ranges().count() > SHOWN {
        shown.push("…".to_owned());
    }
    let shown = shown.join(", ");
    for conversation in stops.first().map(|stop| &stop.conversations).into_iter().flatten() {
        let Conversation { protocol, port, level, bounds, .. } = conversation;
        write!(f, "  {shown:<24} {protocol}/{port} to {level}")?;
        if !conversation.consents.is_empty() {
            let consents: Vec<_> = conversation.consents.iter().map(String::as_str).collect();
            write!(f, " with {}", consents.join(", "))?;
        }
        let Bounds { packets, requests, seconds, .. } = bounds;
        writeln!(f, ": each at most {packets} packets, {requests} questions, {seconds} s")?;
        write_risks(f, conversation)?;
    }
    Ok(())
}

/// What somebody has consented to in a protocol that is off by default.
fn write_risks(f: &mut fmt::Formatter<'_>, conversation: &Conversation) -> fmt::Result {
    let off = known(conversation.protocol).filter(|known| !known.enabled);
    for Consent { name, risk } in off.into_iter().flat_map(|known| known.consents) {
        if conversation.consents.contains(*name) {
            writeln!(f, "    {name}: {risk}")?;
        }
    }
    Ok(())
}

/// Why nothing is asked, and the way out.
pub(super) fn needs(protocol: &str, consent: &str) -> String {
    let consents = known(protocol).into_iter().flat_map(|known| known.consents);
    let risk = consents.filter(|known| known.name == consent).map(|known| known.risk).next();
    let risk = risk.unwrap_or("asks what somebody should have decided about");
    format!("{protocol} {risk}; to have it, allow `{consent}`")
}

fn in_words(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3600)),
    }
}
