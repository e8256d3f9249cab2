//! The labels of a key log: what a secret is for (RFC 9850, section 2).

/// What a line of a key log is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Label {
    /// `CLIENT_RANDOM`: the master secret of a connection up to TLS 1.2.
    ClientRandom,
    /// `CLIENT_EARLY_TRAFFIC_SECRET`: of the client's early data.
    ClientEarly,
    /// `CLIENT_HANDSHAKE_TRAFFIC_SECRET`: of the client's half of the handshake.
    ClientHandshake,
    /// `SERVER_HANDSHAKE_TRAFFIC_SECRET`: of the server's half, its certificate among it.
    ServerHandshake,
    /// `CLIENT_TRAFFIC_SECRET_0`: of what the client sends after the handshake.
    ClientTraffic,
    /// `SERVER_TRAFFIC_SECRET_0`: of what the server sends after the handshake.
    ServerTraffic,
    /// `ECH_SECRET`: the shared secret under which an Encrypted Client Hello is sealed.
    EchSecret,
    /// `ECH_CONFIG`: the configuration of the server that it is sealed for. It is no secret, and nothing opens without it.
    EchConfig,
}

/// What the first word of a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// A secret that opens records.
    Used(Label),
    /// A label of a standard whose secret opens no record here.
    Unused,
    /// No label that anybody here knows.
    Unknown,
}

impl Label {
    /// Every label whose secret is used, in the order of a connection.
    pub const ALL: [Self; 8] = [
        Self::ClientRandom,
        Self::ClientEarly,
        Self::ClientHandshake,
        Self::ServerHandshake,
        Self::ClientTraffic,
        Self::ServerTraffic,
        Self::EchSecret,
        Self::EchConfig,
    ];

    /// The word that stands in a key log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientRandom => "CLIENT_RANDOM",
            Self::ClientEarly => "CLIENT_EARLY_TRAFFIC_SECRET",
            Self::ClientHandshake => "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
            Self::ServerHandshake => "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            Self::ClientTraffic => "CLIENT_TRAFFIC_SECRET_0",
            Self::ServerTraffic => "SERVER_TRAFFIC_SECRET_0",
            Self::EchSecret => "ECH_SECRET",
            Self::EchConfig => "ECH_CONFIG",
        }
    }

    /// Whether a secret of this label may have this many bytes.
    pub(crate) fn admits(self, len: usize) -> bool {
        match self {
            // RFC 5246, section 8.1.
            Self::ClientRandom => len == 48,
            // As long as the KEM makes it (RFC 9180, section 7.1).
            Self::EchSecret => matches!(len, 32 | 48 | 64),
            Self::EchConfig => len <= MAX_CONFIG_LEN,
            // As long as the hash of the suite (RFC 8446, section 7.1).
            _ => matches!(len, 32 | 48),
        }
    }
}

impl Word {
    pub(crate) fn of(word: &[u8]) -> Self {
        let used = Label::ALL
            .into_iter()
            .find(|label| label.as_str().as_bytes() == word);
        if let Some(label) = used {
            return Self::Used(label);
        }
        let is_unused = UNUSED.contains(&word)
            || [
                b"CLIENT_TRAFFIC_SECRET_".as_slice(),
                b"SERVER_TRAFFIC_SECRET_",
                b"QUIC_",
            ]
            .iter()
            .any(|prefix| word.starts_with(prefix));
        if is_unused {
            Self::Unused
        } else {
            Self::Unknown
        }
    }
}

/// Labels with a meaning (RFC 9850, sections 2.1 to 2.3), and of older programs. Later secrets of a connection follow from the first.
/// `RSA` goes by what was encrypted in place of a random, and names the master secret of a suite without forward secrecy.
const UNUSED: [&[u8]; 4] = [
    b"EARLY_EXPORTER_SECRET",
    b"EARLY_EXPORTER_MASTER_SECRET",
    b"EXPORTER_SECRET",
    b"RSA",
];

/// With the longest public key of any KEM, an ECHConfig takes about 1,700 bytes (RFC 9849, section 4).
pub(crate) const MAX_CONFIG_LEN: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_is_known_by_its_word() {
        for label in Label::ALL {
            assert_eq!(Word::of(label.as_str().as_bytes()), Word::Used(label));
        }
        assert_eq!(Word::of(b"EXPORTER_SECRET"), Word::Unused);
        assert_eq!(Word::of(b"SERVER_TRAFFIC_SECRET_1"), Word::Unused);
        assert_eq!(Word::of(b"client_random"), Word::Unknown);
        assert_eq!(Word::of(b""), Word::Unknown);
    }
}
