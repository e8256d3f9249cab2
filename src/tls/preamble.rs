//! What two sides may say in plaintext before TLS: proxies' headers, and the commands that start TLS.
//!
//! Nothing here follows a protocol: the first bytes of a direction tell which one is spoken, and the observer looks for the
//! hello in all that comes. What the head of each direction says about names and addresses is read at the end,
//! so that it cannot depend on how the bytes were cut into segments.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::tls::reader::Reader;

/// A protocol that was spoken before TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// FTP, `AUTH TLS` (RFC 4217).
    Ftp,
    /// HTTP `CONNECT` (RFC 9110, section 9.3.6).
    HttpConnect,
    /// IMAP, `STARTTLS` (RFC 9051, section 6.2.1).
    Imap,
    /// IRC, `STARTTLS`.
    Irc,
    /// LDAP, the extended operation 1.3.6.1.4.1.1466.20037 (RFC 4511, section 4.14).
    Ldap,
    /// MySQL and MariaDB, the SSL request packet.
    Mysql,
    /// NNTP, `STARTTLS` (RFC 4642).
    Nntp,
    /// POP3, `STLS` (RFC 2595, section 4).
    Pop3,
    /// PostgreSQL, the SSLRequest message.
    Postgresql,
    /// The PROXY protocol, text form.
    ProxyV1,
    /// The PROXY protocol, binary form.
    ProxyV2,
    /// RDP: an X.224 connection request in TPKT (MS-RDPBCGR, section 2.2.1.1).
    Rdp,
    /// ManageSieve, `STARTTLS` (RFC 5804, section 2.2).
    Sieve,
    /// SMTP and LMTP, `STARTTLS` (RFC 3207).
    Smtp,
    /// SOCKS 4 and 4a.
    Socks4,
    /// SOCKS 5 (RFC 1928).
    Socks5,
    /// XMPP, `starttls` (RFC 6120, section 5).
    Xmpp,
    /// Plaintext that nobody here knows, with a hello at the start of a segment.
    Unknown,
}

impl Protocol {
    /// The word of the output.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ftp => "ftp",
            Self::HttpConnect => "http-connect",
            Self::Imap => "imap",
            Self::Irc => "irc",
            Self::Ldap => "ldap",
            Self::Mysql => "mysql",
            Self::Nntp => "nntp",
            Self::Pop3 => "pop3",
            Self::Postgresql => "postgresql",
            Self::ProxyV1 => "proxy-v1",
            Self::ProxyV2 => "proxy-v2",
            Self::Rdp => "rdp",
            Self::Sieve => "sieve",
            Self::Smtp => "smtp",
            Self::Socks4 => "socks4",
            Self::Socks5 => "socks5",
            Self::Xmpp => "xmpp",
            Self::Unknown => "unknown",
        }
    }
}

/// What came before TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preamble {
    /// The protocol; of several one inside the other, the outermost.
    pub protocol: Protocol,
    /// The client that a PROXY header names: address and port.
    pub client: Option<String>,
    /// The server that a PROXY header names: address and port.
    pub server: Option<String>,
    /// Where CONNECT or SOCKS was asked to lead: host and port.
    pub target: Option<String>,
}

/// What the first bytes of a direction say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recognition {
    /// They are of this protocol (or one that begins alike: [`describe`] looks closer).
    Known(Protocol),
    /// They may become one.
    NotYet,
    /// They are none.
    Unknown,
}

/// The beginnings that may be that of `head` by its first byte: most segments begin with that of none.
fn starts_like(head: &[u8]) -> impl Iterator<Item = (&'static [u8], Protocol)> {
    let first = head.first();
    let is_any_alike = first.is_none_or(|first| {
        let from_there = FIRST_BYTES.checked_shr((*first).into());
        from_there.is_some_and(|bits| bits & 1 == 1)
    });
    let is_alike = move |start: &[u8]| first.is_none() || start.first() == first;
    let starts: &[_] = if is_any_alike { STARTS } else { &[] };
    let starts = starts.iter().copied();
    starts.filter(move |(start, _)| is_alike(start))
}

