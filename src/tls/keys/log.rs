//! Key logs: the secrets of connections, as a program that took part wrote them down (RFC 9850).
//!
//! ```text
//! # a comment
//! SERVER_HANDSHAKE_TRAFFIC_SECRET <64 hex digits of the ClientHello's random> <the secret in hex>
//! ```
//!
//! A log may be cut, mixed with other text, or hostile: a line that is none is counted and passed over, and so is what lies
//! beyond the limit.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read, Write};

use zeroize::{Zeroize, Zeroizing};

use crate::tls::keys::label::{Label, MAX_CONFIG_LEN, Word};

/// The secrets of connections, found by the random of their ClientHello.
///
/// It is wiped when it is dropped, and `Debug` shows how many secrets it holds and none of them.
#[derive(Default)]
pub struct KeyLog {
    sessions: HashMap<[u8; 32], Vec<Logged>>,
    /// Those with a secret of the server's handshake, in the order in which they became known.
    servers: Vec<Filed>,
    len: usize,
    /// Bytes of all secrets.
    held_len: usize,
}

/// What stood in the lines of a key log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LineCounts {
    /// Lines with a secret that may open something, those that stand there twice among them.
    pub secrets: u64,
    /// Lines with a label that is known, and whose secret opens no record.
    pub unused: u64,
    /// Lines that begin with another word and look like secrets otherwise, or not.
    pub unknown: u64,
    /// Lines with a known label and something else than a random and a secret behind it.
    pub damaged: u64,
    /// Secrets beyond [`KeyLog::MAX_SECRETS`] and [`KeyLog::MAX_LEN`].
    pub left_out: u64,
}

/// The random of a connection, and where its first secret of the server's handshake became known.
struct Filed {
    random: [u8; 32],
    since: u64,
}

/// A secret with where it became known.
struct Logged {
    label: Label,
    /// Its place in [`KeyLog::servers`], for a secret of the server's handshake.
    place: u32,
    since: u64,
    secret: Secret,
}

/// The bytes of a secret.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<Box<[u8]>>);

impl KeyLog {
    /// How many secrets are held: of 200,000 connections, in about 150 MB.
    pub const MAX_SECRETS: usize = 1_000_000;

    /// Bytes of secrets that are held: a configuration of Encrypted Client Hello is much longer than a secret.
    pub const MAX_LEN: usize = 64 << 20;

    /// A log that holds nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many secrets it holds.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes in the lines of `input`. Their secrets count as known from the place `since` on, which is the caller's to number; zero
    /// is always.
    ///
    /// # Errors
    ///
    /// When reading fails; the lines before that are taken in.
    pub fn read(&mut self, mut input: impl Read, since: u64) -> io::Result<LineCounts> {
        let mut counts = LineCounts::default();
        let mut chunk = Zeroizing::new([0; CHUNK_LEN]);
        let mut line = Line::default();
        loop {
            let len = match input.read(chunk.as_mut_slice()) {
                Ok(0) => break,
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let bytes = chunk.get(..len).unwrap_or_default();
            self.take_bytes(bytes, &mut line, since, &mut counts);
        }
        self.take_line(&line, since, &mut counts);
        Ok(counts)
    }

    /// Takes in the lines of a whole log that is at hand, as [`KeyLog::read`] does.
    pub fn read_bytes(&mut self, log: &[u8], since: u64) -> LineCounts {
        let mut counts = LineCounts::default();
        if !log.is_empty() {
            let mut line = Line::default();
            self.take_bytes(log, &mut line, since, &mut counts);
            self.take_line(&line, since, &mut counts);
        }
        counts
    }

    fn take_bytes(&mut self, bytes: &[u8], line: &mut Line, since: u64, counts: &mut LineCounts) {
        for byte in bytes {
            if matches!(byte, b'\n' | b'\r') {
                self.take_line(line, since, counts);
                line.clear();
            } else {
                line.push(*byte);
            }
        }
    }

    /// Whether a secret of the connection with this ClientHello.random is known at the place `at`.
    #[must_use]
    pub fn knows(&self, random: &[u8; 32], at: u64) -> bool {
        self.sessions
            .get(random)
            .is_some_and(|logged| logged.iter().any(|one| one.since <= at))
    }

    /// The labels under which secrets of this connection are known, in the order of a connection.
    #[must_use]
    pub fn labels(&self, random: &[u8; 32]) -> Vec<Label> {
        let mut labels: Vec<Label> = self
            .sessions
            .get(random)
            .into_iter()
            .flatten()
            .map(|one| one.label)
            .collect();
        labels.sort_unstable();
        labels.dedup();
        labels
    }

    /// Writes the lines of one connection with these labels, as a key log has them.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn write(
        &self,
        random: &[u8; 32],
        labels: &[Label],
        mut into: impl Write,
    ) -> io::Result<()> {
        let logged = self.sessions.get(random).into_iter().flatten();
        for one in logged.filter(|one| labels.contains(&one.label)) {
            let mut line = Zeroizing::new(Vec::with_capacity(MAX_LINE_LEN));
            line.extend_from_slice(one.label.as_str().as_bytes());
            line.push(b' ');
            push_hex(&mut line, random);
            line.push(b' ');
            push_hex(&mut line, one.secret.bytes());
            line.push(b'\n');
            into.write_all(&line)?;
        }
        Ok(())
    }

