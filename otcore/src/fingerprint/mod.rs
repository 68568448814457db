//! Rules: data that turns what a device said into what it is.

mod rule;

use std::sync::Arc;

pub use rule::{Pattern, Rule, RuleError, parse};

use crate::model::{Asset, Claim, Confidence, Evidence};
use crate::protocols;

/// The rules of every protocol of this build.
///
/// # Errors
/// If a rule file does not parse; a test makes sure that none of this build does that.
pub fn built_in() -> Result<Vec<Rule>, RuleError> {
    let files = protocols::ALL.iter().map(|probe| parse(probe.name(), probe.rules()));
    files.collect::<Result<Vec<_>, _>>().map(|files| files.into_iter().flatten().collect())
}

/// Add what `rules` conclude from what is known of `asset` and of everything below it.
///
/// A conclusion keeps the bytes it stands on: the evidence of the first fact that its rule looked
/// at, with the id of the rule. Pure, and adding it twice changes nothing.
pub fn infer(rules: &[Rule], asset: &mut Asset) {
    asset.for_each_node(|node| {
        for rule in rules {
            let Some(basis) = rule.basis(&node.identity) else { continue };
            let evidence = Arc::new(Evidence::rule(&rule.id, &basis.evidence));
            for (field, value) in &rule.then {
                let evidence = Arc::clone(&evidence);
                let (value, confidence) = (value.clone(), Confidence::Inferred);
                node.identity.add(*field, Claim { value, confidence, evidence });
            }
        }
    });
}
