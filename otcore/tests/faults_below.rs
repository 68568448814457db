//! Faults of TCP, of datagrams and of what a device says twice, as far as the engine can see them:
//! against every protocol that they can happen to, in virtual time.
#![cfg(feature = "sim")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)] // a test says what went wrong by stopping

mod common;
#[path = "faults_below/items.rs"]
mod items;
#[path = "seeds/kinds.rs"]
mod kinds;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use common::devices::Changed;
use common::devices::Later;
use common::limits::busiest_second;
use common::network::{Below, Network};
use common::{Ended, Setting, sent_to};
use otcore::fingerprint::{Knowledge, interpret};
use otcore::gate::journal::What;
use otcore::model::{Asset, Transport};
use otcore::protocols::{ALL, Probe};
use otcore::sim::{Action, Device, Fault, Greeting, Reply, Visit};
use otcore::{Level, Outcome, Policy};

/// The longest payload of a datagram over IPv4.
const LONGEST: usize = 65_507;

fn home(probe: &dyn Probe) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 1, 1, 7)), probe.port())
}

/// Nothing but this protocol, as deep as it goes, with this consent where it is needed.
fn policy(probe: &dyn Probe, consent: &str) -> Policy {
    let policy = common::only(probe.name(), Policy::gentle());
    policy.protocol(probe.name(), |settings| {
        let settings = settings.on().level(Level::State);
        if probe.name() == "dnp3" { settings.allow(consent) } else { settings }
    })
}

fn by(transport: Transport) -> impl Iterator<Item = &'static dyn Probe> {
    ALL.iter().copied().filter(move |probe| probe.carriers().contains(&transport))
}

/// Scan a device over connections with this fault below it.
async fn over(probe: &dyn Probe, below: Option<Below>) -> (Setting, Ended) {
    let wiring = Network::wiring().device(home(probe), probe.simulate());
    let wiring = if let Some(below) = below { wiring.below(below) } else { wiring };
    scan(probe, wiring.done(), policy(probe, "connect")).await
}

/// Scan a device that answers datagrams.
async fn by_datagram(probe: &dyn Probe, device: impl Device + 'static) -> (Setting, Ended) {
    let network = Network::wiring().device(home(probe), device).done();
    scan(probe, network, policy(probe, "datagrams")).await
}

async fn scan(probe: &dyn Probe, network: Network, policy: Policy) -> (Setting, Ended) {
    let setting = Setting::new(network).with_policy(policy);
    let ended = setting.scan(&home(probe).ip().to_string()).await;
    let what = probe.name();
    let seen = setting.network.station(home(probe)).counters();
    assert_eq!(seen.violations, Vec::<String>::new(), "{what}");
    assert!(seen.at_once <= 1, "{what}");
    let limits = &setting.policy.limits;
    let packets = setting.network.capture();
    let busiest = busiest_second(packets.iter().map(|packet| packet.at));
    assert!(busiest <= limits.device_packets_per_s as usize, "{what}: {busiest} in a second");
    let most = Duration::from_secs(u64::from(limits.device_time_s) + 5);
    assert!(ended.took <= most, "{what}: {:?}", ended.took);
    (setting, ended)
}

fn outcome(ended: &Ended) -> Outcome {
    let [record] = &ended.report.outcomes[..] else { panic!("{:?}", ended.report.outcomes) };
    record.outcome
}

fn has_spoken(ended: &Ended) -> bool {
    ended.journal.iter().any(|entry| matches!(entry.what, What::Received { .. }))
}

/// Everything that `before` says is in `after`, and the same evidence stands for it.
fn keeps(after: &Asset, before: &Asset) -> bool {
    let fields = before.node.identity.fields();
    fields.into_iter().all(|field| {
        let mut said = before.node.identity.claims(field);
        said.all(|claim| after.node.identity.claims(field).any(|other| other.value == claim.value))
    })
}

/// F12 and F38: a window of no size, which a tarpit never opens.
#[tokio::test(start_paused = true)]
async fn a_question_that_nobody_takes_off_our_hands_is_a_silence_and_the_last() {
    for probe in by(Transport::Tcp) {
        for taken in 0..5 {
            let (setting, ended) = over(probe, Some(Below::Window(taken))).await;
            let what = format!("{} after {taken} questions", probe.name());
            if setting.network.stuck() == 0 {
                assert_eq!(outcome(&ended), Outcome::Identified, "{what}: all was asked before");
                continue;
            }
            assert_eq!(setting.network.stuck(), 1, "{what}: asked again");
            let expected = if has_spoken(&ended) { Outcome::WentDark } else { Outcome::Silent };
            assert_eq!(outcome(&ended), expected, "{what}");
            assert!(ended.report.exchanges.len() as u64 >= taken, "{what}: lost");
        }
    }
}

