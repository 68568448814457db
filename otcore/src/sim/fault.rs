//! Misbehaviour that any protocol can suffer from, put around a device.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::device::{Action, Device, Greeting, Reply, Visit};

/// One way to misbehave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The answer number `n`, counted from 0, comes `first` and `n` times `more` late.
    Slow {
        /// How late the first answer is.
        first: Duration,
        /// How much later each further answer is.
        more: Duration,
    },
    /// Answers this many requests. The next one kills it: silence for ever, on all connections.
    DarkAfter(u64),
    /// Has this many connection slots, and closes whatever comes beyond them.
    Slots(usize),
    /// Takes every request and answers none.
    Mute,
    /// Speaks before it is asked.
    Banner(Vec<u8>),
    /// Says this to everything and closes: another service on the port.
    Says(Vec<u8>),
    /// Sends back what it received.
    Echo,
    /// Sends the beginning of its answer.
    Cut {
        /// How many bytes of the answer.
        after: usize,
        /// What happens then.
        then: Ending,
    },
    /// Sends its answer byte by byte.
    Drip {
        /// The time before each byte.
        gap: Duration,
    },
    /// Sends its answer with every byte changed.
    Garbage,
    /// Sends its answer with one byte changed: another length, another transaction.
    Flip {
        /// Which byte, counted from 0.
        at: usize,
        /// What it is xor-ed with.
        mask: u8,
    },
    /// Sends each answer this many times.
    Repeat(usize),
    /// Sends the answer to the request before this one; nothing to the first.
    Stale,
    /// Sends the answer to the request before this one once more, and then the right one.
    Overtaken,
    /// Sends its answer with these bytes in it: a length that lies.
    Put {
        /// From which byte on, counted from 0.
        at: usize,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Answers, and hangs up.
    Leaves,
}

/// How a cut answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The rest never comes.
    Stall,
    /// The device closes the connection.
    Close,
    /// The device breaks the connection off.
    Reset,
}

impl Fault {
    /// One or more of each kind, for tests that run them all.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let moment = Duration::from_millis(100);
        let mut all = vec![
            Self::Slow { first: 12 * moment, more: 6 * moment },
            Self::Slow { first: 80 * moment, more: moment },
            Self::DarkAfter(0),
            Self::DarkAfter(1),
            Self::Slots(1),
            Self::Mute,
            Self::Banner(b"SSH-2.0-pretend\r\n".to_vec()),
            Self::Says(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_vec()),
            Self::Echo,
            Self::Drip { gap: moment },
            Self::Garbage,
            Self::Repeat(2),
            Self::Repeat(1_000),
            Self::Stale,
            Self::Overtaken,
            Self::Leaves,
        ];
        for then in [Ending::Stall, Ending::Close, Ending::Reset] {
            all.extend([0, 1, 8].map(|after| Self::Cut { after, then }));
        }
        all.extend((0..8).map(|at| Self::Flip { at, mask: 0xFF }));
        for at in [2, 4] {
            all.extend([0x00, 0xFF].map(|byte| Self::Put { at, bytes: vec![byte; 2] }));
        }
        all
    }
}

/// A device that misbehaves.
///
/// The device inside still reads every request, so its tripwire works whatever the fault says.
#[derive(Debug)]
pub struct Faulty<D> {
    device: D,
    fault: Fault,
    asked: AtomicU64,
    before: Mutex<Vec<Action>>,
}

impl<D: Device> Faulty<D> {
    /// `device` with `fault`.
    #[must_use]
    pub fn new(device: D, fault: Fault) -> Self {
        Self { device, fault, asked: AtomicU64::new(0), before: Mutex::default() }
    }

    fn spoil(&self, request: &[u8], honest: Vec<Action>) -> Vec<Action> {
        let nth = self.asked.fetch_add(1, Ordering::Relaxed);
        match &self.fault {
            Fault::Slots(_) | Fault::Banner(_) => honest,
            Fault::Slow { first, more } => {
                let late = more.saturating_mul(u32::try_from(nth).unwrap_or(u32::MAX));
                [vec![Action::Wait(first.saturating_add(late))], honest].concat()
            }
            Fault::DarkAfter(fatal) if nth >= *fatal => vec![Action::GoDark],
            Fault::DarkAfter(_) => honest,
            Fault::Mute => Vec::new(),
            Fault::Says(bytes) => vec![Action::Send(bytes.clone()), Action::Close],
            Fault::Echo => vec![Action::Send(request.to_vec())],
            Fault::Cut { after, then } => cut(honest, *after, *then),
            Fault::Drip { gap } => drip(&honest, *gap),
            Fault::Garbage => changed(honest, |byte| *byte ^= 0xA5),
            Fault::Flip { at, mask } => flip(honest, *at, *mask),
            Fault::Repeat(times) => vec![honest; *times].concat(),
            Fault::Stale => self.instead_of_the_last(honest),
            Fault::Overtaken => [self.instead_of_the_last(honest.clone()), honest].concat(),
            Fault::Put { at, bytes } => put(honest, *at, bytes),
            Fault::Leaves => [honest, vec![Action::Close]].concat(),
        }
    }

