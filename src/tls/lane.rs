//! The two directions of a flow, before anyone knows which one is the client's.

/// One of the two directions of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// The first direction; which one that is, is the caller's choice.
    A,
    /// The other direction.
    B,
}

impl Lane {
    /// The opposite direction.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// One value for each direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lanes<T> {
    /// That of lane [`Lane::A`].
    pub a: T,
    /// That of lane [`Lane::B`].
    pub b: T,
}

impl<T> Lanes<T> {
    /// The value of `lane`.
    pub fn get(&self, lane: Lane) -> &T {
        match lane {
            Lane::A => &self.a,
            Lane::B => &self.b,
        }
    }

    /// The value of `lane`, to change it.
    pub fn get_mut(&mut self, lane: Lane) -> &mut T {
        match lane {
            Lane::A => &mut self.a,
            Lane::B => &mut self.b,
        }
    }

    /// What `of` makes of each value.
    pub fn map<U>(self, mut of: impl FnMut(T) -> U) -> Lanes<U> {
        Lanes {
            a: of(self.a),
            b: of(self.b),
        }
    }
}