/// F17 and F19: a second answer to the handshake, and somebody on the way who says that a packet is
/// too long, are dealt with by our system. All there is to see is one packet more of ours.
#[tokio::test(start_paused = true)]
async fn what_our_system_sends_once_more_by_itself_changes_nothing() {
    for probe in by(Transport::Tcp) {
        let (honest, undisturbed) = over(probe, None).await;
        for below in [Below::Handshake, Below::TooLong] {
            let (setting, ended) = over(probe, Some(below)).await;
            let what = format!("{} with {below:?}", probe.name());
            assert_eq!(outcome(&ended), Outcome::Identified, "{what}");
            assert_eq!(setting.network.packets(), honest.network.packets() + 1, "{what}");
            assert_eq!(
                sent_to(&ended.journal, home(probe)),
                sent_to(&undisturbed.journal, home(probe)),
                "{what}"
            );
            assert_eq!(ended.report.assets, undisturbed.report.assets, "{what}");
        }
    }
}

/// F20: it answers, but acknowledges so late that our system gives up.
#[tokio::test(start_paused = true)]
async fn who_acknowledges_nothing_went_dark_and_what_it_said_is_kept() {
    for probe in by(Transport::Tcp) {
        let (_, ended) = over(probe, Some(Below::Acknowledgement)).await;
        let asked = sent_to(&ended.journal, home(probe)).len();
        let (_, undisturbed) = over(probe, None).await;
        let all = sent_to(&undisturbed.journal, home(probe)).len();
        let expected = if asked < all { Outcome::WentDark } else { Outcome::Identified };
        assert_eq!(outcome(&ended), expected, "{}: {asked} of {all} questions", probe.name());
        assert!(has_spoken(&ended) && !ended.report.exchanges.is_empty(), "{}", probe.name());
        let dark = ended.journal.iter().position(|one| matches!(one.what, What::WentDark { .. }));
        let after = dark.map_or(&[][..], |at| &ended.journal[at..]);
        assert!(!after.iter().any(common::leaves), "{}: asked again", probe.name());
    }
}

/// Two devices hear everything, and `chooses` makes of the number of the question and both answers
/// what is said.
#[derive(Debug)]
struct Both<A, B> {
    one: A,
    other: B,
    chooses: fn(u64, Vec<Action>, Vec<Action>) -> Vec<Action>,
    asked: std::sync::atomic::AtomicU64,
}

impl<A: Device, B: Device> Both<A, B> {
    fn new(one: A, other: B, chooses: fn(u64, Vec<Action>, Vec<Action>) -> Vec<Action>) -> Self {
        Self { one, other, chooses, asked: 0.into() }
    }
}

impl<A: Device, B: Device> Device for Both<A, B> {
    fn protocol(&self) -> &'static str {
        self.one.protocol()
    }
    fn connect(&self, visit: Visit) -> Greeting {
        self.other.connect(visit);
        self.one.connect(visit)
    }
    fn takes_datagrams(&self) -> bool {
        self.one.takes_datagrams()
    }
    fn answer(&self, visit: Visit, received: &[u8]) -> Reply {
        let mut reply = self.one.answer(visit, received);
        if reply.consumed > 0 {
            let other = self.other.answer(visit, received).actions;
            let nth = self.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            reply.actions = (self.chooses)(nth, std::mem::take(&mut reply.actions), other);
        }
        reply
    }
}

/// A device that answers datagrams, and another of its protocol.
fn two_by_datagram(probe: &dyn Probe) -> [Box<dyn Device>; 2] {
    let count = kinds::count(probe.name());
    let takes = |kind: &u8| kinds::honest(probe.name(), *kind).takes_datagrams();
    let first = (0..count).find(takes).unwrap();
    [first, (first + 1) % count].map(|kind| kinds::honest(probe.name(), kind))
}

fn model(ended: &Ended) -> Option<String> {
    ended.report.assets.iter().next().map(|asset| asset.node.headline())
}

/// F26: nothing tells a forged answer from an honest one, and the first is taken. The other is none.
#[tokio::test(start_paused = true)]
async fn of_a_forged_datagram_and_an_honest_one_the_first_is_taken_and_kept_as_evidence() {
    for probe in by(Transport::Udp) {
        let [forger, honest] = two_by_datagram(probe);
        let [alone, _] = two_by_datagram(probe);
        let both = Both::new(forger, honest, |_, forged, honest| [forged, honest].concat());
        let (_, ended) = by_datagram(probe, both).await;
        let (_, by_itself) = by_datagram(probe, alone).await;
        assert_eq!(model(&ended), model(&by_itself), "{}", probe.name());
        let again = interpret(&Knowledge::built_in(), &ended.report.exchanges);
        assert_eq!(again.as_ref(), ended.report.assets.iter().next(), "{}", probe.name());
    }
}