/// Which protocol begins with `head`, told by four bytes or more that no ciphertext is likely to have.
pub(crate) fn recognise_text(head: &[u8]) -> Recognition {
    let mut found = Recognition::Unknown;
    for (start, protocol) in starts_like(head).filter(|(start, _)| start.len() >= 4) {
        if head.starts_with(start) {
            return Recognition::Known(protocol);
        }
        if start.starts_with(head) {
            found = Recognition::NotYet;
        }
    }
    found
}

/// Which protocol begins with `head`.
pub(crate) fn recognise(head: &[u8]) -> Recognition {
    let text = match recognise_text(head) {
        Recognition::Unknown => {
            let short = starts_like(head).find(|(start, _)| head.starts_with(start));
            short.map_or(Recognition::Unknown, |(_, protocol)| {
                Recognition::Known(protocol)
            })
        }
        found => found,
    };
    let binary = match head.first() {
        None => Recognition::NotYet,
        Some(0x03) => rdp(head),
        Some(0x04) => socks4(head),
        Some(0x05) => socks5(head),
        Some(0x30) => ldap(head),
        Some(_) => mysql(head),
    };
    match (text, binary) {
        (Recognition::Known(protocol), _) | (_, Recognition::Known(protocol)) => {
            Recognition::Known(protocol)
        }
        (Recognition::NotYet, _) | (_, Recognition::NotYet) => Recognition::NotYet,
        _ => Recognition::Unknown,
    }
}

fn matching(right: bool, enough: bool, protocol: Protocol) -> Recognition {
    match (right, enough) {
        (false, _) => Recognition::Unknown,
        (true, false) => Recognition::NotYet,
        (true, true) => Recognition::Known(protocol),
    }
}

/// TPKT version 3, then an X.224 connection request or confirm.
fn rdp(head: &[u8]) -> Recognition {
    let right = head.get(1).is_none_or(|reserved| *reserved == 0)
        && head.get(5).is_none_or(|code| matches!(*code, 0xe0 | 0xd0));
    matching(right, head.len() >= 6, Protocol::Rdp)
}

fn socks4(head: &[u8]) -> Recognition {
    let right = head.get(1).is_none_or(|command| matches!(*command, 1 | 2))
        && head.get(2..4).is_none_or(|port| port != [0, 0]);
    matching(right, head.len() >= 8, Protocol::Socks4)
}

/// A client's greeting: as many methods as it counts.
fn socks5(head: &[u8]) -> Recognition {
    let Some(count) = head.get(1) else {
        return Recognition::NotYet;
    };
    let methods = head.get(2..).unwrap_or_default();
    let methods = methods.get(..usize::from(*count)).unwrap_or(methods);
    let right = *count > 0 && methods.iter().all(|method| *method < 10 || *method >= 0x80);
    matching(
        right,
        methods.len() == usize::from(*count),
        Protocol::Socks5,
    )
}

/// A sequence that holds a message id and one of the operations that may come first.
fn ldap(head: &[u8]) -> Recognition {
    let long = match head.get(1) {
        None => return Recognition::NotYet,
        Some(len @ 0x81..=0x84) => usize::from(*len & 0x0f),
        Some(0..=0x7f) => 0,
        Some(_) => return Recognition::Unknown,
    };
    let mut reader = Reader::new(head.get(2..).unwrap_or_default());
    if reader.take(long).is_none() {
        return Recognition::NotYet;
    }
    let (tag, len) = (reader.u8(), reader.u8());
    if tag.is_some_and(|tag| tag != 2) || len.is_some_and(|len| !(1..=4).contains(&len)) {
        return Recognition::Unknown;
    }
    let operation = len
        .and_then(|len| reader.take(usize::from(len)))
        .and_then(|_| reader.u8());
    match operation {
        None => Recognition::NotYet,
        Some(0x60 | 0x61 | 0x63..=0x65 | 0x77 | 0x78) => Recognition::Known(Protocol::Ldap),
        Some(_) => Recognition::Unknown,
    }
}

/// A server's greeting: packet header, number 0, protocol 10, and a version that begins with a digit.
fn mysql(head: &[u8]) -> Recognition {
    let right = head.get(2).is_none_or(|high| *high == 0)
        && head.get(3).is_none_or(|number| *number == 0)
        && head.get(4).is_none_or(|protocol| *protocol == 10)
        && head.get(5).is_none_or(u8::is_ascii_digit);
    matching(right, head.len() >= 6, Protocol::Mysql)
}

