//! What was concluded from the sizes of hidden flights, kept for the next flow: many of an endpoint have the same sizes, and to conclude
//! it anew was a fifteenth of what a handshake costs.
//!
//! What is kept is what would be concluded again, so that no answer shows it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    told: Arc<[Inferred]>,
}

/// How many more bytes of conclusions are kept, of all endpoints together.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<AtomicUsize>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(MAX_LEN)))
    }
}

impl Room {
    /// Takes so much of it, if there is as much.
    fn take(&self, len: usize) -> bool {
        let taken = |room: usize| room.checked_sub(len);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken)
            .is_ok()
    }

    fn give_back(&self, len: usize) {
        self.0.fetch_add(len, Ordering::Relaxed);
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
        let known = std::mem::take(known.unwrap_or_else(PoisonError::into_inner));
        self.room
            .give_back(known.iter().map(Conclusion::memory_len).sum());
    }

    /// What was concluded of a flight, or is now.
    pub(super) fn of(
        &self,
        hidden: Hidden,
        asked_for: &AskedFor,
        conclude: impl FnOnce() -> Vec<Inferred>,
    ) -> Vec<Inferred> {
        let is_it = |one: &&Conclusion| one.hidden == hidden && one.asked_for == *asked_for;
        let told = |known: &[Conclusion]| known.iter().find(is_it).map(|one| one.told.clone());
        let found = told(&self.known());
        if let Some(told) = found {
            return told.to_vec();
        }
        let concluded = conclude();
        let new = Conclusion {
            hidden,
            asked_for: asked_for.clone(),
            told: concluded.as_slice().into(),
        };
        let mut known = self.known();
        // Another thread may have come to the same meanwhile.
        if known.len() < MAX_OF_ONE
            && told(&known).is_none()
            && new.memory_len() <= MAX_LEN_OF_ONE
            && self.room.take(new.memory_len())
        {
            known.push(new);
        }
        concluded
    }

    fn known(&self) -> MutexGuard<'_, Vec<Conclusion>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Conclusion {
    /// The memory that it takes, in bytes. Names in it are as long as somebody liked.
    fn memory_len(&self) -> usize {
        let name = match &self.asked_for {
            AskedFor::Name(name) => name.len(),
            AskedFor::Nobody | AskedFor::Unknown => 0,
        };
        let told = self.told.iter().map(|one| {
            size_of::<Inferred>() + one.reason.len() + size_of_val(one.confounders.as_slice())
        });
        // Twice, as vectors grow.
        2 * size_of::<Self>() + name + told.sum::<usize>()
    }
}

/// Bytes of conclusions that are kept.
const MAX_LEN: usize = 8 * 1024 * 1024;
/// Bytes of one; the usual ones take some 700.
const MAX_LEN_OF_ONE: usize = 4096;
/// Conclusions of one endpoint.
const MAX_OF_ONE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn inferred(reason: &str) -> Vec<Inferred> {
        vec![Inferred::new("server-key", reason.into())]
    }

    fn left(room: &Room) -> usize {
        room.0.load(Ordering::Relaxed)
    }

    #[test]
    fn the_same_is_concluded_once_until_the_endpoint_shows_something_new() {
        let room = Room::default();
        let mut conclusions = Conclusions::new(&room);
        let mut count = 0;
        let mut ask = |conclusions: &Conclusions, len, asked_for: &AskedFor| {
            conclusions.of(Hidden::of_len(len), asked_for, || {
                count += 1;
                inferred(&format!("number {count}"))
            })
        };
        let named = AskedFor::Name(Arc::from(*b"api.example"));
        for _ in 0..2 {
            assert_eq!(ask(&conclusions, 800, &named), inferred("number 1"));
            assert_eq!(ask(&conclusions, 801, &named), inferred("number 2"));
            assert_eq!(
                ask(&conclusions, 800, &AskedFor::Nobody),
                inferred("number 3")
            );
        }
        assert!(left(&room) < MAX_LEN);
        conclusions.forget();
        assert_eq!(left(&room), MAX_LEN);
        assert_eq!(ask(&conclusions, 800, &named), inferred("number 4"));
    }

    #[test]
    fn what_takes_much_memory_is_concluded_anew() {
        let room = Room::default();
        let conclusions = Conclusions::new(&room);
        let long = "a".repeat(MAX_LEN_OF_ONE);
        let name = AskedFor::Name(long.as_bytes().into());
        for (asked_for, reason) in [(&AskedFor::Nobody, &*long), (&name, "short")] {
            for _ in 0..2 {
                let told = conclusions.of(Hidden::of_len(800), asked_for, || inferred(reason));
                assert_eq!(told, inferred(reason));
            }
        }
        assert_eq!(left(&room), MAX_LEN);
    }

    #[test]
    fn all_endpoints_together_keep_no_more_than_there_is_room_for() {
        let room = Room::default();
        let reason = "a".repeat(MAX_LEN_OF_ONE / 2);
        let many: Vec<Conclusions> = (0..100).map(|_| Conclusions::new(&room)).collect();
        for conclusions in &many {
            for len in 0..100 {
                conclusions.of(Hidden::of_len(len), &AskedFor::Nobody, || inferred(&reason));
            }
        }
        let kept = |conclusions: &Conclusions| conclusions.known().len();
        assert_eq!(kept(&many[0]), MAX_OF_ONE);
        assert_eq!(kept(&many[99]), 0);
        let taken: usize = many
            .iter()
            .map(|one| {
                one.known()
                    .iter()
                    .map(Conclusion::memory_len)
                    .sum::<usize>()
            })
            .sum();
        assert_eq!(left(&room), MAX_LEN - taken);
    }
}
