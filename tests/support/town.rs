//! A town: one conversation of every kind, all at once, as a gateway sees them.

use super::certificate::{Certificate, Issued};
use super::conversation::{Conversation, Segment, Side};
use super::random::Random;
use super::tls::{self, ClientHello, HANDSHAKE, ServerHello, Tls as _};

/// When the first conversation begins, in nanoseconds since 1970.
pub const DAWN: i64 = 1_700_000_000_000_000_000;

/// Every conversation of the town, each by itself. [`FLOWS`] of them are TLS.
pub fn conversations() -> Vec<Vec<Segment>> {
    let root = Certificate::authority("Town Root").self_signed();
    let api = chain("api.example", &root);
    let fallback = vec![Certificate::new("ingress.local").self_signed().der];
    let mut all = Vec::new();
    let mut town = Town { at: DAWN };

    // An endpoint with two names and a default certificate that nobody wants.
    let ingress = "10.1.0.4:443";
    all.push(session(town.between("10.1.0.5:50112", ingress), &api));
    all.push(
        town.between("10.1.0.6:50113", ingress)
            .tls12(&hello(2).sni("shop.example"), &chain("shop.example", &root)),
    );
    all.push(town.between("10.1.0.7:50114", ingress).tls12_distrusted(
        &hello(3),
        &fallback,
        tls::UNKNOWN_CA,
    ));
    all.push(
        town.between("10.1.0.5:50115", ingress)
            .tls12_resumed(&hello(4).sni("api.example"), SESSION),
    );
    all.push(
        town.between("10.1.0.8:50116", ingress)
            .refused(&hello(5).sni("nobody.example"), tls::UNRECOGNIZED_NAME),
    );

    // TLS 1.3, with and without a second ClientHello.
    let modern = "10.1.0.9:8443";
    all.push(
        town.between("10.1.0.5:50117", modern)
            .tls13(&hello(6).sni("modern.example").alpn(&["h2"]).tls13()),
    );
    all.push(
        town.between("10.1.0.6:50118", modern)
            .tls13_retried(&hello(7).sni("modern.example").tls13(), 23),
    );
    all.push(
        town.between("10.1.0.7:50119", modern)
            .tls13(&hello(8).tls13()),
    );

    all.push(mutual(
        town.between("10.2.0.5:40001", "10.2.0.4:9443"),
        &api,
        &root,
    ));
    all.push(starttls(
        town.between("10.2.0.6:40002", "10.2.0.25:25"),
        &root,
    ));
    all.push(tunnelled(
        town.between("10.2.0.7:40003", "10.2.0.80:3128"),
        &api,
    ));
    all.push(
        town.between("[2001:db8::5]:40004", "[2001:db8::4]:443")
            .tls12(&hello(12).sni("six.example"), &chain("six.example", &root)),
    );
    all.push(
        town.between("10.2.0.8:40005", "10.2.0.44:443")
            .tls12(&hello(13).sni("10.2.0.44"), &chain("ten.example", &root)),
    );
    // Records in pieces, and a chain that fills several segments.
    let long: Vec<Vec<u8>> = (0..12)
        .map(|n| Certificate::new("long.example").number(n).self_signed().der)
        .collect();
    all.push(pieces(
        town.between("10.2.0.9:40006", "10.2.0.45:443"),
        &long,
    ));
    // Not TLS, and nothing to tell of.
    all.push(
        town.between("10.2.0.10:40007", "10.2.0.81:80")
            .client(b"GET / HTTP/1.1\r\nHost: plain.example\r\n\r\n")
            .server(
                &[
                    &b"HTTP/1.1 200 OK\r\n\r\n"[..],
                    &Random::quiet(3).bytes(3000),
                ]
                .concat(),
            )
            .fin(),
    );
    all.into_iter().map(Conversation::segments).collect()
}

/// How many of the conversations are TLS.
pub const FLOWS: usize = 14;

/// A chain for `name` below `root`.
pub fn chain(name: &str, root: &Issued) -> Vec<Vec<u8>> {
    let leaf = Certificate::new(name).names(&[name]).signed_by(root);
    vec![leaf.der, root.der.clone()]
}

