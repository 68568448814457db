//! Random devices: honest, misbehaving from the start, or after a while.

use std::time::Duration;

use otcore::sim::{Device, Ending, Fault, Faulty};

use crate::case::{moment, one_in};
use crate::common::Dice;
use crate::common::devices::{Later, Told};

/// A device, and what may be expected of it.
pub(crate) struct Made {
    pub(crate) device: Box<dyn Device>,
    /// What it says before a fault shows; all that it ever says if it has none.
    pub(crate) told: Told,
    /// A fault makes other names of its names, and no protocol could tell.
    pub(crate) lies: bool,
}

/// This device in any state.
pub(crate) fn any_device(dice: &mut Dice, honest: Box<dyn Device>) -> Made {
    let (after, fault, further) = match dice.below(6) {
        0 | 1 => (u64::MAX, Fault::Mute, None),
        2 => (dice.below(6), any_fault(dice), None),
        3 => (0, any_fault(dice), Some(any_fault(dice))),
        _ => (0, any_fault(dice), None),
    };
    let lies = is_a_lie(&fault) || further.as_ref().is_some_and(is_a_lie);
    let later = Later::new(honest, after, fault);
    let told = later.told();
    let device: Box<dyn Device> = match further {
        Some(further) => Box::new(Faulty::new(later, further)),
        None => Box::new(later),
    };
    Made { device, told, lies }
}

fn is_a_lie(fault: &Fault) -> bool {
    matches!(fault, Fault::Flip { .. } | Fault::Put { .. })
}

/// Any kind of fault with any numbers.
pub(crate) fn any_fault(dice: &mut Dice) -> Fault {
    match dice.below(15) {
        0 => Fault::Slow { first: moment(dice) / 10, more: moment(dice) / 10 },
        1 | 2 => Fault::DarkAfter(dice.below(8)),
        3 => Fault::Slots(1 + dice.below(3) as usize),
        4 => Fault::Mute,
        5 => Fault::Banner(any_bytes(dice)),
        6 => Fault::Says(any_bytes(dice)),
        7 => Fault::Echo,
        8 => {
            let then = [Ending::Stall, Ending::Close, Ending::Reset][dice.below(3) as usize];
            Fault::Cut { after: dice.below(40) as usize, then }
        }
        9 => Fault::Drip { gap: Duration::from_millis(1 + dice.below(400)) },
        10 if one_in(dice, 2) => Fault::Garbage,
        10 => Fault::Stale,
        11 => Fault::Flip { at: dice.below(40) as usize, mask: 1 + dice.below(255) as u8 },
        12 => Fault::Put { at: dice.below(20) as usize, bytes: any_bytes(dice) },
        13 if one_in(dice, 2) => Fault::Overtaken,
        13 => Fault::Leaves,
        _ => {
            let many = if one_in(dice, 6) { 1_000 } else { 5 };
            Fault::Repeat(2 + dice.below(many) as usize)
        }
    }
}

fn any_bytes(dice: &mut Dice) -> Vec<u8> {
    let length = 1 + dice.below(30);
    (0..length).map(|_| dice.below(256) as u8).collect()
}
