//! Keys that others wrote down, and what they open.
//!
//! A [`KeyLog`] holds secrets by the random of the ClientHello that they belong to; from a secret and a cipher suite come the keys of one
//! direction, and with those a record is opened. The keys themselves never leave this room: nothing here prints them, and what
//! held them is wiped.

mod cipher;
mod hpke;
mod label;
mod log;
mod protection;
mod schedule;
mod suite;

pub(crate) use hpke::{HpkeSuite, Recipient};
pub use label::Label;
pub(crate) use log::Secret;
pub use log::{KeyLog, LineCounts};
pub(crate) use protection::{Protection, RecordHeader};
pub(crate) use schedule::{
    Draft, ech_confirmation, is_finished, master_keys, next_secret, traffic_keys,
};
pub(crate) use suite::{Hash, Suite};
