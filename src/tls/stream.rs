//! One direction of a flow on its way from unknown bytes to framed records.
//!
//! A [`Stream`] holds where reading stands, and reads records once it is known that they are some. What a direction is taken for
//! before that, and after a gap, is the observer's to say, since it depends on the other direction too.

use crate::tls::facts::Facts;
use crate::tls::handshake::Framing;
use crate::tls::lane::Lane;
use crate::tls::limits::Limits;
use crate::tls::message::{Message, Messages, Trust};
use crate::tls::observed::{GapReason, Unseen};
use crate::tls::record::{ContentType, Header};
use crate::tls::sealed::{Kept, What};

/// What the bytes of a direction are taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The first bytes: not yet known.
    Opening,
    /// Plaintext, in which TLS may begin.
    Plaintext,
    /// Bytes are missing before these: records are looked for.
    Searching,
    /// Records, one after the other.
    Records,
    /// Nothing that comes is looked at.
    Off,
}

/// Where reading stands in one direction.
#[derive(Clone, Debug)]
pub(crate) struct Stream<M> {
    pub(crate) stage: Stage,
    /// Bytes that could not be read without those that follow, and the mark of the first.
    pub(crate) held: Vec<u8>,
    pub(crate) held_mark: Option<M>,
    /// The first bytes of the plaintext.
    pub(crate) head: Vec<u8>,
    /// How much plaintext came, or how much was searched since the last gap.
    pub(crate) passed: usize,
    /// The first bytes showed which protocol it is, or that it is none that is known.
    pub(crate) recognised: bool,
    /// Why bytes are missing, the first time, and how often they are.
    pub(crate) gap: Option<GapReason>,
    pub(crate) gap_count: u32,
    /// A gap stands before the first byte.
    pub(crate) begun_late: bool,
    /// The first bytes after a gap are next.
    pub(crate) after_gap: bool,
    /// Bytes are missing before what is read now, so that messages may be out of step.
    pub(crate) out_of_step: bool,
    /// A hello of SSL 2.0 came: what follows need not be records.
    pub(crate) sslv2: bool,
    pub(crate) record: Record,
    pub(crate) record_count: u32,
    pub(crate) messages: Messages<M>,
    /// The sealed record that is being kept.
    kept: Option<Box<Kept>>,
}

/// The record that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) content_type: ContentType,
    /// Bytes of its fragment that are still to come.
    pub(crate) left: u16,
    pub(crate) len: u16,
    /// How its fragment is read.
    pub(crate) reading: Reading,
}

/// How a fragment is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It is passed over.
    Skip,
    /// It is alerts in clear; the level of one whose code is still to come.
    Alerts(Option<u8>),
    /// It is handshake messages.
    Messages(Trust),
    /// It is sealed, and kept for keys to open.
    Keep,
}

impl<M: Copy> Stream<M> {
    pub(crate) fn new() -> Self {
        Self {
            stage: Stage::Opening,
            held: Vec::new(),
            held_mark: None,
            head: Vec::new(),
            passed: 0,
            recognised: false,
            gap: None,
            gap_count: 0,
            begun_late: false,
            after_gap: false,
            out_of_step: false,
            sslv2: false,
            record: Record::none(),
            record_count: 0,
            messages: Messages::new(),
            kept: None,
        }
    }

    pub(crate) fn held_len(&self) -> usize {
        self.held
            .capacity()
            .saturating_add(self.head.capacity())
            .saturating_add(self.messages.held_len())
            .saturating_add(
                self.kept
                    .as_ref()
                    .map_or(0, |kept| kept.fragment.capacity()),
            )
    }

    /// Takes in plaintext, of which the head is kept.
    pub(crate) fn pass_plaintext(&mut self, bytes: &[u8]) {
        let room = HEAD_LEN.saturating_sub(self.head.len());
        self.head
            .extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.passed = self.passed.saturating_add(bytes.len());
    }

    /// Lets go of everything that only reading on would need.
    pub(crate) fn turn_off(&mut self) {
        self.stage = Stage::Off;
        self.held = Vec::new();
    }

    /// Begins a record: decides how its fragment is read.
    pub(crate) fn begin_record(
        &mut self,
        header: Header,
        lane: Lane,
        facts: &mut Facts<M>,
        mark: M,
    ) {
        let len = header.len;
        let step = facts.step_count();
        let reading = match header.content_type {
            ContentType::CHANGE_CIPHER_SPEC => {
                facts.on_change_cipher_spec(lane, len, mark);
                Reading::Skip
            }
            // No cipher makes an alert as short as one in clear.
            ContentType::ALERT if len == 2 => Reading::Alerts(None),
            ContentType::ALERT
                if matches!(len, 4 | 6 | 8) && !self.out_of_step && !facts.is_protected(lane) =>
            {
                Reading::Alerts(None)
            }
            ContentType::ALERT => {
                facts.on_encrypted_alert(lane, len, mark);
                self.keep(header, step, lane, facts)
            }
            ContentType::HANDSHAKE => match facts.trust(lane) {
                Some(Trust::InStep) if self.out_of_step => Reading::Messages(Trust::AfterGap),
                Some(trust) => Reading::Messages(trust),
                None => {
                    facts.on_encrypted_handshake(lane, len, mark);
                    self.keep(header, step, lane, facts)
                }
            },
            ContentType::APPLICATION_DATA => {
                facts.on_application_data(lane, len, mark);
                self.keep(header, step, lane, facts)
            }
            _ => {
                facts.on_heartbeat(lane, len, mark);
                Reading::Skip
            }
        };
        self.record = Record::new(header, reading);
    }

