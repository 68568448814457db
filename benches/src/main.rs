//! How fast otcore writes a question and reads its answer, next to a floor and to other stacks.
//!
//! `cargo run --release -p otcore-benches [-- --json FILE] [--rounds N]`
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod bacnet;
mod dnp3;
mod enip;
mod floor;
mod measure;
mod memory;
mod message;
mod ours;
mod python;
mod report;
mod rseip;
mod s7;
mod tokio_modbus;

use std::hint::black_box;
use std::time::Duration;

use ::tokio_modbus::bytes::Bytes;

use crate::measure::{Contender, measure, median};
use crate::report::{Report, Row, TARGET};

const ROUNDS: usize = 31;
const ROUND: Duration = Duration::from_millis(10);
const MBAP: usize = 7;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse(std::env::args().skip(1))?;
    let rounds = options.rounds;
    let reports = [
        modbus(rounds),
        s7_list(rounds)?,
        enip_identity(rounds)?,
        bacnet_identity(rounds)?,
        dnp3_attributes(rounds)?,
    ];
    for report in &reports {
        println!("{report}\n");
    }
    if let Some(file) = options.json {
        std::fs::write(file, serde_json::to_string_pretty(&reports)? + "\n")?;
    }
    Ok(())
}

fn modbus(count: usize) -> Report {
    let mut rounds = timed(&mut contenders(), count);
    let mut skipped = Vec::new();
    let messages = (message::question(), message::answer());
    let messages = [messages.0.as_slice(), messages.1.as_slice()];
    match python::PYMODBUS.timed(messages, count, &message::objects()) {
        Ok(run) => rounds.push((
            (format!("pymodbus {}", run.version), "encode + decode, Python".to_owned()),
            run.rounds,
        )),
        Err(why) => skipped.push(format!("pymodbus: {why}")),
    }
    report("Modbus Read Device Identification, nine objects", rounds, skipped, count)
}

fn s7_list(count: usize) -> Result<Report, Box<dyn std::error::Error>> {
    let bytes = s7::answer().ok_or("the vector of the S7 list is gone")?;
    let (same, again) = (bytes.clone(), bytes.clone());
    let floor = move || s7::by_hand(black_box(&same));
    let ours = move || s7::ours(black_box(&again));
    let mut contenders = [
        Contender::new("floor", "encode + decode by hand, owned texts", floor),
        Contender::new("otcore", "encode, read back, split, match, decode", ours),
    ];
    let mut rounds = timed(&mut contenders, count);
    let mut skipped = Vec::new();
    let question = s7::encode_by_hand(s7::TAG);
    match python::SNAP7.timed([&question, &bytes], count, &s7::order_code()) {
        Ok(run) => rounds.push((
            (format!("python-snap7 {}", run.version), "exchange, two of its texts".to_owned()),
            run.rounds,
        )),
        Err(why) => skipped.push(format!("python-snap7: {why}")),
    }
    Ok(report("S7 list 0x0011, four records", rounds, skipped, count))
}

fn enip_identity(count: usize) -> Result<Report, Box<dyn std::error::Error>> {
    let bytes = enip::answer().ok_or("the vector of List Identity is gone")?;
    let same = bytes.clone();
    let mut client = rseip::client(bytes.clone());
    let expected = bytes.clone();
    let asked = enip::question().ok_or("List Identity does not read back as itself")?;
    let [first, second] = [bytes.clone(), bytes.clone()];
    let mut contenders = [
        Contender::new("floor", "decode by hand, owned texts", move || {
            enip::decode_by_hand(black_box(enip::TAG), black_box(&first))
        }),
        Contender::new("otcore", "split, match, decode", move || {
            enip::decode(black_box(&asked), black_box(&second))
        }),
        Contender::new("floor exchange", "encode + decode by hand", move || {
            enip::by_hand(black_box(&bytes))
        }),
        Contender::new("otcore exchange", "encode, read back, split, match, decode", move || {
            enip::ours(black_box(&same))
        }),
        Contender::new("rseip client", "exchange in memory, owned texts", move || {
            rseip::exchange(&mut client)
        }),
    ];
    let mut rounds = timed(&mut contenders, count);
    let mut skipped = Vec::new();
    match python::PYCOMM3.timed([&[], &expected], count, &enip::read_by_hand(&expected)) {
        Ok(run) => rounds
            .push(((format!("pycomm3 {}", run.version), "decode, Python".to_owned()), run.rounds)),
        Err(why) => skipped.push(format!("pycomm3: {why}")),
    }
    Ok(report("EtherNet/IP List Identity, one device", rounds, skipped, count))
}

fn bacnet_identity(count: usize) -> Result<Report, Box<dyn std::error::Error>> {
    let bytes = bacnet::answer().ok_or("the vector of the BACnet identity is gone")?;
    let asked = bacnet::question().ok_or("ReadIdentity does not read back as itself")?;
    let [first, second, third, fourth, fifth, expected] = std::array::from_fn(|_| bytes.clone());
    let mut contenders = [
        Contender::new("floor", "decode by hand, owned texts", move || {
            bacnet::decode_by_hand(black_box(bacnet::TAG), black_box(&first))
        }),
        Contender::new("otcore", "split, match, decode", move || {
            bacnet::decode(black_box(&asked), black_box(&second))
        }),
        Contender::new("floor exchange", "encode + decode by hand", move || {
            bacnet::by_hand(black_box(&third))
        }),
        Contender::new("otcore exchange", "encode, read back, split, match, decode", move || {
            bacnet::ours(black_box(&fourth))
        }),
        Contender::new("embedded-bacnet", "decode, texts copied", move || {
            bacnet::embedded(black_box(&fifth))
        }),
        Contender::new("bacnet-rs", "decode without headers, owned texts", move || {
            bacnet::bacnet_rs(black_box(&bytes))
        }),
    ];
    let mut rounds = timed(&mut contenders, count);
    let mut skipped = Vec::new();
    match python::BACPYPES3.timed([&[], &expected], count, &bacnet::read_by_hand(&expected)) {
        Ok(run) => rounds.push((
            (format!("bacpypes3 {}", run.version), "decode, Python".to_owned()),
            run.rounds,
        )),
        Err(why) => skipped.push(format!("bacpypes3: {why}")),
    }
    Ok(report("BACnet Read Property Multiple, eight properties", rounds, skipped, count))
}

