//! What a seed stands for: a small plant, a policy, targets, and what happens in between.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use otcore::gate::policy::{Bound, Limits, TABLE, known};
use otcore::protocols::ALL;
use otcore::{Level, Policy};

use crate::common::Dice;
use crate::common::devices::Told;
use crate::common::network::Network;
use crate::{faults, kinds};

/// Hosts of a subnet that anything is about; few, so that seeds are quick and paths cross.
const HOSTS: u64 = 12;
/// A plant has no more devices.
const DEVICES: u64 = 8;

/// Everything that a seed decides.
pub(crate) struct Case {
    pub(crate) network: Network,
    pub(crate) policy: Policy,
    /// Targets of the scans that run at once.
    pub(crate) scans: Vec<String>,
    /// How much later each further one begins.
    pub(crate) apart: Duration,
    pub(crate) happening: Happening,
    /// Everything is scanned again, with the same memory, after this long.
    pub(crate) again: Option<Duration>,
    /// Where anything may be sent: asked for, monitored and not excluded.
    pub(crate) in_scope: BTreeSet<IpAddr>,
    /// Who lives there; nobody if what is true of them is not known.
    pub(crate) planted: Vec<Planted>,
}

/// A device of the plant, and what is true of it.
pub(crate) struct Planted {
    pub(crate) at: SocketAddr,
    pub(crate) protocol: &'static str,
    pub(crate) kind: u8,
    pub(crate) told: Told,
    pub(crate) lies: bool,
}

/// What somebody does while the scans run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    Nothing,
    Abort(Duration),
    Dropped(Duration),
    Pause(Duration, Duration),
    PauseThenAbort(Duration, Duration),
}

impl Case {
    /// Must be called where time is virtual.
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let policy = policy(&mut dice);
        let subnets = 1 + dice.below(3);
        let (network, planted) = plant(&mut dice, subnets, &policy.limits);
        let mut asked = BTreeSet::new();
        let scans: Vec<String> = (0..if one_in(&mut dice, 4) { 2 } else { 1 })
            .map(|_| targets(&mut dice, subnets, &mut asked))
            .collect();
        let monitored: Vec<IpNet> = policy.monitored().copied().collect();
        asked.retain(|address| {
            let inside = |net: &IpNet| net.contains(address);
            monitored.iter().any(inside) && !policy.exclude.iter().any(inside)
        });
        let revisit = u64::from(policy.limits.revisit_after_s);
        Self {
            network,
            scans,
            apart: moment(&mut dice),
            happening: Happening::any(&mut dice),
            again: one_in(&mut dice, 2).then(|| Duration::from_secs(dice.below(2 * revisit))),
            in_scope: asked,
            planted,
            policy,
        }
    }
}

impl Happening {
    fn any(dice: &mut Dice) -> Self {
        let (at, then) = (moment(dice), moment(dice));
        match dice.below(10) {
            0 | 1 => Self::Abort(at),
            2 => Self::Dropped(at),
            3 => Self::Pause(at, then),
            4 => Self::PauseThenAbort(at, then),
            _ => Self::Nothing,
        }
    }

    /// Whether it ends the scans before they are done.
    pub(crate) fn ends(self) -> bool {
        !matches!(self, Self::Nothing | Self::Pause(..))
    }
}

pub(crate) fn one_in(dice: &mut Dice, times: u64) -> bool {
    dice.below(times) == 0
}

/// Soon, or late: up to a millisecond, up to ten, ..., up to a minute and a half.
pub(crate) fn moment(dice: &mut Dice) -> Duration {
    let scale = [1_000, 10_000, 100_000, 1_000_000, 10_000_000, 90_000_000];
    let most = scale[dice.below(6) as usize];
    Duration::from_micros(dice.below(most))
}

fn address(subnet: u64, host: u64) -> Ipv4Addr {
    Ipv4Addr::new(10, 1, subnet as u8, host as u8)
}

