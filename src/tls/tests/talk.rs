//! Conversations told byte by byte: what client and server send, and what is seen of it.

use super::*;

/// One thing that happens on the wire.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Bytes(Lane, Vec<u8>),
    Gap(Lane, u64, GapReason),
}

/// A conversation: what the client (lane A) and the server (lane B) send.
#[derive(Clone, Debug, Default)]
pub(super) struct Talk(pub(super) Vec<Event>);

impl Talk {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn client(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.push(Event::Bytes(Lane::A, bytes.as_ref().to_vec()));
        self
    }

    pub(super) fn server(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.push(Event::Bytes(Lane::B, bytes.as_ref().to_vec()));
        self
    }

    pub(super) fn gap(mut self, lane: Lane, len: u64, reason: GapReason) -> Self {
        self.0.push(Event::Gap(lane, len, reason));
        self
    }

    pub(super) fn observer_in_pieces_of(&self, size: usize) -> Observer<u32> {
        let mut observer = Observer::new(Limits::default());
        for event in &self.0 {
            match event {
                Event::Bytes(lane, bytes) => {
                    for piece in bytes.chunks(size) {
                        observer.on_bytes(*lane, piece, 7);
                    }
                }
                Event::Gap(lane, len, reason) => observer.on_gap(*lane, *len, *reason, 7),
            }
        }
        observer
    }

    pub(super) fn observer(&self) -> Observer<u32> {
        self.observer_in_pieces_of(usize::MAX)
    }

    /// The handshake, which is the same however the bytes are cut.
    pub(super) fn handshake(&self) -> Option<Handshake<u32>> {
        let whole = self.observer().finish();
        for size in [1, 2, 3, 5, 7, 11, 64, 1000] {
            let cut = self.observer_in_pieces_of(size).finish();
            assert!(cut == whole, "other facts in pieces of {size}");
        }
        whole
    }

    pub(super) fn seen(&self) -> Handshake<u32> {
        self.handshake().expect("TLS was proved")
    }
}

pub(super) fn vec8(body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    [&[u8::try_from(body.len()).unwrap()], body].concat()
}

pub(super) fn vec16(body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    [&u16::try_from(body.len()).unwrap().to_be_bytes(), body].concat()
}

pub(super) fn vec24(body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    [&u32::try_from(body.len()).unwrap().to_be_bytes()[1..], body].concat()
}

pub(super) fn record(kind: u8, fragment: impl AsRef<[u8]>) -> Vec<u8> {
    [vec![kind, 3, 3], vec16(fragment)].concat()
}

/// A stream of messages in records of `size` bytes.
pub(super) fn records(messages: impl AsRef<[u8]>, size: usize) -> Vec<u8> {
    let pieces = messages.as_ref().chunks(size);
    pieces.flat_map(|piece| record(22, piece)).collect()
}

pub(super) fn message(kind: u8, body: impl AsRef<[u8]>) -> Vec<u8> {
    [vec![kind], vec24(body)].concat()
}

pub(super) fn extension(kind: u16, body: impl AsRef<[u8]>) -> Vec<u8> {
    [kind.to_be_bytes().to_vec(), vec16(body)].concat()
}

pub(super) fn sni(name: impl AsRef<[u8]>) -> Vec<u8> {
    extension(0, vec16([vec![0], vec16(name)].concat()))
}

#[derive(Clone)]
pub(super) struct Hello {
    version: [u8; 2],
    session_id: Vec<u8>,
    suites: Vec<u8>,
    extensions: Option<Vec<u8>>,
}

pub(super) fn hello() -> Hello {
    Hello {
        version: [3, 3],
        session_id: Vec::new(),
        suites: vec![0x13, 0x01, 0xc0, 0x2f],
        extensions: Some(Vec::new()),
    }
}

impl Hello {
    pub(super) fn with(mut self, extension: impl AsRef<[u8]>) -> Self {
        let mut extensions = self.extensions.unwrap_or_default();
        extensions.extend_from_slice(extension.as_ref());
        self.extensions = Some(extensions);
        self
    }

    pub(super) fn named(self, name: &str) -> Self {
        self.with(sni(name))
    }

    pub(super) fn session(mut self, id: &[u8]) -> Self {
        self.session_id = id.to_vec();
        self
    }

    pub(super) fn without_extensions(mut self) -> Self {
        self.extensions = None;
        self
    }

    pub(super) fn message(&self) -> Vec<u8> {
        let mut body = self.version.to_vec();
        body.extend([0x11; 32]);
        body.extend(vec8(&self.session_id));
        body.extend(vec16(&self.suites));
        body.extend(vec8([0]));
        if let Some(extensions) = &self.extensions {
            body.extend(vec16(extensions));
        }
        message(1, body)
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        record(22, self.message())
    }
}

pub(super) fn server_hello(suite: u16, session_id: &[u8], extensions: impl AsRef<[u8]>) -> Vec<u8> {
    server_hello_with([0x22; 32], suite, session_id, extensions)
}

pub(super) fn server_hello_with(
    random: [u8; 32],
    suite: u16,
    session_id: &[u8],
    extensions: impl AsRef<[u8]>,
) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend(random);
    body.extend(vec8(session_id));
    body.extend(suite.to_be_bytes());
    body.push(0);
    if !extensions.as_ref().is_empty() {
        body.extend(vec16(extensions));
    }
    message(2, body)
}

pub(super) fn certificate(certificates: &[&[u8]]) -> Vec<u8> {
    let list: Vec<u8> = certificates.iter().flat_map(vec24).collect();
    message(11, vec24(list))
}

pub(super) const ECDHE_RSA: u16 = 0xc02f;
pub(super) const LEAF: &[u8] = &[0x30; 700];
pub(super) const ISSUER: &[u8] = &[0x31; 900];

pub(super) fn tls12_flight() -> Vec<u8> {
    [
        server_hello(ECDHE_RSA, &[], extension(16, vec16(vec8("h2")))),
        certificate(&[LEAF, ISSUER]),
        message(
            12,
            [vec![3, 0, 29], vec8([4; 32]), vec![4, 1, 0, 2, 9, 9]].concat(),
        ),
        message(14, []),
    ]
    .concat()
}

pub(super) fn keys(finished: u8) -> Vec<u8> {
    [record(20, [1]), record(22, vec![finished; 40])].concat()
}

pub(super) fn tls12() -> Talk {
    Talk::new()
        .client(hello().named("api.example").bytes())
        .server(records(tls12_flight(), 16_000))
        .client([record(22, message(16, vec8([4; 32]))), keys(0)].concat())
        .server(keys(0))
        .client(record(23, [0; 100]))
        .server(record(23, [0; 300]))
}

pub(super) fn tls13_hello() -> Vec<u8> {
    let extensions = [
        extension(43, [3, 4]),
        extension(51, [vec![0, 29], vec16([5; 32])].concat()),
    ];
    server_hello(0x1301, &[], extensions.concat())
}

pub(super) fn tls13() -> Talk {
    Talk::new()
        .client(
            hello()
                .named("api.example")
                .with(extension(43, [2, 3, 4]))
                .bytes(),
        )
        .server(
            [
                record(22, tls13_hello()),
                record(20, [1]),
                record(23, [0; 900]),
            ]
            .concat(),
        )
        .client([record(20, [1]), record(23, [0; 53])].concat())
        .client(record(23, [0; 100]))
        .server([record(23, [0; 200]), record(23, [0; 500])].concat())
}
