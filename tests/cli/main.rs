//! The command as its users meet it: flags, exit codes, pipes, full disks and Ctrl-C.

#![cfg(feature = "cli")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails loudly")]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use desk::*;
use support::capture::{self, Pcap};
use support::certificate::Certificate;
use support::conversation::{Conversation, Segments as _};
use support::packet::{Link, Packet, Packets as _};
use support::tls::{self, ClientHello, ServerHello, Tls as _, UNKNOWN_CA};

mod comparisons;
mod desk;
mod endings;
mod other;
mod outputs;
mod reading;
mod settings;
mod signals;
mod slices;
#[path = "../support/mod.rs"]
mod support;
