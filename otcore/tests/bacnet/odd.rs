//! Answers that are none, or are more than was asked for.

use std::fmt;

use otcore::model::{Field, ServiceField};
use otcore::protocols::bacnet::sim::{self, Server};
use otcore::sim::{Action, Device, Reply, Visit};
use otcore::{Level, Outcome};

use crate::{asked, children, device, outcome, says, scan_any, service, to, with_everything};

/// A device that gives other answers than it should, for the questions that are picked out.
pub(crate) struct Instead<F> {
    pub(crate) honest: Server,
    pub(crate) says: F,
}

impl<F> fmt::Debug for Instead<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.honest.fmt(f)
    }
}

impl<F: Fn(&[u8]) -> Option<Vec<Vec<u8>>> + Send + Sync> Device for Instead<F> {
    fn protocol(&self) -> &'static str {
        "bacnet"
    }

    fn takes_datagrams(&self) -> bool {
        true
    }

    fn answer(&self, visit: Visit, received: &[u8]) -> Reply {
        let reply = self.honest.answer(visit, received);
        match (self.says)(received) {
            Some(other) => {
                Reply { actions: other.into_iter().map(Action::Send).collect(), ..reply }
            }
            None => reply,
        }
    }
}

fn instead<F: Fn(&[u8]) -> Option<Vec<Vec<u8>>> + Send + Sync + 'static>(says: F) -> Instead<F> {
    Instead { honest: Server::new(sim::controller()), says }
}

/// A message of the link, with this NPDU.
pub(crate) fn bvlc(function: u8, npdu: &[u8]) -> Vec<u8> {
    let length = (4 + npdu.len() as u16).to_be_bytes();
    [&[0x81, function][..], &length, npdu].concat()
}

/// The invoke id and the service of a question from this network.
pub(crate) fn confirmed(question: &[u8]) -> Option<(u8, u8)> {
    match question {
        [0x81, 0x0A, _, _, 1, 4, 0, _, invoke, service, ..] => Some((*invoke, *service)),
        _ => None,
    }
}

/// The answer to a question for several properties, with this content.
fn several(content: &'static [u8]) -> impl Fn(&[u8]) -> Option<Vec<Vec<u8>>> + Send + Sync {
    move |question| {
        let (invoke, _) = confirmed(question).filter(|(_, service)| *service == 0x0E)?;
        let head = [1, 0, 0x30, invoke, 0x0E, 0x0C, 2, 0, 0x12, 0x67, 0x1E];
        Some(vec![bvlc(0x0A, &[&head[..], content].concat())])
    }
}

#[tokio::test(start_paused = true)]
async fn values_that_lie_about_their_length_or_never_end_are_malformed() {
    let deep: &'static [u8] =
        Box::leak([&[0x29, 77][..], &[0x4E; 900]].concat().into_boxed_slice());
    let cases: [&'static [u8]; 9] = [
        &[0x29, 77, 0x4E, 0x75, 0xFE, 0xFF, 0xFF, 0, 0x41, 0x4F, 0x1F],
        &[0x29, 77, 0x4E, 0x75, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0x41, 0x4F, 0x1F],
        &[0x29, 77, 0x4E, 0x75],
        &[0x29, 77, 0x4E],
        &[0x29],
        &[],
        &[0x29, 77, 0x4F, 0x1F],
        &[0x29, 77, 0x5E, 0x91, 2, 0x5F, 0x1F],
        deep,
    ];
    for content in cases {
        let (ended, seen) = scan_any(instead(several(content)), "", to(Level::State)).await;
        let what = &content[..content.len().min(12)];
        assert_eq!(outcome(&ended), Outcome::Malformed, "{what:x?}");
        assert!(seen.requests <= 3, "{what:x?}: {:?}", asked(&ended));
    }
}

