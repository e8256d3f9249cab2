//! Where opened records go: to the facts, and into the place of the steps that they were.

use crate::tls::certificate::Form;
use crate::tls::facts::Facts;
use crate::tls::handshake::{Step, StepKind};
use crate::tls::lane::Lane;
use crate::tls::message::Message;
use crate::tls::observed::Unopened;
use crate::tls::opening::response::Response;

/// Takes in what was opened.
pub(crate) struct Taken<'f, M> {
    facts: &'f mut Facts<M>,
    client: Lane,
    replaced: Vec<(usize, Vec<Step<M>>)>,
    response: Response,
    is_any: bool,
}

/// Where an opened record stood.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<M> {
    pub(crate) lane: Lane,
    pub(crate) step: Option<usize>,
    pub(crate) mark: M,
}

impl<'f, M: Copy + PartialEq> Taken<'f, M> {
    pub(crate) fn new(facts: &'f mut Facts<M>, client: Lane) -> Self {
        Self {
            facts,
            client,
            replaced: Vec::new(),
            response: Response::default(),
            is_any: false,
        }
    }

    /// A direction can be read from here on, wherever its bytes are there.
    pub(crate) fn on_open(&mut self, lane: Lane, is_overfull: bool) {
        self.facts.on_open(lane, is_overfull);
    }

    /// A record was opened: its step makes way for what was inside.
    pub(crate) fn on_record(&mut self, place: Place<M>) {
        self.is_any = true;
        if let Some(step) = place.step {
            self.replaced.push((step, Vec::new()));
        }
    }

    pub(crate) fn on_message(&mut self, place: Place<M>, message: Message<'_>, form: Form) {
        self.facts.on_opened_message(place.lane, message, form);
        let len = message.len.saturating_add(4);
        self.step(place, StepKind::Message(message.kind), len);
    }

    /// The record that held the last message was padded.
    pub(crate) fn on_padding(&mut self, place: Place<M>, len: usize) {
        let last = self.replaced.last_mut();
        let of_record = last.filter(|(at, _)| Some(*at) == place.step);
        if let Some(step) = of_record.and_then(|(_, steps)| steps.last_mut()) {
            step.padding = u16::try_from(len).unwrap_or(u16::MAX);
        }
    }

    pub(crate) fn on_alert(&mut self, place: Place<M>, content: &[u8]) {
        if let [level, code] = content {
            self.facts
                .on_opened_alert(place.lane, *level, *code, place.mark);
        }
        let len = u32::try_from(content.len()).unwrap_or(u32::MAX);
        self.step(place, StepKind::EncryptedAlert, len);
    }

    pub(crate) fn on_data(&mut self, place: Place<M>, content: &[u8]) {
        if place.lane != self.client {
            self.response.push(content);
        }
        let len = u32::try_from(content.len()).unwrap_or(u32::MAX);
        self.step(place, StepKind::OpenedData, len);
    }

    /// Ends it; `unopened` says why there is nothing.
    pub(crate) fn finish(self, unopened: Option<Unopened>) {
        let opened = self.facts.opened_mut();
        opened.is_any = self.is_any;
        opened.unopened = unopened;
        opened.http_status = self.response.status();
        self.facts.replace_steps(self.replaced);
    }

    fn step(&mut self, place: Place<M>, kind: StepKind, len: u32) {
        let last = self
            .replaced
            .last_mut()
            .filter(|(at, _)| Some(*at) == place.step);
        if let Some((_, steps)) = last {
            steps.push(Step {
                lane: place.lane,
                kind,
                len,
                padding: 0,
                mark: place.mark,
            });
        }
    }
}
