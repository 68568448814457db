//! Devices of random habits, and answers of random bytes.

use otcore::Level;
use otcore::gate::journal::What;
use otcore::model::Field;
use otcore::protocols::bacnet::sim::{self, Answers, Habit, Server, Shape};
use proptest::prelude::*;

use crate::odd::{Instead, bvlc, confirmed};
use crate::{asked, scan, scan_any, with_everything};

/// A device of random habits.
fn any_shape() -> impl Strategy<Value = Shape> {
    let habit = || {
        prop_oneof![
            3 => Just(Habit::Answers),
            1 => Just(Habit::Silent),
            1 => (0_u8..8, 0_u8..60).prop_map(|(class, code)| Habit::Error(class, code)),
            1 => (0_u8..12).prop_map(Habit::Reject),
            1 => (0_u8..12).prop_map(Habit::Abort),
        ]
    };
    let sizes = prop::sample::select(vec![50_u16, 128, 206, 480, 1024, 1476]);
    let rest = (0..12_usize, any::<bool>(), 0..3_usize, sizes, 0_u8..12);
    ([habit(), habit(), habit()], rest).prop_map(|([wildcard, one, several], rest)| {
        let (kind, is_called, answers, longest, too_long) = rest;
        let mut shape = sim::every_kind().swap_remove(kind);
        shape.answers =
            [Answers::TheAsker, Answers::EverybodyIfCalled, Answers::TheUsualPort][answers];
        let head = &mut shape.heads[0];
        (head.wildcard, head.one, head.several) = (wildcard, one, several);
        (head.is_called, head.longest, head.too_long) = (is_called, longest, too_long);
        shape
    })
}

fn in_virtual_time<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn whatever_a_device_is_the_dialogue_ends_in_order(shape in any_shape(), level in 0..4_usize) {
        let policy = with_everything(Level::ALL[level]);
        let most = u64::from(policy.limits.requests_per_conversation);
        // Who does not answer leaves the first place to the next at its address.
        let names: Vec<Vec<u8>> = { shape.heads.iter() }
            .map(|head| head.objects[&(sim::DEVICE, head.instance)][&77].clone())
            .collect();
        let (ended, seen) = in_virtual_time(scan(shape, "", policy));
        for (unit, requests) in &seen.requests_by_unit {
            prop_assert!(*requests <= most, "{unit}: {:?}", asked(&ended));
        }
        let unheard = !ended.journal.iter().any(|e| matches!(e.what, What::Received { .. }));
        prop_assert_eq!(unheard, ended.report.assets.iter().next().is_none());
        if let Some(asset) = ended.report.assets.iter().next() {
            let said = asset.node.identity.value(Field::DeviceName).unwrap_or_default();
            let letters: Vec<char> = said.chars().filter(char::is_ascii_alphanumeric).collect();
            let own: Vec<char> = { names.iter().flatten() }
                .map(|byte| char::from(*byte))
                .filter(char::is_ascii_alphanumeric)
                .collect();
            prop_assert!(letters.iter().all(|letter| own.contains(letter)), "{said}");
        }
    }

    /// Answers of random bytes, in whole headers and with the right number, to some of the questions.
    #[test]
    fn garbage_in_any_answer_ends_the_dialogue_and_nothing_else(
        kind in 0..12_usize,
        after in 0..12_u64,
        apdu in prop::sample::select(vec![0x30_u8, 0x50, 0x60, 0x71, 0x20, 0x3C, 0x40]),
        body in prop::collection::vec(any::<u8>(), 0..80),
        level in 0..4_usize,
    ) {
        let heard = std::sync::atomic::AtomicU64::new(0);
        let answers = move |question: &[u8]| {
            let nth = heard.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let npdu = match confirmed(question) {
                _ if nth < after => return None,
                Some((invoke, service)) => {
                    [&[1, 0, apdu, invoke, service][..], &body].concat()
                }
                None => [&[1, 0][..], &body].concat(),
            };
            Some(vec![bvlc(0x0A, &npdu)])
        };
        let shape = sim::every_kind().swap_remove(kind);
        let device = Instead { honest: Server::new(shape), says: answers };
        let policy = with_everything(Level::ALL[level]);
        let (most, units) = (policy.limits.requests_per_conversation, policy.limits.units_per_gateway);
        let (ended, seen) = in_virtual_time(scan_any(device, "", policy));
        prop_assert_eq!(ended.report.outcomes.len(), 1);
        prop_assert!(seen.requests <= u64::from(most * (units + 1)), "{}", seen.requests);
        let again = otcore::fingerprint::interpret(&otcore::Knowledge::built_in(), &ended.report.exchanges);
        prop_assert_eq!(again.as_ref(), ended.report.assets.iter().next());
    }
}
