//! What was concluded from the sizes of hidden flights, kept for the next flow: many of an endpoint have the same sizes, and to conclude
//! it anew was a tenth of what a handshake costs.
//!
//! What is kept is what would be concluded again, so that it shows in nothing but time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::analysis::asked::AskedFor;
use crate::analysis::hidden::Hidden;
use crate::report::Inferred;

/// What was concluded at an endpoint.
#[derive(Debug)]
pub(super) struct Conclusions {
    known: Mutex<Vec<Conclusion>>,
    room: Room,
}

#[derive(Debug)]
struct Conclusion {
    hidden: Hidden,
    asked_for: AskedFor,
    told: Vec<Inferred>,
}

/// How many more conclusions are kept, of all endpoints together.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<AtomicUsize>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(MAX_CONCLUSIONS)))
    }
}

impl Conclusions {
    /// None yet.
    pub(super) fn new(room: &Room) -> Self {
        Self {
            known: Mutex::default(),
            room: room.clone(),
        }
    }

    /// The endpoint has shown something new.
    pub(super) fn forget(&mut self) {
        let known = self.known.get_mut();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        self.room.0.fetch_add(known.len(), Ordering::Relaxed);
        known.clear();
    }

    /// What was concluded, or is now.
    pub(super) fn of(
        &self,
        hidden: Hidden,
        asked_for: &AskedFor,
        conclude: impl FnOnce() -> Vec<Inferred>,
    ) -> Vec<Inferred> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |one: &&Conclusion| one.hidden == hidden && one.asked_for == *asked_for;
        if let Some(one) = known().iter().find(is_it) {
            return one.told.clone();
        }
        let told = conclude();
        let mut known = known();
        let room = &self.room.0;
        let has_room = known.len() < MAX_OF_ONE
            && room
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| {
                    room.checked_sub(1)
                })
                .is_ok();
        if has_room {
            known.push(Conclusion {
                hidden,
                asked_for: asked_for.clone(),
                told: told.clone(),
            });
        }
        told
    }
}

/// Conclusions that are kept, some 600 bytes each.
const MAX_CONCLUSIONS: usize = 1 << 14;
/// Those of one endpoint.
const MAX_OF_ONE: usize = 64;