    /// The secrets of one connection that are known at the place `at`; a label may have several.
    pub(crate) fn secrets<'a>(
        &'a self,
        random: &[u8; 32],
        label: Label,
        at: u64,
    ) -> impl Iterator<Item = &'a Secret> + use<'a> {
        self.sessions
            .get(random)
            .into_iter()
            .flatten()
            .filter(move |one| one.label == label && one.since <= at)
            .map(|one| &one.secret)
    }

    /// How many connections have a secret of the server's handshake that is known at the place `at`, as long as places were
    /// only ever counted up.
    pub(crate) fn server_count(&self, at: u64) -> usize {
        self.servers.partition_point(|filed| filed.since <= at)
    }

    /// The random of one of these connections, in the order of the log.
    pub(crate) fn server(&self, place: usize) -> Option<&[u8; 32]> {
        self.servers.get(place).map(|filed| &filed.random)
    }

    /// The place of a connection among them.
    pub(crate) fn server_place(&self, random: &[u8; 32]) -> Option<usize> {
        let logged = self.sessions.get(random)?;
        let one = logged
            .iter()
            .find(|one| one.label == Label::ServerHandshake)?;
        usize::try_from(one.place).ok()
    }

    fn take_line(&mut self, line: &Line, since: u64, counts: &mut LineCounts) {
        let text = line.text();
        if text.is_empty() || text.starts_with(b"#") {
            return;
        }
        let mut words = text
            .split(|byte| matches!(byte, b' ' | b'\t'))
            .filter(|word| !word.is_empty());
        let label = match Word::of(words.next().unwrap_or_default()) {
            Word::Used(label) => label,
            Word::Unused => {
                counts.unused = counts.unused.saturating_add(1);
                return;
            }
            Word::Unknown => {
                counts.unknown = counts.unknown.saturating_add(1);
                return;
            }
        };
        let random = words.next().and_then(random);
        let secret = words.next().and_then(Secret::from_hex);
        let (Some(random), Some(secret), None, false) =
            (random, secret, words.next(), line.is_too_long)
        else {
            counts.damaged = counts.damaged.saturating_add(1);
            return;
        };
        if !label.admits(secret.bytes().len()) {
            counts.damaged = counts.damaged.saturating_add(1);
            return;
        }
        counts.secrets = counts.secrets.saturating_add(1);
        if !self.insert(random, label, secret, since) {
            counts.left_out = counts.left_out.saturating_add(1);
        }
    }

    /// `false` where a limit leaves it out.
    fn insert(&mut self, random: [u8; 32], label: Label, secret: Secret, since: u64) -> bool {
        if let Some(logged) = self.sessions.get_mut(&random) {
            let mut same = logged.iter_mut().filter(|one| one.label == label);
            if let Some(known) = same.find(|one| one.secret.bytes() == secret.bytes()) {
                known.since = known.since.min(since);
                return true;
            }
            let others = logged.iter().filter(|one| one.label == label).count();
            if others >= MAX_OF_A_LABEL {
                return false;
            }
        }
        let held_len = self.held_len.saturating_add(secret.bytes().len());
        if self.len >= Self::MAX_SECRETS || held_len > Self::MAX_LEN {
            return false;
        }
        self.len += 1;
        self.held_len = held_len;
        let logged = self.sessions.entry(random).or_default();
        let is_first = logged.iter().all(|one| one.label != label);
        let place = u32::try_from(self.servers.len()).unwrap_or(u32::MAX);
        if is_first && label == Label::ServerHandshake {
            self.servers.push(Filed { random, since });
        }
        logged.push(Logged {
            label,
            place,
            since,
            secret,
        });
        true
    }
}

