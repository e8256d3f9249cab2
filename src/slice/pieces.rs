//! Frames that hold a piece of an IP packet: kept until the packet tells whose it is.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use crate::capture::Frame;
use crate::packet::Fragment;
use crate::time::{Precision, Timestamp};

/// A frame that is kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) number: u64,
    pub(crate) time: Timestamp,
    pub(crate) precision: Precision,
    pub(crate) interface: u32,
    pub(crate) data: Vec<u8>,
    pub(crate) original_len: u32,
}

impl Kept {
    pub(crate) fn of(frame: &Frame<'_>) -> Self {
        Self {
            number: frame.number,
            time: frame.time,
            precision: frame.precision,
            interface: frame.interface,
            data: frame.data.to_vec(),
            original_len: frame.original_len,
        }
    }
}

/// What the pieces of one packet have in common (RFC 791, section 3.2).
pub(crate) type PacketId = (IpAddr, IpAddr, u32);

/// The frames of packets that are not whole yet, the oldest packets first to go.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    frames: BTreeMap<PacketId, Vec<Kept>>,
    order: VecDeque<PacketId>,
    len: usize,
    dropped: u64,
}

impl Pieces {
    pub(crate) const fn id(fragment: &Fragment) -> PacketId {
        (fragment.source, fragment.destination, fragment.id)
    }

    /// Keeps frames beside those of the same packet.
    pub(crate) fn add(&mut self, id: PacketId, frames: Vec<Kept>) {
        let len: usize = frames.iter().map(cost).sum();
        self.len = self.len.saturating_add(len);
        match self.frames.get_mut(&id) {
            Some(known) => known.extend(frames),
            None => {
                self.frames.insert(id, frames);
                self.order.push_back(id);
            }
        }
        while self.len > MAX_LEN || self.order.len() > MAX_PACKETS {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            if let Some(frames) = self.frames.remove(&oldest) {
                self.forget(&frames);
                self.dropped = self.dropped.saturating_add(1);
            }
        }
    }

    /// The frames of a packet that is whole.
    pub(crate) fn take(&mut self, id: &PacketId) -> Vec<Kept> {
        let frames = self.frames.remove(id).unwrap_or_default();
        if !frames.is_empty() {
            self.order.retain(|known| known != id);
        }
        self.forget(&frames);
        frames
    }

    /// The frames of a packet that was given up, by the frame of its first piece.
    pub(crate) fn take_by_frame(&mut self, number: u64) -> Vec<Kept> {
        let holds = |frames: &&Vec<Kept>| frames.iter().any(|frame| frame.number == number);
        let found = self.frames.iter().find(|(_, frames)| holds(frames));
        let id = found.map(|(id, _)| *id);
        id.map(|id| self.take(&id)).unwrap_or_default()
    }

    /// Packets whose frames were dropped by a limit.
    pub(crate) const fn dropped(&self) -> u64 {
        self.dropped
    }

    fn forget(&mut self, frames: &[Kept]) {
        let len: usize = frames.iter().map(cost).sum();
        self.len = self.len.saturating_sub(len);
    }
}

fn cost(frame: &Kept) -> usize {
    frame.data.len().saturating_add(size_of::<Kept>())
}

/// Bytes of frames that are kept.
const MAX_LEN: usize = 32 << 20;
/// Packets that are waited for: each step through them stays short.
const MAX_PACKETS: usize = 4096;
