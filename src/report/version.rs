//! The version of the schema.

/// It moves when a field changes its meaning or its type, or goes away. New fields and new words
/// in a list do not move it.
pub const SCHEMA_VERSION: u32 = 1;