    /// The answer before this one, which takes its place.
    fn instead_of_the_last(&self, honest: Vec<Action>) -> Vec<Action> {
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *before, honest)
    }
}

impl<D: Device> Device for Faulty<D> {
    fn protocol(&self) -> &'static str {
        self.device.protocol()
    }

    fn connect(&self, visit: Visit) -> Greeting {
        match &self.fault {
            Fault::Slots(slots) if visit.others >= *slots => Greeting::Refuse,
            Fault::Banner(bytes) => Greeting::Banner(bytes.clone()),
            _ => self.device.connect(visit),
        }
    }

    fn takes_datagrams(&self) -> bool {
        self.device.takes_datagrams()
    }

    fn answer(&self, visit: Visit, received: &[u8]) -> Reply {
        let reply = self.device.answer(visit, received);
        if reply.consumed == 0 {
            return reply;
        }
        let request = received.get(..reply.consumed).unwrap_or(received);
        Reply { actions: self.spoil(request, reply.actions), ..reply }
    }
}

fn cut(honest: Vec<Action>, after: usize, then: Ending) -> Vec<Action> {
    let mut left = after;
    let mut actions: Vec<_> = honest
        .into_iter()
        .map(|action| match action {
            Action::Send(mut bytes) => {
                bytes.truncate(left);
                left -= bytes.len();
                Action::Send(bytes)
            }
            other => other,
        })
        .filter(|action| !matches!(action, Action::Send(bytes) if bytes.is_empty()))
        .collect();
    match then {
        Ending::Stall => {}
        Ending::Close => actions.push(Action::Close),
        Ending::Reset => actions.push(Action::Reset),
    }
    actions
}

fn drip(honest: &[Action], gap: Duration) -> Vec<Action> {
    let slowly = |action: &Action| match action {
        Action::Send(bytes) => {
            bytes.iter().flat_map(|byte| [Action::Wait(gap), Action::Send(vec![*byte])]).collect()
        }
        other => vec![other.clone()],
    };
    honest.iter().flat_map(slowly).collect()
}

fn changed(mut honest: Vec<Action>, change: impl FnMut(&mut u8) + Copy) -> Vec<Action> {
    for action in &mut honest {
        if let Action::Send(bytes) = action {
            bytes.iter_mut().for_each(change);
        }
    }
    honest
}

fn flip(mut honest: Vec<Action>, at: usize, mask: u8) -> Vec<Action> {
    for action in &mut honest {
        if let Action::Send(bytes) = action
            && let Some(byte) = bytes.get_mut(at)
        {
            *byte ^= mask;
        }
    }
    honest
}

