//! What an input says a device does instead of what an honest one would.

use std::time::Duration;

use otcore::protocols::dnp3::crc;
use otcore::sim::Action;

/// A list of steps, one for each answer. When it is used up, every answer is honest.
#[derive(Debug)]
pub struct Script {
    input: Vec<u8>,
    at: usize,
}

impl Script {
    /// The steps that `input` stands for.
    #[must_use]
    pub fn new(input: &[u8]) -> Self {
        Self { input: input.to_vec(), at: 0 }
    }

    /// The next byte; 0 once there are none left.
    pub fn byte(&mut self) -> u8 {
        let byte = self.input.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte
    }

    /// Whether all of it was used.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.at >= self.input.len()
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = usize::from(self.byte());
        let rest = self.input.get(self.at..).unwrap_or_default();
        let bytes = rest[..length.min(rest.len())].to_vec();
        self.at += bytes.len();
        bytes
    }

    /// The next step: what is done instead of these `honest` actions.
    pub fn play(&mut self, protocol: &str, honest: Vec<Action>) -> Vec<Action> {
        let step = self.byte();
        let mut actions = match step % 10 {
            0 => honest,
            1..=5 => {
                let change = |action| match action {
                    Action::Send(bytes) => Action::Send(self.spoil(step % 10, protocol, bytes)),
                    other => other,
                };
                honest.into_iter().map(change).collect()
            }
            6 => {
                let time = Duration::from_millis(20 * u64::from(self.byte()));
                [vec![Action::Wait(time)], honest].concat()
            }
            7 => [honest.clone(), honest].concat(),
            8 => [vec![Action::Send(self.bytes())], honest].concat(),
            _ => match self.byte() % 4 {
                0 => Vec::new(),
                1 => vec![Action::Close],
                2 => vec![Action::Reset],
                _ => vec![Action::GoDark],
            },
        };
        actions.retain(|action| *action != Action::Send(Vec::new())); // nothing is no packet
        actions
    }

    /// The next step for an answer that is stored: its bytes, changed or not.
    pub fn change(&mut self, protocol: &str, honest: Vec<u8>) -> Vec<u8> {
        match self.byte() % 6 {
            0 => honest,
            how => self.spoil(how, protocol, honest),
        }
    }

    fn spoil(&mut self, how: u8, protocol: &str, mut message: Vec<u8>) -> Vec<u8> {
        match how {
            // Some bytes are others.
            1 => {
                for _ in 0..=self.byte() % 4 {
                    let (place, byte) = (usize::from(self.byte()), self.byte());
                    if let Some(there) = message.get_mut(place) {
                        *there = byte;
                    }
                }
                mended(protocol, message)
            }
            // From some byte on it is something else.
            2 => {
                message.truncate(usize::from(self.byte()));
                message.append(&mut self.bytes());
                mended(protocol, message)
            }
            // The same, and the rest is there many times.
            3 => {
                message.truncate(usize::from(self.byte()));
                let (piece, times) = (self.bytes(), usize::from(self.byte()));
                message.extend(piece.repeat(times % 64));
                mended(protocol, message)
            }
            4 => self.bytes(),
            _ => {
                message.truncate(usize::from(self.byte()));
                message
            }
        }
    }
}

/// `message` with the lengths and checksums that its protocol looks at first put right, or nothing
/// that is changed would get past them.
#[must_use]
pub fn mended(protocol: &str, mut message: Vec<u8>) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
    let mut put = |at: usize, bytes: [u8; 2]| {
        if let Some(there) = message.get_mut(at..at + 2) {
            there.copy_from_slice(&bytes);
        }
    };
    match protocol {
        "modbus" => put(4, length.saturating_sub(6).to_be_bytes()),
        "s7" | "bacnet" => put(2, length.to_be_bytes()),
        "enip" => put(2, length.saturating_sub(24).to_le_bytes()),
        "dnp3" => return summed(&message),
        _ => {}
    }
    message
}

/// DNP3: every block with its checksum.
#[must_use]
pub fn summed(message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    let mut at = 0;
    while let Some(&[_, _, length, ..]) = message.get(at..) {
        let mut left = usize::from(length).saturating_sub(5);
        let mut sum = |from: usize, data: usize| {
            let Some(block) = message.get_mut(from..from + data + 2) else { return };
            let (data, sum) = block.split_at_mut(data);
            sum.copy_from_slice(&crc(data).to_le_bytes());
        };
        sum(at, 8);
        at += 10;
        while left > 0 {
            let data = left.min(16);
            sum(at, data);
            at += data + 2;
            left -= data;
        }
    }
    message
}