impl fmt::Debug for KeyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyLog({} secrets)", self.len)
    }
}

impl LineCounts {
    /// Adds those of another log.
    pub fn add(&mut self, other: Self) {
        self.secrets = self.secrets.saturating_add(other.secrets);
        self.unused = self.unused.saturating_add(other.unused);
        self.unknown = self.unknown.saturating_add(other.unknown);
        self.damaged = self.damaged.saturating_add(other.damaged);
        self.left_out = self.left_out.saturating_add(other.left_out);
    }
}

impl Secret {
    /// The secret with these bytes.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn from_hex(digits: &[u8]) -> Option<Self> {
        let mut bytes = Zeroizing::new(vec![0; digits.len() / 2].into_boxed_slice());
        read_hex(digits, &mut bytes)?;
        Some(Self(bytes))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.bytes().len())
    }
}

/// A line in the making, of which no more is kept than one with a secret can have.
#[derive(Default)]
struct Line {
    bytes: Vec<u8>,
    is_too_long: bool,
}

impl Line {
    fn push(&mut self, byte: u8) {
        if self.bytes.capacity() == 0 {
            // It never grows, so that no copy of it is left behind.
            self.bytes.reserve_exact(MAX_LINE_LEN);
        }
        if self.bytes.len() < MAX_LINE_LEN {
            self.bytes.push(byte);
        } else {
            self.is_too_long = true;
        }
    }

    /// The line without what editors put in front of a file (a byte order mark), and without blanks around it.
    fn text(&self) -> &[u8] {
        let text = self.bytes.as_slice();
        text.strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(text)
            .trim_ascii()
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.is_too_long = false;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

fn random(digits: &[u8]) -> Option<[u8; 32]> {
    let mut random = [0; 32];
    (read_hex(digits, &mut random)? == random.len()).then_some(random)
}

/// Reads hex digits of either case; how many bytes they are.
fn read_hex(digits: &[u8], into: &mut [u8]) -> Option<usize> {
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    if pairs.is_empty() || pairs.len() > into.len() {
        return None;
    }
    for ([high, low], byte) in pairs.iter().zip(into) {
        *byte = hex_digit(*high)? << 4 | hex_digit(*low)?;
    }
    Some(pairs.len())
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn push_hex(line: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            line.push(*DIGITS.get(usize::from(digit)).unwrap_or(&b'0'));
        }
    }
}

/// More than the longest label, a random, what stands behind them and some blanks take.
const MAX_LINE_LEN: usize = 256 + 2 * MAX_CONFIG_LEN;
const CHUNK_LEN: usize = 16 * 1024;
/// Different secrets for one thing; more than one means that a log was mixed up, or that somebody plays.
const MAX_OF_A_LABEL: usize = 4;

#[cfg(test)]
mod tests;
