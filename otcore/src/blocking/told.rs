//! Single values of an event for bindings, without writing all of it as JSON first.

use crate::model::{Facts, Field, Named, StateField};
use crate::scan::Event;

/// What `pointer` (RFC 6901) leads to in the JSON of `event`, if that is quickly told: `Some(None)` if
/// there is no such value, `None` if only the JSON itself can tell.
///
/// ```
/// use otcore::blocking::told;
/// use otcore::{Event, Progress};
///
/// let event = Event::Progress(Progress::default());
/// assert_eq!(told(&event, "/event"), Some(Some("progress".to_owned())));
/// assert_eq!(told(&event, "/packets"), None);
/// ```
#[must_use]
pub fn told(event: &Event, pointer: &str) -> Option<Option<String>> {
    let path: Vec<&str> = pointer.strip_prefix('/')?.splitn(4, '/').collect();
    match (path.as_slice(), event) {
        (["event"], event) => Some(Some(event.kind().to_owned())),
        (["path"], Event::Asset(asset)) => Some(Some(asset.path().to_owned())),
        (["identity", field, "value"], Event::Asset(asset)) => {
            best(&asset.node.identity, Field::ALL, field)
        }
        (["state", field, "value"], Event::Asset(asset)) => {
            best(&asset.node.state, StateField::ALL, field)
        }
        _ => None,
    }
}

fn best<K: Named>(facts: &Facts<K>, all: &[K], name: &str) -> Option<Option<String>> {
    let field = all.iter().find(|field| field.name() == name)?;
    Some(facts.value(*field).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocking::{Tree, json};
    use crate::model::testing::{asset, said};
    use crate::scan::{Phase, PhaseState, Progress};

    #[test]
    fn what_is_quickly_told_is_what_the_json_says() {
        let mut drive = asset("line-3", 7);
        drive.node.identity.add(Field::Vendor, said("Brakkenholt \"AG\""));
        drive.node.identity.add(Field::Firmware, said("0.98"));
        drive.node.identity.add(Field::Firmware, said("1.02"));
        drive.node.state.add(StateField::OperatingMode, said("Run"));
        let phase = Event::Phase { phase: Phase::Discovery, state: PhaseState::Started };
        let (asset, progress) =
            (Event::Asset(Box::new(drive)), Event::Progress(Progress::default()));
        let mut count = 0;
        for event in [asset, progress, phase, Event::Finished { stopped: None }] {
            let (tree, json) = (Tree::default(), json(&event).unwrap());
            let fields = Field::ALL.iter().map(|field| format!("/identity/{}/value", field.name()));
            let states = StateField::ALL.iter().map(|f| format!("/state/{}/value", f.name()));
            let others =
                ["/event", "/path", "/done", "/identity", "/identity/vendor", "", "x", "/"];
            for pointer in fields.chain(states).chain(others.map(str::to_owned)) {
                if let Some(value) = told(&event, &pointer) {
                    assert_eq!(value, tree.value(&json, &pointer), "{pointer} of {json}");
                    count += usize::from(value.is_some());
                }
            }
        }
        assert_eq!(count, 8, "four kinds, a path, and three fields");
    }
}
