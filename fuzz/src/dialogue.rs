//! A whole scan in virtual time, of a device whose answers the input decides.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use otcore::gate::policy::known;
use otcore::protocols::by_name;
use otcore::scan::Report;
use otcore::sim::{Device, Greeting, Reply, Visit};
use otcore::{Level, Policy};

use crate::case::{Case, Happening};
use crate::common::network::Network;
use crate::common::only;
use crate::script::Script;
use crate::{checks, devices, results, run};

const DEVICE: [u8; 4] = [10, 1, 0, 2];

/// Scan a device of `protocol` that answers as `input` says, and hold everything that left and
/// everything that was found against what is promised.
///
/// The first five bytes are the level, what the policy consents to, a unit, how the device is asked
/// for, and the kind of device; the rest are the steps of a [`Script`].
pub fn run(protocol: &'static str, input: &[u8]) {
    for report in scanned(protocol, input) {
        results::are_explained(&report.assets, &report.exchanges);
        let written = serde_json::to_string(&report).expect("a report can be written");
        let again = otcore::Document::read(&written).expect("what was written can be read");
        assert_eq!(again.assets, report.assets, "something was lost in JSON");
    }
}

/// The reports of such a scan, which keeps every promise.
#[must_use]
pub fn scanned(protocol: &'static str, input: &[u8]) -> Vec<Report> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    let seen = runtime.block_on(async {
        let case = case(protocol, Script::new(input));
        run::carry_out(case, 7).await
    });
    checks::check(&seen);
    seen.scans.into_iter().filter_map(|(_, report)| report).collect()
}

fn case(protocol: &'static str, mut script: Script) -> Case {
    let (level, consents, unit, asked, kind) =
        (script.byte(), script.byte(), script.byte(), script.byte(), script.byte());
    let policy = policy(protocol, level, consents, unit);
    let probe = by_name(protocol).expect("a protocol of this build");
    let address = IpAddr::from(DEVICE);
    let target = match asked % 4 {
        0 | 1 => format!("{protocol}://{address}"),
        2 => address.to_string(),
        _ => "10.1.0.0/30".to_owned(), // nobody waits long for the addresses of others
    };
    let device = Scripted { honest: devices::honest(protocol, kind), script: Mutex::new(script) };
    let network = Network::wiring().watched(&policy.limits);
    let network = network.device(SocketAddr::new(address, probe.port()), device).done();
    let in_scope: BTreeSet<IpAddr> = match asked % 4 {
        3 => (0..4).map(|host| IpAddr::from([10, 1, 0, host])).collect(),
        _ => [address].into(),
    };
    let again = (asked & 0x80 != 0).then_some(Duration::from_secs(3600));
    Case {
        network,
        policy,
        scans: vec![target],
        apart: Duration::ZERO,
        happening: Happening::Nothing,
        again,
        in_scope,
        planted: Vec::new(),
    }
}

fn policy(protocol: &str, level: u8, consents: u8, unit: u8) -> Policy {
    let known = known(protocol).expect("a protocol of this build");
    only(protocol, Policy::gentle()).protocol(protocol, |settings| {
        let level = Level::ALL[usize::from(level) % Level::ALL.len()];
        let mut settings = settings.on().level(level);
        let allowed = known.consents.iter().enumerate();
        for (_, consent) in allowed.filter(|(nth, _)| consents >> (nth % 8) & 1 != 0) {
            settings = settings.allow(consent.name);
        }
        match known.has_units && (1..=247).contains(&unit) {
            true => settings.unit(unit),
            false => settings,
        }
    })
}

/// Hears as the honest device does, and answers as the script says.
#[derive(Debug)]
struct Scripted {
    honest: Box<dyn Device>,
    script: Mutex<Script>,
}

impl Device for Scripted {
    fn protocol(&self) -> &'static str {
        self.honest.protocol()
    }

    fn connect(&self, visit: Visit) -> Greeting {
        self.honest.connect(visit)
    }

    fn takes_datagrams(&self) -> bool {
        self.honest.takes_datagrams()
    }

    fn answer(&self, visit: Visit, received: &[u8]) -> Reply {
        let mut reply = self.honest.answer(visit, received);
        if reply.consumed > 0 {
            let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
            reply.actions = script.play(self.protocol(), reply.actions);
        }
        reply
    }
}
