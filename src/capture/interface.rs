//! What the interfaces of a capture said of themselves (draft-ietf-opsawg-pcapng, section 4.2).

use std::sync::Arc;

use crate::capture::clock::Clock;
use crate::capture::link_type::LinkType;
use crate::time::Precision;

/// One interface that frames were captured on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interface {
    /// The name the capturing system gave it, when it is written down. Text from the wire: show it escaped.
    pub name: Option<String>,
    /// What the first byte of its frames belongs to.
    pub link_type: LinkType,
    /// How finely its clock was read.
    pub precision: Precision,
    pub(crate) clock: Clock,
    /// How many bytes of a frame it keeps; 0 for all.
    pub(crate) snap_len: u32,
}

impl Interface {
    pub(crate) fn new(link_type: LinkType, clock: Clock) -> Self {
        Self {
            name: None,
            link_type,
            precision: clock.precision(),
            clock,
            snap_len: 0,
        }
    }
}

/// The interfaces of a capture in the order of their descriptions, over all its sections.
///
/// Grows while the capture is read. In leaves that clones share: each block of frames holds one, and a hostile
/// capture describes an interface for each.
#[derive(Clone, Debug, Default)]
pub struct Interfaces {
    full: Vec<Arc<Vec<Interface>>>,
    last: Vec<Interface>,
}

impl Interfaces {
    /// How many interfaces are described at most. The next ones are a damage of the capture.
    pub const MAX_COUNT: u32 = 65_536;

    /// The interface that a frame names.
    #[must_use]
    pub fn get(&self, index: u32) -> Option<&Interface> {
        let index = usize::try_from(index).ok()?;
        match self.full.get(index / LEAF_LEN) {
            Some(leaf) => leaf.get(index % LEAF_LEN),
            None => self
                .last
                .get(index.checked_sub(self.full.len() * LEAF_LEN)?),
        }
    }

    /// Goes through all of them in order.
    pub fn iter(&self) -> impl Iterator<Item = &Interface> {
        self.full
            .iter()
            .flat_map(|leaf| leaf.iter())
            .chain(&self.last)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.full.len() * LEAF_LEN + self.last.len()
    }

    pub(crate) fn push(&mut self, interface: Interface) {
        self.last.push(interface);
        if self.last.len() == LEAF_LEN {
            self.full.push(Arc::new(std::mem::take(&mut self.last)));
        }
    }
}

const LEAF_LEN: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_interface_is_found_by_its_index() {
        let mut interfaces = Interfaces::default();
        for index in 0..1_000 {
            interfaces.push(Interface::new(LinkType(index), Clock::MICROSECONDS));
        }
        assert_eq!(interfaces.count(), 1_000);
        for index in 0..1_000 {
            assert_eq!(interfaces.get(index).unwrap().link_type, LinkType(index));
        }
        assert_eq!(interfaces.get(1_000), None);
        assert_eq!(interfaces.get(u32::MAX), None);
        assert!(
            interfaces
                .iter()
                .map(|interface| interface.link_type.0)
                .eq(0..1_000)
        );
    }
}
