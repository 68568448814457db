//! Calls to everybody in a network, for ranges of numbers that suit how many answer.

use super::wire::{Bacnet, CallEverybody, WILDCARD};
use crate::session::{Crowd, Findings, ProbeError};

/// Where few answer, the next range is so many times as wide.
const WIDER: u32 = 8;

/// Begin with few numbers, go on with more where few devices answered, and with half as many where
/// answers piled up. True once every number was called for.
pub(super) async fn everybody(
    crowd: &mut Crowd<'_>,
    found: &mut Findings,
) -> Result<bool, ProbeError> {
    let most = usize::try_from(crowd.limits().answers_per_call).unwrap_or(usize::MAX);
    let mut width = crowd.limits().instances_per_broadcast;
    let mut first = 0;
    while crowd.calls_left() > 0 {
        // The last number of all is that of devices which were never given one.
        let last = WILDCARD.min(first + (width - 1));
        let call = CallEverybody { range: first..=last };
        let heard = crowd.call(&Bacnet::default(), &call, found).await?;
        if heard.len() >= most && width > 1 {
            width /= 2;
            continue;
        }
        if last == WILDCARD {
            return Ok(true);
        }
        first = last + 1;
        if heard.len().saturating_mul(8) <= most {
            width = width.saturating_mul(WIDER);
        }
    }
    Ok(false)
}