/// F27: what follows the message in its datagram is left out, and no more than the policy takes is
/// taken.
#[tokio::test(start_paused = true)]
async fn datagrams_as_long_as_can_be_are_answers_or_nonsense_and_cost_no_more_than_their_beginning()
{
    for probe in by(Transport::Udp) {
        let [honest, _] = two_by_datagram(probe);
        let long = Changed::new(honest, |visit: Visit, bytes: &mut Vec<u8>| {
            if visit.datagram {
                bytes.resize(LONGEST, 0);
            }
        });
        let (setting, ended) = by_datagram(probe, long).await;
        let fine = [Outcome::Identified, Outcome::Malformed, Outcome::PresentNoIdentity];
        assert!(fine.contains(&outcome(&ended)), "{}: {:?}", probe.name(), outcome(&ended));
        let most = u64::from(setting.policy.limits.device_bytes) + LONGEST as u64;
        assert!(ended.report.counters.bytes_in <= most, "{}", probe.name());
        let longest = ended.report.exchanges.iter().map(|one| one.response.as_ref().len()).max();
        assert!(longest.unwrap() <= 4096, "{}: {longest:?}", probe.name());
    }
}

/// F28: our system waits for the rest of a datagram that never comes, and we see nothing.
#[tokio::test(start_paused = true)]
async fn datagrams_that_never_become_whole_are_a_silence_and_repeated_only_to_a_stranger() {
    for probe in by(Transport::Udp) {
        for after in 0..4 {
            let [honest, _] = two_by_datagram(probe);
            let later = Later::new(honest, after, Fault::Mute);
            let (_, ended) = by_datagram(probe, later).await;
            let what = format!("{} after {after} answers", probe.name());
            let open = ended.journal.iter().rev().take_while(|entry| {
                !matches!(entry.what, What::Received { .. } | What::Connecting)
            });
            let unanswered = open.filter(|entry| matches!(entry.what, What::Sent { .. })).count();
            let spoke = has_spoken(&ended);
            let calls = usize::try_from(ended.plan.bounds.requests).unwrap();
            assert!(unanswered <= if spoke { 1 } else { calls }, "{what}: {unanswered} open");
            let fine: &[Outcome] = match spoke {
                true => &[Outcome::WentDark, Outcome::Identified, Outcome::PresentNoIdentity],
                false => &[Outcome::Silent],
            };
            assert!(fine.contains(&outcome(&ended)), "{what}: {:?}", ended.report.outcomes);
        }
    }
}

/// F41: a count is no promise, and costs no more than what stands behind it.
#[tokio::test(start_paused = true)]
async fn as_many_items_as_can_be_said_are_read_as_far_as_they_are_there() {
    for probe in ALL.iter().copied() {
        let device = items::ManyItems(probe.simulate());
        let network = Network::wiring().device(home(probe), device).done();
        let (setting, ended) = scan(probe, network, policy(probe, "connect")).await;
        let fine = [Outcome::Identified, Outcome::Malformed, Outcome::PresentNoIdentity];
        assert!(fine.contains(&outcome(&ended)), "{}: {:?}", probe.name(), ended.report.outcomes);
        let most = u64::from(setting.policy.limits.device_bytes) + 2048;
        assert!(ended.report.counters.bytes_in <= most, "{}", probe.name());
        let again = interpret(&Knowledge::built_in(), &ended.report.exchanges);
        assert_eq!(again.as_ref(), ended.report.assets.iter().next(), "{}", probe.name());
    }
}

/// F47: what somebody said before somebody else answers in its place stays said.
#[tokio::test(start_paused = true)]
async fn another_identity_from_the_second_answer_on_takes_nothing_from_the_first() {
    for probe in ALL.iter().copied() {
        let [one, other] = [0, 1].map(|kind| kinds::honest(probe.name(), kind));
        let changes = Both::new(one, other, |nth, one, other| if nth == 0 { one } else { other });
        let network = Network::wiring().device(home(probe), changes).done();
        let (_, ended) = scan(probe, network, policy(probe, "connect")).await;
        let first = &ended.report.exchanges[..1];
        let before = interpret(&Knowledge::built_in(), first);
        let after = ended.report.assets.iter().next();
        let kept = before.is_none_or(|before| after.is_some_and(|after| keeps(after, &before)));
        assert!(kept, "{}: {after:?}", probe.name());
        let again = interpret(&Knowledge::built_in(), &ended.report.exchanges);
        assert_eq!(again.as_ref(), after, "{}", probe.name());
    }
}
