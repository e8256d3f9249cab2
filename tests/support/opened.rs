//! Captures with their key logs: of two ends made by rustls, and of samples that carry their secrets.
//!
//! `mod opened` comes by `#[path]`, beside `mod peers`, `mod run` and `mod support`.

#![expect(
    dead_code,
    unreachable_pub,
    reason = "each test file has a copy of its own and uses a part"
)]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails loudly"
)]

use std::sync::Arc;

use rustls::{ClientConfig, ServerConfig};
use serde_json::Value;

use crate::peers::{Log, Meeting, Version, World, hashes, hashes_of, meet};
use crate::run::{stream, told_by, with_keys};
use crate::support::capture::{Order, PcapNg, blocks_of, secrets_block};
use crate::support::packet::{Link, Packets as _};

/// A meeting with the key log of its client.
pub struct Opened {
    pub meeting: Meeting,
    pub log: String,
}

impl Opened {
    pub fn meet(client: &ClientConfig, server: &ServerConfig) -> Self {
        let log = Arc::new(Log::default());
        let mut client = client.clone();
        client.key_log = Arc::<Log>::clone(&log);
        let meeting = meet(&client, server, "api.example");
        Self {
            meeting,
            log: log.text(),
        }
    }

    pub fn of(version: Version) -> Self {
        let world = World::new();
        Self::meet(&world.client(version), &world.server(version))
    }

    /// The lines of these labels.
    pub fn only(&self, labels: &[&str]) -> String {
        let is_wanted = |line: &&str| labels.iter().any(|label| line.starts_with(label));
        let lines: Vec<&str> = self.log.lines().filter(is_wanted).collect();
        assert!(!lines.is_empty(), "{labels:?}");
        lines.join("\n")
    }

    /// What is told with this key log.
    pub fn told_with(&self, log: &str) -> Value {
        let flows = told_by(&with_keys(log), [stream(self.meeting.capture())]).flows();
        assert_eq!(flows.len(), 1);
        flows[0].clone()
    }

    pub fn told(&self) -> Value {
        self.told_with(&self.log)
    }

    /// The blocks of a pcapng.
    pub fn blocks(&self) -> Vec<Vec<u8>> {
        let link = Link::Ethernet;
        let frames = self.meeting.packets.clone().on(&link);
        blocks_of(&PcapNg::new().write(&link, &frames))
    }

    /// A pcapng that carries `log` before its block number `at`.
    pub fn pcapng(&self, at: usize, log: &str) -> Vec<u8> {
        let mut blocks = self.blocks();
        blocks.insert(at, secrets_block(Order(false), log));
        blocks.concat()
    }

    pub fn assert_opened(&self, flow: &Value) {
        let told = &flow["tlstriage"];
        assert_eq!(told["decrypted"], true, "{flow}");
        assert_eq!(told["server"]["certificate"], "seen");
        assert_eq!(told["server"]["certificate_detail"], Value::Null);
        assert_eq!(
            hashes(&told["server"]["chain"]),
            hashes_of(self.meeting.client.peer_certificates().unwrap())
        );
    }
}

/// Whether a flow's certificate was seen, and what of the keys is said where it was not.
pub fn detail(flow: &Value) -> (&Value, &Value) {
    let server = &flow["tlstriage"]["server"];
    (&server["certificate"], &server["certificate_detail"])
}