/// What the heads of both directions say together; `client` is the head of the side that sent the ClientHello.
pub(crate) fn describe(client: &[u8], server: &[u8]) -> Preamble {
    let known = |head| match recognise(head) {
        Recognition::Known(protocol) => Some(protocol),
        Recognition::NotYet | Recognition::Unknown => None,
    };
    let by_client = (!client.is_empty()).then(|| known(client)).flatten();
    let by_server = (!server.is_empty()).then(|| known(server)).flatten();
    let mut preamble = Preamble {
        protocol: by_client.or(by_server).unwrap_or(Protocol::Unknown),
        client: None,
        server: None,
        target: None,
    };
    match preamble.protocol {
        Protocol::ProxyV1 => read_proxy_v1(client, &mut preamble),
        Protocol::ProxyV2 => read_proxy_v2(client, &mut preamble),
        Protocol::HttpConnect => {
            preamble.target = word(client, 1);
        }
        Protocol::Socks4 => preamble.target = socks4_target(client),
        Protocol::Socks5 => preamble.target = socks5_target(client, server),
        // What the client says first is shared by many; the server's greeting is not.
        Protocol::Smtp | Protocol::Irc | Protocol::Pop3 | Protocol::Imap => {
            preamble.protocol = by_server.unwrap_or(preamble.protocol);
            let commands = client.to_ascii_uppercase();
            if preamble.protocol == Protocol::Smtp
                && commands
                    .split(|byte| *byte == b'\n')
                    .any(|line| line.starts_with(b"AUTH TLS") || line.starts_with(b"AUTH SSL"))
            {
                preamble.protocol = Protocol::Ftp;
            }
        }
        _ => {}
    }
    preamble
}

/// The word at place `index` of the first line, if it is plain ASCII.
fn word(head: &[u8], index: usize) -> Option<String> {
    let line = head.split(|byte| *byte == b'\r' || *byte == b'\n').next()?;
    let word = line.split(|byte| *byte == b' ').nth(index)?;
    let plain = !word.is_empty() && word.iter().all(u8::is_ascii_graphic);
    plain.then(|| String::from_utf8_lossy(word).into_owned())
}

/// `PROXY TCP4 source destination source-port destination-port`.
fn read_proxy_v1(head: &[u8], preamble: &mut Preamble) {
    let (Some(source), Some(destination), Some(from), Some(to)) =
        (word(head, 2), word(head, 3), word(head, 4), word(head, 5))
    else {
        return;
    };
    preamble.client = endpoint(&source, &from);
    preamble.server = endpoint(&destination, &to);
}

fn endpoint(address: &str, port: &str) -> Option<String> {
    let port: u16 = port.parse().ok()?;
    if let Ok(address) = address.parse::<Ipv4Addr>() {
        return Some(format!("{address}:{port}"));
    }
    let address = address.parse::<Ipv6Addr>().ok()?;
    Some(format!("[{address}]:{port}"))
}

/// Signature 12, version and command, family, length 2, addresses.
fn read_proxy_v2(head: &[u8], preamble: &mut Preamble) {
    let mut reader = Reader::new(head);
    let (Some(_), Some(_), Some(family), Some(body)) = (
        reader.take(12),
        reader.u8(),
        reader.u8(),
        reader.vec16_or_rest(),
    ) else {
        return;
    };
    let mut body = Reader::new(body);
    let (source, destination) = match family >> 4 {
        1 => (body.array().map(v4), body.array().map(v4)),
        2 => (body.array().map(v6), body.array().map(v6)),
        _ => return,
    };
    let (Some(source), Some(destination), Some(from), Some(to)) =
        (source, destination, body.u16(), body.u16())
    else {
        return;
    };
    preamble.client = Some(format!("{source}:{from}"));
    preamble.server = Some(format!("{destination}:{to}"));
}

fn v4(bytes: [u8; 4]) -> String {
    Ipv4Addr::from(bytes).to_string()
}

fn v6(bytes: [u8; 16]) -> String {
    format!("[{}]", Ipv6Addr::from(bytes))
}

