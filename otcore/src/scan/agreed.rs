//! A plan held against the policy of whoever carries it out, who may not be who made it.

use std::collections::{BTreeMap, BTreeSet};

use super::host::{Crew, Decided};
use super::plan::{self, Plan, Skipped, Stop};

impl Crew {
    /// As much of `plan` as this policy permits, ranges cut where it treats addresses differently; what is
    /// left out is skipped in it. And what the policy says of each of its ranges, by the number of the stop.
    ///
    /// Of an address that is a stop of its own the policy is asked when it is visited.
    pub(super) fn agreed(&self, mut plan: Plan) -> (Plan, BTreeMap<usize, Decided>) {
        let borders = self.gate.policy().borders();
        let mut decided = BTreeMap::new();
        let mut stops = Vec::with_capacity(plan.stops.len());
        for stop in plan.stops {
            if stop.range.count() == 1 {
                stops.push(stop);
                continue;
            }
            for range in borders.cut(stop.range) {
                let says = self.decide(range.first(), &stop);
                if says.iter().any(Result::is_ok) {
                    decided.insert(stops.len(), says);
                    stops.push(Stop { range, ..stop.clone() });
                } else {
                    let what = range.to_string();
                    plan.skipped.push(Skipped {
                        what,
                        addresses: range.count(),
                        reason: why(&says),
                    });
                }
            }
        }
        let limits = &self.gate.policy().limits;
        let (devices, bounds) = plan::totals(&stops, &plan.calls, limits);
        (Plan { stops, devices, bounds, ..plan }, decided)
    }
}

/// Why there is no conversation, each reason once.
fn why(decided: &Decided) -> String {
    let reasons: BTreeSet<_> = decided.iter().filter_map(|says| says.as_ref().err()).collect();
    reasons.into_iter().cloned().collect::<Vec<_>>().join("; ")
}
