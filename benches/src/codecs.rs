//! Writing a question and reading its answer: otcore, a floor by hand, and other stacks.

use std::hint::black_box;
use std::time::Duration;

use otcore::frame::Frame;

use crate::measure::{Contender, measure};
use crate::python::Peer;
use crate::report::{Codec, Row};
use crate::{bacnet, dnp3, enip, modbus, s7};

const ROUND: Duration = Duration::from_millis(1);
/// Whoever is a hundred times slower is known well enough sooner.
const PYTHON_ROUNDS: usize = 15;

/// The work, in the three ways that it is timed. The floor is the first of each.
pub(crate) struct Parts {
    pub(crate) decode: Vec<Contender>,
    pub(crate) encode: Vec<Contender>,
    /// Both, one after the other.
    pub(crate) exchange: Vec<Contender>,
    /// Stacks in Python, which time themselves.
    pub(crate) python: Vec<Peer>,
}

/// Somebody who writes the question, and somebody who reads the answer.
#[derive(Clone, Copy)]
pub(crate) struct Hand<E, D> {
    pub(crate) encode: E,
    pub(crate) decode: D,
}

impl Parts {
    /// The floor and otcore on this answer; `None` if otcore's question does not read back as itself.
    pub(crate) fn of<F, O>(
        answer: &[u8],
        floor: Hand<impl Fn() -> Vec<u8> + Copy + 'static, impl Fn(&[u8]) -> F + Copy + 'static>,
        ours: Hand<
            impl Fn() -> Option<Frame> + Copy + 'static,
            impl Fn(&Frame, &[u8]) -> O + Copy + 'static,
        >,
    ) -> Option<Self> {
        let asked = (ours.encode)()?;
        let [a, b, c, d] = std::array::from_fn(|_| answer.to_vec());
        let exchange_by_hand = move || {
            black_box((floor.encode)());
            (floor.decode)(black_box(&c))
        };
        let exchange = move || {
            let asked = black_box((ours.encode)())?;
            Some((ours.decode)(&asked, black_box(&d)))
        };
        Some(Self {
            decode: vec![
                Contender::new("floor", "by hand", move || (floor.decode)(black_box(&a))),
                Contender::new("otcore", "split, match, decode", move || {
                    (ours.decode)(black_box(&asked), black_box(&b))
                }),
            ],
            encode: vec![
                Contender::new("floor", "by hand", floor.encode),
                Contender::new("otcore", "and read back from the bytes", ours.encode),
            ],
            exchange: vec![
                Contender::new("floor", "by hand", exchange_by_hand),
                Contender::new("otcore", "the question read back as well", exchange),
            ],
            python: Vec::new(),
        })
    }

    fn only(mut self, is_wanted: impl Fn(&str, &str) -> bool) -> Self {
        self.decode.retain(|one| is_wanted("decode", &one.name));
        self.encode.retain(|one| is_wanted("encode", &one.name));
        self.exchange.retain(|one| is_wanted("exchange", &one.name));
        self.python.retain(|one| is_wanted(one.part, one.name));
        self
    }
}

/// Every protocol, one after the other; or of `protocol/part/who` only those that hold a text.
pub(crate) fn measured(
    rounds: usize,
    only: Option<&str>,
    tell: impl Fn(&Codec),
) -> Result<Vec<Codec>, String> {
    let protocols = [
        ("Modbus", "Read Device Identification, nine objects", modbus::parts()),
        ("S7", "system status list 0x0011, four records", s7::parts()),
        ("EtherNet/IP", "List Identity, one device", enip::parts()),
        ("BACnet", "Read Property Multiple, eight properties", bacnet::parts()),
        ("DNP3", "device attributes, nine texts in two frames", dnp3::parts()),
    ];
    let known = protocols.into_iter().map(|(protocol, about, parts)| {
        let parts =
            parts.ok_or_else(|| format!("{protocol}: its vector or its question is gone"))?;
        let is_wanted = |part: &str, who: &str| {
            only.is_none_or(|only| format!("{protocol}/{part}/{who}").contains(only))
        };
        let codec = one(protocol, about, parts.only(is_wanted), rounds);
        tell(&codec);
        Ok(codec)
    });
    known.collect()
}

fn one(protocol: &'static str, about: &'static str, parts: Parts, rounds: usize) -> Codec {
    let Parts { decode, encode, exchange, python } = parts;
    let mut codec = Codec { protocol, about, rounds, rows: Vec::new(), skipped: Vec::new() };
    for (part, mut contenders) in [("decode", decode), ("encode", encode), ("exchange", exchange)] {
        let timed = measure(&mut contenders, rounds, ROUND);
        for (who, timed) in contenders.into_iter().zip(timed) {
            let (nanoseconds, ratio) = (timed.nanoseconds, timed.ratio);
            codec.rows.push(Row { part, who: who.name, what: who.what, nanoseconds, ratio });
        }
    }
    for peer in python {
        match peer.timed(rounds.min(PYTHON_ROUNDS)) {
            Ok((who, nanoseconds)) => {
                let ratio = nanoseconds / codec.floor(peer.part);
                let (part, what) = (peer.part, peer.what);
                codec.rows.push(Row { part, who, what, nanoseconds, ratio });
            }
            Err(why) => codec.skipped.push(why),
        }
    }
    codec
}
