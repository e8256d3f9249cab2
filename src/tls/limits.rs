//! Every bound on what one flow may cost here.

/// Bounds on the memory and the time that one flow may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest handshake message that is joined. Chains of a hundred certificates stay below it; and
    /// one certificate with thousands of names takes 340 KB.
    pub max_message_len: usize,
    /// The most plaintext of a direction in which TLS is looked for, and the farthest that records are looked for after a
    /// gap. A STARTTLS comes in the first kilobytes; and two records in a row take at most 41 KiB.
    pub max_plaintext_len: usize,
    /// The most steps that are kept.
    pub max_steps: usize,
    /// The most records of application data of a direction that are kept as steps.
    pub max_application_steps: u32,
    /// The most bytes of sealed records of a direction that are kept for keys to open. A flight with a chain of ten certificates
    /// takes 20 KiB.
    pub max_sealed_len: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_len: 512 << 10,
            max_plaintext_len: 64 << 10,
            max_steps: 48,
            max_application_steps: 12,
            max_sealed_len: 64 << 10,
        }
    }
}