/// Version, command, port 2, address 4, user, zero; in 4a the address is 0.0.0.x and a name follows.
fn socks4_target(head: &[u8]) -> Option<String> {
    let mut reader = Reader::new(head);
    reader.u16()?;
    let port = reader.u16()?;
    let address: [u8; 4] = reader.array()?;
    if matches!(address, [0, 0, 0, last] if last > 0) {
        let mut parts = reader.rest().split(|byte| *byte == 0);
        let name = parts.nth(1)?;
        parts.next()?;
        return host(name, port);
    }
    Some(format!("{}:{port}", Ipv4Addr::from(address)))
}

/// Greeting, user and password where the server asked for them (RFC 1929), request.
fn socks5_target(client: &[u8], server: &[u8]) -> Option<String> {
    let mut reader = Reader::new(client);
    reader.u8()?;
    reader.vec8()?;
    let asked = server.get(1) == Some(&2);
    if asked || (server.is_empty() && reader.rest().first() == Some(&1)) {
        reader.u8()?;
        reader.vec8()?;
        reader.vec8()?;
    }
    let [5, 1, 0, kind] = reader.array()? else {
        return None;
    };
    let address = match kind {
        1 => v4(reader.array()?),
        4 => v6(reader.array()?),
        3 => {
            let name = reader.vec8()?;
            return host(name, reader.u16()?);
        }
        _ => return None,
    };
    Some(format!("{address}:{}", reader.u16()?))
}

fn host(name: &[u8], port: u16) -> Option<String> {
    let plain = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    plain.then(|| format!("{}:{port}", String::from_utf8_lossy(name)))
}

/// What the first bytes of a direction are, by text or by fixed bytes.
const STARTS: &[(&[u8], Protocol)] = &[
    (b"PROXY ", Protocol::ProxyV1),
    (b"\r\n\r\n\0\r\nQUIT\n", Protocol::ProxyV2),
    (b"CONNECT ", Protocol::HttpConnect),
    (b"220 ", Protocol::Smtp),
    (b"220-", Protocol::Smtp),
    (b"EHLO ", Protocol::Smtp),
    (b"ehlo ", Protocol::Smtp),
    (b"HELO ", Protocol::Smtp),
    (b"helo ", Protocol::Smtp),
    (b"LHLO ", Protocol::Smtp),
    (b"* OK", Protocol::Imap),
    (b"* PREAUTH", Protocol::Imap),
    (b"+OK ", Protocol::Pop3),
    (b"+OK\r", Protocol::Pop3),
    (b"CAPA", Protocol::Pop3),
    (b"STLS", Protocol::Pop3),
    (b"AUTH TLS", Protocol::Ftp),
    (b"AUTH SSL", Protocol::Ftp),
    (b"<?xml", Protocol::Xmpp),
    (b"<stream:", Protocol::Xmpp),
    (b"\0\0\0\x08\x04\xd2\x16\x2f", Protocol::Postgresql),
    (b"200 ", Protocol::Nntp),
    (b"201 ", Protocol::Nntp),
    (b"\"IMPLEMENTATION\"", Protocol::Sieve),
    (b"CAP ", Protocol::Irc),
    (b"NICK ", Protocol::Irc),
    (b"STARTTLS", Protocol::Irc),
    (b":", Protocol::Irc),
];
/// With what they begin, a bit for each byte of ASCII.
const FIRST_BYTES: u128 = {
    let mut bits = 0;
    let mut rest = STARTS;
    while let [(start, _), behind @ ..] = rest {
        if let [first @ ..=0x7f, ..] = *start {
            bits |= 1 << *first;
        }
        rest = behind;
    }
    bits
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beginning_is_found_by_its_first_byte() {
        for (start, _) in STARTS {
            assert!(start.first().is_some_and(u8::is_ascii));
            assert_ne!(recognise(start), Recognition::Unknown, "{start:?}");
            assert_ne!(recognise(&start[..1]), Recognition::Unknown, "{start:?}");
        }
        assert_eq!(recognise(b"GET / HTTP/1.1\r\n"), Recognition::Unknown);
        assert_eq!(recognise(&[0xff; 16]), Recognition::Unknown);
    }
}