    /// Lets go of the sealed record that is being kept.
    pub(crate) fn forget_kept(&mut self) {
        self.kept = None;
        if self.record.reading == Reading::Keep {
            self.record.reading = Reading::Skip;
        }
    }

    /// How a sealed record is read, whose step would stand at the place `step`.
    fn keep(&mut self, header: Header, step: usize, lane: Lane, facts: &mut Facts<M>) -> Reading {
        let Some(keeps) = facts.keeps(lane, header.content_type) else {
            return Reading::Skip;
        };
        if !keeps || header.len == 0 {
            facts.note_sealed(lane, What::Missed);
            return Reading::Skip;
        }
        let step = (facts.step_count() > step).then_some(step);
        self.kept = Some(Box::new(Kept::new(
            header.content_type,
            header.version,
            step,
        )));
        Reading::Keep
    }

    /// Takes the next piece of the current record's fragment.
    pub(crate) fn on_fragment(
        &mut self,
        fragment: &[u8],
        lane: Lane,
        facts: &mut Facts<M>,
        limits: &Limits,
        begun: M,
        mark: M,
    ) {
        let room = usize::from(self.record.left);
        let len = u16::try_from(fragment.len()).unwrap_or(u16::MAX);
        self.record.left = self.record.left.saturating_sub(len);
        match self.record.reading {
            Reading::Skip => {}
            Reading::Keep => {
                if let Some(kept) = &mut self.kept {
                    kept.fragment.extend_from_slice(fragment);
                }
                if self.record.left == 0
                    && let Some(kept) = self.kept.take()
                {
                    facts.keep_sealed(lane, *kept, mark);
                }
            }
            Reading::Alerts(mut level) => {
                for byte in fragment {
                    level = match level {
                        None => Some(*byte),
                        Some(level) => {
                            facts.on_alert(lane, level, *byte, mark);
                            None
                        }
                    };
                }
                self.record.reading = Reading::Alerts(level);
            }
            Reading::Messages(trust) => {
                let mut heard = false;
                let result = self.messages.push(
                    fragment,
                    begun,
                    trust,
                    room,
                    limits.max_message_len,
                    |message, begun| {
                        heard = true;
                        facts.on_message(lane, message, begun, mark);
                    },
                );
                if heard && trust == Trust::AfterGap {
                    // One message that fits puts the others in step.
                    self.out_of_step = false;
                    self.record.reading = Reading::Messages(Trust::InStep);
                }
                if result.is_err() {
                    facts.on_encrypted_handshake(lane, self.record.len, mark);
                    self.record.reading = Reading::Skip;
                }
            }
        }
    }

    /// Passes over `len` missing bytes of a direction of records; `false` when they reach beyond the current one.
    pub(crate) fn skip_in_record(
        &mut self,
        len: u64,
        reason: GapReason,
        lane: Lane,
        facts: &mut Facts<M>,
        mark: M,
    ) -> bool {
        if self.stage != Stage::Records {
            return false;
        }
        let hears = |message: Message<'_>, begun| facts.on_message(lane, message, begun, mark);
        let left = u64::from(self.record.left).checked_sub(len);
        let Some(left) = left.filter(|_| len > 0) else {
            self.messages.cut(reason.into(), hears);
            self.kept = None;
            facts.on_framing(lane, Framing::Lost);
            return false;
        };
        self.record.left = u16::try_from(left).unwrap_or_default();
        match self.record.reading {
            Reading::Keep => {
                self.kept = None;
                self.record.reading = Reading::Skip;
                facts.note_sealed(lane, What::Missed);
            }
            Reading::Messages(_) => {
                if !self.messages.on_gap(len, reason.into(), hears) {
                    self.record.reading = Reading::Skip;
                    self.out_of_step = true;
                }
            }
            // The messages before and after the record are whole.
            Reading::Alerts(_) | Reading::Skip => self.record.reading = Reading::Skip,
        }
        true
    }

    /// Goes on after bytes that are no header where one should stand.
    pub(crate) fn lose_framing(&mut self, lane: Lane, facts: &mut Facts<M>) {
        self.messages.cut(Unseen::Malformed, |message, begun| {
            facts.on_message(lane, message, begun, begun);
        });
        if self.sslv2 && self.record_count == 0 {
            // The hello of SSL 2.0 is followed by SSL 2.0.
            self.turn_off();
        } else if facts.is_proved() {
            facts.on_framing(lane, Framing::Lost);
            self.stage = Stage::Searching;
            self.passed = 0;
            self.after_gap = false;
            self.out_of_step = true;
        } else {
            self.stage = Stage::Plaintext;
            self.recognised = true;
        }
    }
}

impl Record {
    pub(crate) fn none() -> Self {
        Self {
            content_type: ContentType(0),
            left: 0,
            len: 0,
            reading: Reading::Skip,
        }
    }

    pub(crate) fn new(header: Header, reading: Reading) -> Self {
        Self {
            content_type: header.content_type,
            left: header.len,
            len: header.len,
            reading,
        }
    }
}

/// How much of a direction's plaintext is kept: what a SOCKS client may send before TLS (RFC 1928, RFC 1929) and
/// more than the first line of a CONNECT.
const HEAD_LEN: usize = 1024;