/// A hello with a random of its own.
pub fn hello(number: u8) -> ClientHello {
    ClientHello {
        random: [number; 32],
        ..ClientHello::new()
    }
}

struct Town {
    at: i64,
}

impl Town {
    fn between(&mut self, client: &str, server: &str) -> Conversation {
        self.at += 3_000_000;
        Conversation::between(client, server).at(self.at).syn()
    }
}

/// A session that is resumed later, and the protocol chosen in it.
fn session(conversation: Conversation, chain: &[Vec<u8>]) -> Conversation {
    let chosen = tls::with_len16(&tls::with_len8(b"h2"));
    let flight = [
        ServerHello::new()
            .session(SESSION)
            .extension(tls::ALPN, chosen)
            .message(),
        tls::certificate(chain),
        tls::server_key_exchange(),
        tls::server_hello_done(),
    ];
    let key = tls::record(HANDSHAKE, &tls::client_key_exchange());
    let ticket = tls::record(HANDSHAKE, &tls::new_session_ticket(&[0x71; 160]));
    let finished = [tls::change_cipher_spec(), tls::finished()].concat();
    conversation
        .client(
            &hello(1)
                .sni("api.example")
                .alpn(&["h2", "http/1.1"])
                .record(),
        )
        .server(&tls::record(HANDSHAKE, &flight.concat()))
        .client(&[&key[..], &finished].concat())
        .server(&[ticket, finished].concat())
        .data()
}

/// The session that is resumed.
const SESSION: &[u8] = &[0x11; 32];

/// Both sides show certificates.
fn mutual(conversation: Conversation, chain: &[Vec<u8>], root: &Issued) -> Conversation {
    let own = Certificate::new("client 7").signed_by(root);
    let flight = [
        ServerHello::new().message(),
        tls::certificate(chain),
        tls::server_key_exchange(),
        tls::certificate_request(),
        tls::server_hello_done(),
    ];
    let answer = [
        tls::certificate(&[own.der]),
        tls::client_key_exchange(),
        tls::message(15, &[&[4, 3][..], &tls::with_len16(&[0x42; 70])].concat()),
    ];
    conversation
        .client(&hello(9).sni("api.example").record())
        .server(&tls::record(HANDSHAKE, &flight.concat()))
        .client(
            &[
                tls::record(HANDSHAKE, &answer.concat()),
                tls::change_cipher_spec(),
                tls::finished(),
            ]
            .concat(),
        )
        .server(&[tls::change_cipher_spec(), tls::finished()].concat())
        .data()
}

/// A mail that turns to TLS half-way (RFC 3207).
fn starttls(conversation: Conversation, root: &Issued) -> Conversation {
    conversation
        .server(b"220 mail.example ESMTP\r\n")
        .client(b"EHLO client.example\r\n")
        .server(b"250-mail.example\r\n250-STARTTLS\r\n250 8BITMIME\r\n")
        .client(b"STARTTLS\r\n")
        .server(b"220 2.0.0 Ready\r\n")
        .tls12(&hello(10).sni("mail.example"), &chain("mail.example", root))
}

/// Through a proxy (RFC 9110, section 9.3.6).
fn tunnelled(conversation: Conversation, chain: &[Vec<u8>]) -> Conversation {
    conversation
        .client(b"CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\r\n")
        .server(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .tls12(&hello(11).sni("api.example"), chain)
}

/// A server that cuts its messages into records as it likes, and a client that goes away.
fn pieces(conversation: Conversation, chain: &[Vec<u8>]) -> Conversation {
    let flight = [
        ServerHello::new().message(),
        tls::certificate(chain),
        tls::server_key_exchange(),
        tls::server_hello_done(),
    ];
    conversation
        .client(&tls::records(
            HANDSHAKE,
            &hello(14).sni("long.example").message(),
            50,
        ))
        .server(&tls::records(HANDSHAKE, &flight.concat(), 333))
        .client(&tls::fatal_alert(tls::BAD_CERTIFICATE))
        .rst(Side::Client)
}
