//! The samples of an Encrypted Client Hello, taken apart.
//!
//! `mod ech` comes by `#[path]`, beside `mod support`.

#![expect(
    unreachable_pub,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "each test file has a copy of its own; a test fails loudly"
)]

use crate::support::capture::blocks_of;

/// The blocks of the sample of an Encrypted Client Hello that ends so.
pub fn ech_blocks(outcome: &str) -> Vec<Vec<u8>> {
    let path = format!("samples/tls13-ech-{outcome}-with-secrets/capture.pcapng");
    blocks_of(&std::fs::read(path).unwrap())
}

/// The key log in those blocks, and the others.
pub fn apart(blocks: Vec<Vec<u8>>) -> (String, Vec<u8>) {
    let is_secrets = |block: &Vec<u8>| block[..4] == [10, 0, 0, 0];
    let (secrets, others): (Vec<_>, Vec<_>) = blocks.into_iter().partition(is_secrets);
    let len = u32::from_le_bytes(secrets[0][12..16].try_into().unwrap());
    let log = &secrets[0][16..16 + usize::try_from(len).unwrap()];
    (String::from_utf8(log.to_vec()).unwrap(), others.concat())
}

/// The key log of a sample as Go and OpenSSL write it, without what opens the hello inside; and its packets.
pub fn without_ech_secret(outcome: &str) -> (String, Vec<u8>) {
    let (log, capture) = apart(ech_blocks(outcome));
    let lines = log.lines().filter(|line| !line.starts_with("ECH_"));
    (lines.collect::<Vec<_>>().join("\n"), capture)
}

/// Lines of other connections.
pub fn strangers(numbers: std::ops::Range<usize>) -> String {
    numbers
        .map(|at| {
            let (random, secret) = (format!("{at:064x}"), format!("{:064x}", at + 1));
            format!("SERVER_HANDSHAKE_TRAFFIC_SECRET {random} {secret}\n")
        })
        .collect()
}
