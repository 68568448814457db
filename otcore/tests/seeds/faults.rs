//! Random devices: honest, misbehaving from the start, or after a while.

use std::time::Duration;

use otcore::protocols::Probe;
use otcore::sim::{Device, Ending, Fault, Faulty};

use crate::case::{moment, one_in};
use crate::common::Dice;
use crate::common::devices::Later;

/// A device of this protocol in any state.
pub(crate) fn any_device(dice: &mut Dice, probe: &'static dyn Probe) -> Box<dyn Device> {
    match dice.below(6) {
        0 | 1 => probe.simulate(),
        2 => {
            let fault = any_fault(dice);
            Box::new(Later::new(probe.simulate(), dice.below(6), fault))
        }
        3 => {
            let inner = Faulty::new(probe.simulate(), any_fault(dice));
            Box::new(Faulty::new(inner, any_fault(dice)))
        }
        _ => Box::new(Faulty::new(probe.simulate(), any_fault(dice))),
    }
}

/// Any kind of fault with any numbers.
pub(crate) fn any_fault(dice: &mut Dice) -> Fault {
    match dice.below(13) {
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