#[tokio::test(start_paused = true)]
async fn answers_to_other_questions_are_none() {
    let odd: [fn(u8, u8) -> Vec<u8>; 6] = [
        |invoke, _| {
            vec![1, 0, 0x30, invoke.wrapping_add(1), 0x0E, 0x0C, 2, 0, 0x12, 0x67, 0x1E, 0x1F]
        },
        |invoke, _| vec![1, 0, 0x20, invoke, 0x0E],
        |invoke, service| vec![1, 0, 0x50, invoke.wrapping_add(7), service, 0x91, 1, 0x91, 31],
        |invoke, _| vec![1, 8, 0, 7, 1, 9, 0x60, invoke, 9],
        |_, _| vec![1, 0, 0x10, 0, 0xC4, 2, 0, 0, 1, 0x22, 4, 0, 0x91, 3, 0x21, 5],
        |_, _| vec![1, 0x80, 0x01, 0, 7],
    ];
    for (number, odd) in odd.into_iter().enumerate() {
        let answers = move |question: &[u8]| {
            let (invoke, service) = confirmed(question).filter(|(_, service)| *service == 0x0E)?;
            Some(vec![bvlc(0x0A, &odd(invoke, service))])
        };
        let (ended, seen) = scan_any(instead(answers), "", to(Level::Identify)).await;
        let outcome = outcome(&ended);
        let honest = [Outcome::WentDark, Outcome::Malformed].contains(&outcome);
        assert!(honest, "{number}: {outcome:?}");
        assert_eq!(seen.requests, 2, "{number}: {:?}", asked(&ended));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_beside_others_is_still_found() {
    let answers = |question: &[u8]| {
        let (invoke, _) = confirmed(question).filter(|(_, service)| *service == 0x0C)?;
        let honest = [
            0x30, invoke, 0x0C, 0x0C, 2, 0, 0x12, 0x67, 0x19, 75, 0x3E, 0xC4, 2, 0, 0x12, 0x67,
            0x3F,
        ];
        let late = vec![1, 0, 0x50, invoke.wrapping_sub(1), 0x0C, 0x91, 1, 0x91, 31];
        let i_am = vec![1, 0, 0x10, 0, 0xC4, 2, 0, 0, 1, 0x22, 4, 0, 0x91, 3, 0x21, 5];
        let honest = [&[1, 0][..], &honest].concat();
        Some(vec![bvlc(0x0A, &late), bvlc(0x0B, &i_am), bvlc(0x0A, &honest)])
    };
    let (ended, _) = scan_any(instead(answers), "", to(Level::Identify)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    says(&device(&ended), &[("device_name", "AHU-01")]);
    assert_eq!(service(&device(&ended), ServiceField::Unit), Some("device 4711"));
}

#[tokio::test(start_paused = true)]
async fn a_segment_of_an_answer_is_not_taken_for_the_whole() {
    let answers = |question: &[u8]| {
        let (invoke, _) = confirmed(question).filter(|(_, service)| *service == 0x0E)?;
        let head = [1, 0, 0x3C, invoke, 0, 4, 0x0E, 0x0C, 2, 0, 0x12, 0x67, 0x1E, 0x29, 77, 0x4E];
        let rest = [0x75, 4, 0, b'A', b'H', b'U', 0x4F, 0x1F];
        Some(vec![bvlc(0x0A, &[&head[..], &rest].concat())])
    };
    let (ended, seen) = scan_any(instead(answers), "", to(Level::Identify)).await;
    assert_ne!(device(&ended).identity.value(Field::DeviceName), Some("AHU"));
    let segment_acknowledged = seen.log.iter().any(|logged| logged.bytes.get(6) == Some(&0x40));
    assert!(!segment_acknowledged, "nothing that is segmented is taken up");
    assert_eq!(outcome(&ended), Outcome::Malformed);
}

#[tokio::test(start_paused = true)]
async fn an_i_am_that_somebody_hands_on_is_not_the_word_of_who_handed_it_on() {
    let answers = |question: &[u8]| {
        let i_am = |instance: u8| {
            vec![1, 0, 0x10, 0, 0xC4, 2, 0, 0, instance, 0x22, 4, 0, 0x91, 3, 0x21, 5]
        };
        match question {
            [0x81, 0x0A, .., 0x10, 0x08] => {
                let forwarded = [&[10, 2, 0, 5, 0xBA, 0xC0][..], &i_am(9)].concat();
                Some(vec![bvlc(0x04, &forwarded)])
            }
            _ => None,
        }
    };
    let (ended, seen) = scan_any(instead(answers), "", with_everything(Level::State)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    assert!(device(&ended).children.is_empty(), "{:?}", children(&device(&ended)));
    assert!(!seen.requests_by_unit.contains_key(&9));
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_answers_to_one_call_are_cut_short() {
    let answers = |question: &[u8]| match question {
        [0x81, 0x0A, .., 0x10, 0x08] => {
            let i_am = |n: u32| {
                let [_, a, b, c] = n.to_be_bytes();
                let npdu = [1, 0, 0x10, 0, 0xC4, 2, a, b, c, 0x22, 4, 0, 0x91, 3, 0x21, 5];
                bvlc(0x0A, &npdu)
            };
            Some((0..10_000).map(i_am).collect())
        }
        _ => None,
    };
    let policy = to(Level::State);
    let (most, units) = (policy.limits.answers_per_call, policy.limits.units_per_gateway);
    let (ended, _) = scan_any(instead(answers), "", policy).await;
    assert!(device(&ended).children.len() <= most.max(units) as usize);
    assert!(ended.report.exchanges.len() <= most as usize + 64, "{}", ended.report.exchanges.len());
}
