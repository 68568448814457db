//! A question and its answer, or its answers.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::in_time::in_time;
use super::{Findings, ProbeError, Session};
use crate::frame::Frame;
use crate::gate::Refusal;
use crate::gate::sabotage::Saboteur;
use crate::model::{Exchange, Transport as Carrier};
use crate::protocol::{Answer, Protocol, Request};
use crate::wire::{Reader, WireError, is_one_answer};

/// Malformed answers are kept as evidence up to this many bytes.
const KEPT_OF_GARBAGE: usize = 512;

/// A finished question.
pub(super) struct Question<F> {
    frame: Arc<Frame>,
    function: F,
    asked_at: jiff::Timestamp,
    sent: Instant,
}

/// A question that was given up, and its answer if that came after all: what a device says late is as
/// true as what it says in time.
#[derive(Debug, Default)]
pub(super) struct GivenUp {
    asked: Option<(Arc<Frame>, jiff::Timestamp, Instant)>,
    answered: Option<Exchange>,
    /// What has arrived came in several pieces.
    pub(super) is_in_pieces: bool,
}

impl<P: Protocol> Session<'_, P> {
    /// Ask, wait for the matching answer, parse it. The exchange is kept in `found` whatever it
    /// says.
    ///
    /// # Errors
    /// [`ProbeError`]; what was learned before stays in `found`.
    pub async fn ask<R: Request<P>>(
        &mut self,
        request: &R,
        found: &mut Findings,
    ) -> Result<R::Reply, ProbeError> {
        let mut question = self.question(request)?;
        let message = self.first_answer(&mut question, found).await?;
        self.understand(request, &question, &message)
    }

    /// Ask a question that several may answer, by datagrams: like [`ask`](Self::ask), and then take
    /// every further answer that comes within `limits.more_answers_ms`, over a bus within
    /// `limits.gateway_response_timeout_ms`. At most `limits.answers_per_call` of them; as many as
    /// that means that there may be more. A further answer that cannot be read is kept in `found`
    /// and is no reply.
    ///
    /// # Errors
    /// [`ProbeError`] if no first answer came, or it was none; what was learned stays in `found`.
    pub async fn gather<R: Request<P>>(
        &mut self,
        request: &R,
        found: &mut Findings,
    ) -> Result<Vec<R::Reply>, ProbeError> {
        let mut question = self.question(request)?;
        let message = self.first_answer(&mut question, found).await?;
        let mut replies = vec![self.understand(request, &question, &message)?];
        let visit = self.visit;
        let until = Instant::now() + self.time_for_more();
        for _ in 1..visit.limits().answers_per_call {
            let next = timeout_at(until, self.message(&question.frame));
            let Ok(next) = visit.unless_stopped(next).await? else { break };
            let message = self.keep(&question, next, found);
            let reply = message.and_then(|message| self.read(request, &question, &message));
            match reply {
                Ok(reply) => replies.push(reply),
                Err(ProbeError::Malformed(_) | ProbeError::Refused { .. }) => self.buf.clear(),
                Err(error) => return Err(error),
            }
        }
        Ok(replies)
    }

    fn question<R: Request<P>>(
        &mut self,
        request: &R,
    ) -> Result<Question<P::Function>, ProbeError> {
        self.tag = self.tag.wrapping_add(1);
        let frame = Frame::of(&self.protocol, self.tag, request).map_err(Refusal::from)?;
        Ok(Question {
            frame: Arc::new(frame),
            function: request.function(),
            asked_at: self.visit.gate().now(),
            sent: Instant::now(),
        })
    }

    /// Ask, repeat a datagram that may have got lost, and wait for the answer.
    ///
    /// What that takes has a place of its own for as long as it lasts: as a part of the dialogue it
    /// would be kept for every device that only waits for its turn.
    fn first_answer(
        &mut self,
        question: &mut Question<P::Function>,
        found: &mut Findings,
    ) -> Pin<Box<impl Future<Output = Result<Vec<u8>, ProbeError>>>> {
        Box::pin(self.until_answered(question, found))
    }

    async fn until_answered(
        &mut self,
        question: &mut Question<P::Function>,
        found: &mut Findings,
    ) -> Result<Vec<u8>, ProbeError> {
        let mut repeats = false;
        loop {
            let patience = self.patience(self.visit.repetitions_left());
            let admission = self.visit.admit(Arc::clone(&question.frame), patience);
            let granted = self.while_listening(admission).await;
            found.exchanges.extend(self.given_up.answered.take());
            let permit = match granted? {
                // It answered while the repetition waited for leave.
                _ if repeats && self.visit.was_heard() => None,
                // The policy has no room for a repetition, so the silence stands.
                Err(Refusal::Spent { .. }) if repeats => {
                    return Err(self.silent(question, patience, found).await?);
                }
                permit => Some(permit?),
            };
            if let Some(permit) = permit {
                (question.asked_at, question.sent) = (self.visit.gate().now(), Instant::now());
                // What has begun to come before the question left is no answer to it.
                let anything = P::is_answered_by_anything(question.function);
                let counts = self.carrier == Carrier::Tcp && !anything;
                self.old = if counts { self.buf.len() } else { 0 };
                self.send(permit).await?;
                self.is_waiting = true;
            }
            let visit = self.visit;
            let waiting = in_time(patience, self.message(&question.frame));
            match visit.unless_stopped(waiting).await? {
                Ok(answer) => return self.keep(question, answer, found),
                Err(_) if visit.repetitions_left() > 0 => {
                    visit.repeats();
                    repeats = true;
                }
                Err(_) => return Err(self.silent(question, patience, found).await?),
            }
        }
    }

    /// Keep what came back as evidence, an answer or not.
    fn keep(
        &mut self,
        question: &Question<P::Function>,
        answer: Result<Vec<u8>, ProbeError>,
        found: &mut Findings,
    ) -> Result<Vec<u8>, ProbeError> {
        found.exchanges.extend(self.given_up.answered.take());
        let bytes = match &answer {
            Ok(message) => message.clone(),
            Err(ProbeError::Malformed(_)) => {
                self.buf.iter().copied().take(KEPT_OF_GARBAGE).collect()
            }
            Err(_) => return answer,
        };
        let rtt = question.sent.elapsed();
        found.exchanges.push(self.exchange(&question.frame, bytes, question.asked_at, rtt));
        answer
    }

    /// Whether the first message that has arrived, of `len` bytes, is an answer to the question that
    /// was given up: a device so slow is asked nothing more on a connection, and what it says next may be
    /// meant for that question or for this one. Datagrams come late, or never, at every device.
    ///
    /// The answer is kept, unless it may be the beginning of one that was broken off and something else
    /// behind it: if it came in `pieces` and another question has left.
    pub(super) fn check_late(&mut self, len: usize, pieces: bool) -> Result<(), WireError> {
        let Some((frame, at, sent)) = self.given_up.asked.take() else { return Ok(()) };
        let message = self.buf.get(..len).unwrap_or_default().to_vec();
        if !matches!(P::answer(frame.bytes(), &message), Ok(Some(_))) {
            self.given_up.asked = Some((frame, at, sent));
            return Ok(());
        }
        let is_one = is_one_answer(&self.buf, len, P::BEGINNING).is_ok();
        if is_one && !pieces {
            let late = self.exchange(&frame, message, at, sent.elapsed());
            self.given_up.answered = Some(late);
        }
        if self.carrier == Carrier::Udp {
            return Ok(());
        }
        let value = u64::try_from(sent.elapsed().as_millis()).unwrap_or(u64::MAX);
        Err(WireError::Invalid { field: "milliseconds to an answer", value })
    }

    /// The same of what has arrived before the next question leaves.
    pub(super) fn check_overdue(&mut self) -> Result<(), WireError> {
        if self.given_up.asked.is_none() {
            return Ok(());
        }
        let Some(len) = P::split(&self.buf)? else { return Ok(()) };
        self.check_late(len, false)
    }

    /// What the first answer says, for the probe and for the gate.
    fn understand<R: Request<P>>(
        &self,
        request: &R,
        question: &Question<P::Function>,
        message: &[u8],
    ) -> Result<R::Reply, ProbeError> {
        self.visit.heard(P::asks_for_transport(question.function));
        let kept = self.visit.answered(question.sent.elapsed(), self.protocol.is_on_a_bus());
        let reply = self.read(request, question, message)?;
        kept?; // slowing down ends the visit, but not before this answer was read
        Ok(reply)
    }

    fn read<R: Request<P>>(
        &self,
        request: &R,
        question: &Question<P::Function>,
        message: &[u8],
    ) -> Result<R::Reply, ProbeError> {
        match P::answer(question.frame.bytes(), message)? {
            Some(Answer::Body(body)) => Ok(request.read(&mut Reader::new(body))?),
            Some(Answer::Refusal { code, busy }) => {
                if busy {
                    self.visit.was_busy();
                }
                Err(ProbeError::Refused { code, busy })
            }
            None => Err(WireError::Short { field: "answer" }.into()), // `message` lets none through
        }
    }

    /// Nothing came back in time, and nothing more is asked for it.
    async fn silent(
        &mut self,
        question: &Question<P::Function>,
        waited: Duration,
        found: &mut Findings,
    ) -> Result<ProbeError, ProbeError> {
        found.exchanges.extend(self.given_up.answered.take());
        if Saboteur::SecondPacket.is_at_work() {
            let again = self.visit.admit(Arc::clone(&question.frame), waited).await?;
            self.send(again).await?;
        }
        // A kernel that had less time than it takes to give up cannot have told.
        self.alive &= waited > self.kernel_patience();
        let name = question.frame.facts().name;
        let means = if P::is_handed_on(question.function) {
            self.visit.nobody_behind(name, self.alive)
        } else if P::is_a_call(question.function) {
            self.visit.not_meant(name, self.alive)
        } else {
            let frame = Arc::clone(&question.frame);
            self.given_up.asked = Some((frame, question.asked_at, question.sent));
            self.visit.silent(name, self.alive)
        };
        Ok(ProbeError::Silent { waited, means })
    }

    /// How long further answers to one question may take.
    fn time_for_more(&self) -> Duration {
        let limits = self.visit.limits();
        let time = match self.protocol.is_on_a_bus() {
            true => limits.gateway_response_timeout_ms,
            false => limits.more_answers_ms,
        };
        Duration::from_millis(time.into())
    }
}