fn put(mut honest: Vec<Action>, at: usize, said: &[u8]) -> Vec<Action> {
    for action in &mut honest {
        if let Action::Send(bytes) = action {
            bytes.iter_mut().skip(at).zip(said).for_each(|(byte, said)| *byte = *said);
        }
    }
    honest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Station;

    const MOMENT: Duration = Duration::from_millis(10);

    /// One-byte requests; the answer is the number of the request and some more.
    #[derive(Debug, Default)]
    struct Numbered(AtomicU64);

    impl Device for Numbered {
        fn protocol(&self) -> &'static str {
            "numbered"
        }

        fn answer(&self, _: Visit, received: &[u8]) -> Reply {
            let nth = u8::try_from(self.0.fetch_add(1, Ordering::Relaxed)).unwrap();
            let consumed = received.len().min(1);
            let actions = vec![Action::Wait(MOMENT), Action::Send(vec![nth, 20, 30])];
            Reply { consumed, actions, ..Reply::default() }
        }
    }

    /// What the first two requests lead to.
    fn twice(fault: Fault) -> [Vec<Action>; 2] {
        let station = Station::new(Faulty::new(Numbered::default(), fault));
        let (line, _) = station.connect(Duration::ZERO);
        [0, 1].map(|at| station.receive(line, &[0x77], Duration::from_secs(at)))
    }

    fn sends(bytes: &[u8]) -> Action {
        Action::Send(bytes.to_vec())
    }

    #[test]
    fn delays_grow() {
        let [first, second] = twice(Fault::Slow { first: 5 * MOMENT, more: 2 * MOMENT });
        let wait = Action::Wait(MOMENT);
        assert_eq!(first, [Action::Wait(5 * MOMENT), wait.clone(), sends(&[0, 20, 30])]);
        assert_eq!(second, [Action::Wait(7 * MOMENT), wait, sends(&[1, 20, 30])]);
    }

    #[test]
    fn answers_are_cut_dripped_and_changed() {
        let wait = Action::Wait(MOMENT);
        let [cut, _] = twice(Fault::Cut { after: 2, then: Ending::Reset });
        assert_eq!(cut, [wait.clone(), sends(&[0, 20]), Action::Reset]);
        let [nothing, _] = twice(Fault::Cut { after: 0, then: Ending::Close });
        assert_eq!(nothing, [wait.clone(), Action::Close]);
        let [dripped, _] = twice(Fault::Drip { gap: MOMENT });
        assert_eq!(dripped.len(), 7);
        assert_eq!(dripped[1..3], [wait.clone(), sends(&[0])]);
        let [flipped, _] = twice(Fault::Flip { at: 1, mask: 0x0F });
        assert_eq!(flipped, [wait.clone(), sends(&[0, 20 ^ 0x0F, 30])]);
        let [lies, _] = twice(Fault::Put { at: 1, bytes: vec![0xFF; 9] });
        assert_eq!(lies, [wait.clone(), sends(&[0, 0xFF, 0xFF])]);
        let [left, _] = twice(Fault::Leaves);
        assert_eq!(left, [wait.clone(), sends(&[0, 20, 30]), Action::Close]);
        let [garbage, _] = twice(Fault::Garbage);
        assert_eq!(garbage, [wait, sends(&[0xA5, 20 ^ 0xA5, 30 ^ 0xA5])]);
    }

    #[test]
    fn answers_are_repeated_replaced_and_mixed_up() {
        assert_eq!(twice(Fault::Repeat(3))[0].len(), 6);
        assert_eq!(twice(Fault::Echo), [[sends(&[0x77])], [sends(&[0x77])]]);
        assert_eq!(twice(Fault::Mute), [[], []]);
        let [first, second] = twice(Fault::Stale);
        assert_eq!((first, second[1].clone()), (vec![], sends(&[0, 20, 30])));
        let [first, second] = twice(Fault::Overtaken);
        assert_eq!((first.len(), second.len()), (2, 4));
        assert_eq!((&second[1], &second[3]), (&sends(&[0, 20, 30]), &sends(&[1, 20, 30])));
        let [says, _] = twice(Fault::Says(b"SSH".to_vec()));
        assert_eq!(says, [sends(b"SSH"), Action::Close]);
    }

    #[test]
    fn greetings_change_too() {
        let banner = Station::new(Faulty::new(Numbered::default(), Fault::Banner(vec![1])));
        assert_eq!(banner.connect(Duration::ZERO).1, Greeting::Banner(vec![1]));
        let full = Station::new(Faulty::new(Numbered::default(), Fault::Slots(2)));
        let greetings = [(); 3].map(|()| full.connect(Duration::ZERO).1);
        assert_eq!(greetings, [Greeting::Accept, Greeting::Accept, Greeting::Refuse]);
    }

    #[test]
    fn no_sample_is_honest_about_the_second_connection_and_the_second_answer() {
        let honest = twice(Fault::Slots(9));
        for fault in Fault::samples() {
            let station = Station::new(Faulty::new(Numbered::default(), fault.clone()));
            let greeting = [(); 2].map(|()| station.connect(Duration::ZERO).1);
            let polite = greeting == [Greeting::Accept, Greeting::Accept];
            let short = matches!(
                fault,
                Fault::Flip { at: 3.., .. }
                    | Fault::Put { at: 3.., .. }
                    | Fault::Cut { after: 8, then: Ending::Stall }
            );
            assert!(!polite || short || twice(fault.clone()) != honest, "{fault:?}");
        }
    }
}