fn policy(dice: &mut Dice) -> Policy {
    let mut policy = if one_in(dice, 3) { Policy::careful() } else { Policy::gentle() };
    if one_in(dice, 4) {
        let prefix = 22 + dice.below(3);
        policy = policy.without_default_networks();
        policy = policy.monitor(format!("10.1.0.0/{prefix}").parse().unwrap());
    }
    for _ in 0..dice.below(3) {
        let start = address(dice.below(3), 4 * dice.below(HOSTS / 4));
        policy = policy.exclude(format!("{start}/30").parse().unwrap());
    }
    for probe in ALL {
        policy = policy.protocol(probe.name(), |settings| {
            let mut settings = settings.on().level(Level::ALL[dice.below(4) as usize]);
            let known = known(probe.name()).unwrap();
            for consent in known.consents {
                if one_in(dice, 3) {
                    settings = settings.allow(consent.name);
                }
            }
            if known.has_units && one_in(dice, 3) {
                settings = settings.unit(1 + dice.below(20) as u8);
            }
            settings
        });
    }
    limits(dice, policy)
}

/// Any limits that the policy takes; most stay as the profile has them, or are tight so that
/// everybody waits for everybody.
fn limits(dice: &mut Dice, mut policy: Policy) -> Policy {
    let tight = one_in(dice, 3);
    for row in TABLE {
        let is_rate = row.key.ends_with("packets_per_s");
        let most = match row.bound {
            _ if tight && is_rate => row.min + 8,
            Bound::AtMost => row.max,
            Bound::AtLeast => 2 * row.gentle,
        };
        let value = row.min + dice.below(most - row.min + 1);
        let changes = one_in(dice, 8) || (tight && is_rate);
        if changes {
            let before = policy.limits.clone();
            if policy.limits.set(row.key, value).is_err() || policy.check().is_err() {
                policy.limits = before;
            }
        }
    }
    policy
}

fn plant(dice: &mut Dice, subnets: u64, limits: &Limits) -> (Network, Vec<Planted>) {
    let mut wiring = Network::wiring().watched(limits);
    let slow = if one_in(dice, 8) { 600 } else { 40 };
    wiring = wiring.latency(Duration::from_millis(1 + dice.below(slow)));
    for _ in 0..dice.below(4) {
        wiring = wiring.refusing(somewhere(dice, subnets).into());
    }
    let many = if one_in(dice, 4) { 12 } else { 2 };
    for _ in 0..dice.below(many) {
        wiring = wiring.unreachable(somewhere(dice, subnets).into());
    }
    let mut planted: Vec<Planted> = Vec::new();
    for _ in 0..=dice.below(DEVICES) {
        let at = somewhere(dice, subnets);
        let probe = ALL[dice.below(ALL.len() as u64) as usize];
        let at = SocketAddr::new(at.into(), probe.port());
        let kind = dice.below(kinds::count(probe.name()).into()) as u8;
        let made = faults::any_device(dice, kinds::honest(probe.name(), kind));
        wiring = wiring.device(at, made.device);
        planted.retain(|before| before.at != at); // the new one took its place
        let (told, lies) = (made.told, made.lies);
        planted.push(Planted { at, protocol: probe.name(), kind, told, lies });
    }
    (wiring.done(), planted)
}

fn somewhere(dice: &mut Dice, subnets: u64) -> Ipv4Addr {
    address(dice.below(subnets), 1 + dice.below(HOSTS))
}

/// Ranges, addresses and endpoints, some of them where nothing may be sent.
fn targets(dice: &mut Dice, subnets: u64, asked: &mut BTreeSet<IpAddr>) -> String {
    let mut text = String::new();
    for _ in 0..=dice.below(3) {
        let at = somewhere(dice, subnets);
        match dice.below(6) {
            0 => text.push_str(&at.to_string()),
            1 => {
                let probe = ALL[dice.below(ALL.len() as u64) as usize];
                text.push_str(&format!("{}://{at}", probe.name()));
            }
            2 => text.push_str("203.0.113.7"),
            _ => {
                let [.., subnet, last] = at.octets();
                let first = last - dice.below(last.into()) as u8;
                let start = address(subnet.into(), first.into());
                let last = u64::from(last) + dice.below(4);
                text.push_str(&format!("{start}-{last}"));
                let hosts = first.into()..=last;
                asked.extend(hosts.map(|host| IpAddr::V4(address(subnet.into(), host))));
            }
        }
        text.push(' ');
        asked.insert(at.into());
        asked.insert(Ipv4Addr::new(203, 0, 113, 7).into());
    }
    text
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Case")
            .field("scans", &self.scans)
            .field("apart", &self.apart)
            .field("happening", &self.happening)
            .field("again", &self.again)
            .field("limits", &self.policy.limits)
            .finish_non_exhaustive()
    }
}