fn dnp3_attributes(count: usize) -> Result<Report, Box<dyn std::error::Error>> {
    let bytes = dnp3::answer();
    let asked = dnp3::question().ok_or("ReadAllAttributes does not read back as itself")?;
    let [first, second, third, expected] = std::array::from_fn(|_| bytes.clone());
    let mut contenders = [
        Contender::new("floor", "decode by hand, owned texts", move || {
            dnp3::decode_by_hand(black_box(&first))
        }),
        Contender::new("otcore", "split, match, decode", move || {
            dnp3::decode(black_box(&asked), black_box(&second))
        }),
        Contender::new("floor exchange", "encode + decode by hand", move || {
            dnp3::by_hand(black_box(&third))
        }),
        Contender::new("otcore exchange", "encode, read back, split, match, decode", move || {
            dnp3::ours(black_box(&bytes))
        }),
    ];
    let mut rounds = timed(&mut contenders, count);
    let mut skipped = Vec::new();
    match python::DNP3PY.timed([&[], &expected], count, &dnp3::said()) {
        Ok(run) => rounds
            .push(((format!("dnp3py {}", run.version), "decode, Python".to_owned()), run.rounds)),
        Err(why) => skipped.push(format!("dnp3py: {why}")),
    }
    Ok(report("DNP3 device attributes, nine texts in two frames", rounds, skipped, count))
}

/// What each contender needed, by its name and what it does.
type Rounds = Vec<((String, String), Vec<f64>)>;

fn timed(contenders: &mut [Contender], count: usize) -> Rounds {
    let timed = measure(contenders, count, ROUND);
    let named = contenders.iter().map(|one| (one.name.to_owned(), one.what.to_owned()));
    named.zip(timed).collect()
}

/// Everybody who runs in this process, the floor first.
fn contenders() -> Vec<Contender> {
    let bytes = message::answer();
    let floor = {
        let bytes = bytes.clone();
        move || {
            black_box(floor::encode(black_box(message::TAG), black_box(message::UNIT)));
            floor::decode(black_box(&bytes))
        }
    };
    let pdu = Bytes::from(bytes.clone()).slice(MBAP..);
    let ours = move || {
        let asked = black_box(ours::encode())?;
        ours::decode(&asked, black_box(&bytes))
    };
    let mut client = tokio_modbus::client();
    vec![
        Contender::new("floor", "encode + decode by hand, owned texts", floor),
        Contender::new("otcore", "encode, read back, split, match, decode", ours),
        Contender::new("tokio-modbus decode", "decode without header, owned texts", move || {
            tokio_modbus::decode(black_box(pdu.clone())).as_ref().and_then(tokio_modbus::owned)
        }),
        Contender::new("tokio-modbus client", "exchange in memory, owned texts", move || {
            tokio_modbus::exchange(&mut client).as_ref().and_then(tokio_modbus::owned)
        }),
    ]
}

fn report(exchange: &str, rounds: Rounds, skipped: Vec<String>, count: usize) -> Report {
    let floor = rounds.first().map_or(1.0, |(_, values)| median(values));
    let row = |((name, what), values): ((String, String), Vec<f64>)| Row {
        name,
        what,
        nanoseconds: median(&values),
        fastest: values.iter().copied().reduce(f64::min).unwrap_or_default(),
        ratio: median(&values) / floor,
    };
    let rows: Vec<Row> = rounds.into_iter().map(row).collect();
    let pass = rows.iter().any(|row| row.name == "otcore" && row.ratio <= TARGET);
    Report { exchange: exchange.to_owned(), rounds: count, rows, skipped, target: TARGET, pass }
}

#[derive(Debug, Default)]
struct Options {
    json: Option<String>,
    rounds: usize,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { json: None, rounds: ROUNDS };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--json" => options.json = Some(value),
                "--rounds" => {
                    options.rounds = value.parse().map_err(|_| format!("--rounds {value}"))?;
                }
                _ => return Err(format!("{name} is not known; --json FILE, --rounds N")),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_asks_the_same_bytes() {
        assert_eq!(floor::encode(message::TAG, message::UNIT), message::question());
        assert_eq!(ours::encode().unwrap().bytes(), message::question());
    }

    #[test]
    fn everybody_reads_the_same_objects() {
        let expected = message::objects();
        let bytes = message::answer();
        assert_eq!(floor::decode(&bytes).unwrap(), expected);
        assert_eq!(ours::objects(&bytes).unwrap(), expected);
        let pdu = Bytes::from(bytes).slice(MBAP..);
        let decoded = tokio_modbus::decode(pdu).unwrap();
        assert_eq!(tokio_modbus::owned(&decoded).unwrap(), expected);
        let exchanged = tokio_modbus::exchange(&mut tokio_modbus::client()).unwrap();
        assert_eq!(tokio_modbus::owned(&exchanged).unwrap(), expected);
    }

    #[test]
    fn an_answer_to_somebody_else_is_nobodys() {
        let mut bytes = message::answer();
        bytes[0] ^= 0xFF;
        assert_eq!(floor::decode(&bytes), None);
        let asked = ours::encode().unwrap();
        assert!(ours::decode(&asked, &bytes).is_none());
    }
}
