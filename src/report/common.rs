//! A part of a report that many flows have in common.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

/// A part that many flows have in common: kept once, and rendered once.
///
/// It reads like the part itself. Beside it is a place for what a writer has made of it, so that
/// a certificate which a hundred thousand flows show is turned into text a single time.
#[derive(Debug)]
pub struct Common<T>(Arc<Kept<T>>);

#[derive(Debug)]
struct Kept<T> {
    part: T,
    rendered: OnceLock<Box<str>>,
}

impl<T> Common<T> {
    /// Keeps `part`, to be shared by cloning.
    #[must_use]
    pub fn new(part: T) -> Self {
        Self(Arc::new(Kept {
            part,
            rendered: OnceLock::new(),
        }))
    }

    /// Whether both are one and the same part, not only alike.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// What a writer makes of the part; made on first need. There is one writer that asks.
    pub(crate) fn rendered(&self, render: impl FnOnce(&T) -> Box<str>) -> &str {
        self.0.rendered.get_or_init(|| render(&self.0.part))
    }

    /// The part by itself, copied where others share it.
    #[must_use]
    pub fn into_part(self) -> T
    where
        T: Clone,
    {
        match Arc::try_unwrap(self.0) {
            Ok(kept) => kept.part,
            Err(shared) => shared.part.clone(),
        }
    }

    /// Changes the part for this holder alone.
    pub fn change(&mut self, change: impl FnOnce(&mut T))
    where
        T: Clone,
    {
        let mut part = self.0.part.clone();
        change(&mut part);
        *self = Self::new(part);
    }
}

impl<T: Default> Default for Common<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Clone for Common<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Common<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.part
    }
}

impl<T> From<T> for Common<T> {
    fn from(part: T) -> Self {
        Self::new(part)
    }
}

impl<T: PartialEq> PartialEq for Common<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.part == other.0.part
    }
}

impl<T: Eq> Eq for Common<T> {}

impl<T: Serialize> Serialize for Common<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.part.serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for Common<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_rendered_is_kept_until_the_part_is_another() {
        let one = Common::new(1);
        let same = one.clone();
        assert_eq!(one.rendered(|part| part.to_string().into()), "1");
        assert_eq!(same.rendered(|_| "never asked".into()), "1");
        let mut other = same;
        other.change(|part| *part = 2);
        assert_eq!(other.rendered(|part| part.to_string().into()), "2");
        assert_eq!((*one, *other), (1, 2));
        assert_ne!(one, other);
    }
}
