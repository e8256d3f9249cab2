//! The status of a server's first HTTP response: HTTP/1 (RFC 9112, section 4) and HTTP/2 (RFC 9113, section 8.3.2).
//!
//! Only the number is kept. Interim responses (1xx) are passed over; what does not begin like a response has no status.

/// The first bytes of what a server sent, until the status is known.
#[derive(Default)]
pub(crate) struct Response {
    state: State,
}

#[derive(Default)]
enum State {
    #[default]
    Empty,
    /// Not known yet; what came so far.
    Reading(Vec<u8>),
    Known(u16),
    /// No HTTP, or too much of it without a status.
    Unknown,
}

/// What the bytes so far say.
enum Answer {
    NotYet,
    Status(u16),
    Never,
}

impl Response {
    /// Takes the next bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let mut head = match std::mem::take(&mut self.state) {
            State::Empty => Vec::new(),
            State::Reading(head) => head,
            settled => {
                self.state = settled;
                return;
            }
        };
        let room = MAX_HEAD_LEN.saturating_sub(head.len());
        head.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        let answer = if may_be_http1(&head) {
            http1(&head)
        } else {
            http2(&head)
        };
        self.state = match answer {
            Answer::Status(status) => State::Known(status),
            Answer::NotYet if head.len() < MAX_HEAD_LEN => State::Reading(head),
            Answer::NotYet | Answer::Never => State::Unknown,
        };
    }

    pub(crate) fn status(&self) -> Option<u16> {
        match self.state {
            State::Known(status) => Some(status),
            _ => None,
        }
    }
}

fn may_be_http1(head: &[u8]) -> bool {
    let len = head.len().min(HTTP1.len());
    head.get(..len) == HTTP1.get(..len)
}

/// `HTTP/1.1 502 Bad Gateway`, after any number of interim responses.
fn http1(head: &[u8]) -> Answer {
    let mut rest = head;
    loop {
        // `HTTP/1.x`, a space, three digits.
        let Some(line) = rest.get(..12) else {
            return if may_be_http1(rest) {
                Answer::NotYet
            } else {
                Answer::Never
            };
        };
        let status = line
            .strip_prefix(HTTP1)
            .and_then(|line| line.get(1..)?.strip_prefix(b" "))
            .and_then(digits);
        match status {
            None => return Answer::Never,
            Some(status) if status >= 200 => return Answer::Status(status),
            Some(_) => {}
        }
        let end = rest.windows(4).position(|four| four == b"\r\n\r\n");
        let Some(after) = end.and_then(|end| rest.get(end + 4..)) else {
            return Answer::NotYet;
        };
        rest = after;
    }
}

/// Frames up to the first block of headers with a final status. A server's first frame is SETTINGS (RFC 9113, section 3.4).
fn http2(head: &[u8]) -> Answer {
    let mut rest = head;
    let mut is_first = true;
    while let Some((header, after)) = rest.split_first_chunk::<9>() {
        let [high, mid, low, kind, flags, stream @ ..] = *header;
        let len = u32::from_be_bytes([0, high, mid, low]);
        if is_first && (kind != SETTINGS || stream != [0; 4]) {
            return Answer::Never;
        }
        is_first = false;
        let Some((body, next)) = usize::try_from(len)
            .ok()
            .and_then(|len| after.split_at_checked(len))
        else {
            // The status stands at the beginning of a block.
            return match (kind, status_in_block(after, flags)) {
                (HEADERS, Some(status)) if status >= 200 => Answer::Status(status),
                _ => Answer::NotYet,
            };
        };
        if kind == HEADERS {
            match status_in_block(body, flags) {
                None => return Answer::Never,
                Some(status) if status >= 200 => return Answer::Status(status),
                Some(_) => {}
            }
        }
        rest = next;
    }
    if head.len() >= 4 && is_first && head.get(3) != Some(&SETTINGS) {
        return Answer::Never;
    }
    Answer::NotYet
}

/// The `:status` at the front of a block of headers, as HPACK packs it (RFC 7541, sections 6 and 6.3).
fn status_in_block(body: &[u8], flags: u8) -> Option<u16> {
    let skipped = usize::from(flags & PADDED != 0) + if flags & PRIORITY != 0 { 5 } else { 0 };
    let mut block = body.get(skipped..)?;
    // Updates of the table's size, each of one byte or with a continuation.
    while let Some((first, rest)) = block
        .split_first()
        .filter(|(first, _)| *first & 0xe0 == 0x20)
    {
        block = rest;
        if first & 0x1f == 0x1f {
            let end = block.iter().position(|byte| byte & 0x80 == 0)?;
            block = block.get(end + 1..)?;
        }
    }
    let (first, rest) = block.split_first()?;
    // The static table (RFC 7541, appendix A) has these whole, and the name alone at 8 to 14.
    match first {
        0x88 => return Some(200),
        0x89 => return Some(204),
        0x8a => return Some(206),
        0x8b => return Some(304),
        0x8c => return Some(400),
        0x8d => return Some(404),
        0x8e => return Some(500),
        0x48..=0x4e | 0x08..=0x0e | 0x18..=0x1e => {}
        _ => return None,
    }
    let (len, value) = rest.split_first()?;
    let value = value.get(..usize::from(len & 0x7f))?;
    if len & 0x80 == 0 {
        return (value.len() == 3).then(|| digits(value))?;
    }
    huffman_digits(value)
}

/// Three digits in the code of HPACK (RFC 7541, appendix B): `0` to `2` in five bits, `3` to `9` in six.
fn huffman_digits(value: &[u8]) -> Option<u16> {
    let mut bits = value
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1));
    let mut status = 0;
    for _ in 0..3 {
        let mut code = 0;
        for _ in 0..5 {
            code = code << 1 | bits.next()?;
        }
        let digit = match code {
            0..=2 => code,
            _ => (code << 1 | bits.next()?).checked_sub(0x16)?,
        };
        if digit > 9 {
            return None;
        }
        status = status * 10 + u16::from(digit);
    }
    Some(status)
}

fn digits(text: &[u8]) -> Option<u16> {
    let text: &[u8; 3] = text.first_chunk()?;
    let number = text.iter().try_fold(0, |number: u16, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u16::from(digit - b'0'))
    })?;
    (100..=599).contains(&number).then_some(number)
}

const HTTP1: &[u8] = b"HTTP/1.";
const SETTINGS: u8 = 4;
const HEADERS: u8 = 1;
const PADDED: u8 = 0x08;
const PRIORITY: u8 = 0x20;
/// More than headers have.
const MAX_HEAD_LEN: usize = 32 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn status(bytes: &[u8]) -> Option<u16> {
        let mut response = Response::default();
        response.push(bytes);
        for size in 1..bytes.len() {
            let mut pieces = Response::default();
            for piece in bytes.chunks(size) {
                pieces.push(piece);
            }
            assert_eq!(pieces.status(), response.status(), "in pieces of {size}");
        }
        response.status()
    }

    fn frame(kind: u8, flags: u8, stream: u8, body: &[u8]) -> Vec<u8> {
        let len = u8::try_from(body.len()).unwrap();
        [&[0, 0, len, kind, flags, 0, 0, 0, stream], body].concat()
    }

    #[test]
    fn http1_says_its_status_in_the_first_line() {
        assert_eq!(
            status(b"HTTP/1.1 502 Bad Gateway\r\nServer: x\r\n\r\n"),
            Some(502)
        );
        assert_eq!(status(b"HTTP/1.0 200 OK\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.1 abc\r\n\r\n"), None);
        assert_eq!(status(b"220 mail.example ESMTP\r\n"), None);
        assert_eq!(status(b""), None);
    }

    #[test]
    fn an_interim_response_is_not_the_answer() {
        let bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 404 No\r\n";
        assert_eq!(status(bytes), Some(404));
    }

    #[test]
    fn http2_says_it_in_the_first_block_of_headers() {
        let settings = frame(4, 0, 0, &[0, 3, 0, 0, 0, 100]);
        for (block, expected) in [
            (&[0x88][..], 200),
            (&[0x8d, 0x76], 404),
            // A literal with an indexed name, plain and packed (RFC 7541, appendix C.5.1 and C.6.1).
            (&[0x48, 3, b'3', b'0', b'2'], 302),
            (&[0x48, 0x82, 0x64, 0x02], 302),
            (&[0x08, 3, b'5', b'0', b'2'], 502),
            (&[0x20, 0x3f, 0xe1, 0x1f, 0x8e], 500),
        ] {
            let bytes = [settings.clone(), frame(1, 4, 1, block)].concat();
            assert_eq!(status(&bytes), Some(expected), "{block:x?}");
        }
        let padded = [
            settings.clone(),
            frame(1, 0x2c, 1, &[1, 0, 0, 0, 0, 7, 0x88, 0]),
        ]
        .concat();
        assert_eq!(status(&padded), Some(200));
        assert_eq!(status(&settings), None);
        assert_eq!(status(&frame(1, 4, 1, &[0x88])), None);
    }

    #[test]
    fn every_status_is_read_in_the_code_of_hpack() {
        let codes: [(u16, usize); 10] = [
            (0, 5),
            (1, 5),
            (2, 5),
            (0x19, 6),
            (0x1a, 6),
            (0x1b, 6),
            (0x1c, 6),
            (0x1d, 6),
            (0x1e, 6),
            (0x1f, 6),
        ];
        for number in 100..=599_u16 {
            let mut bits = String::new();
            for digit in number.to_string().bytes() {
                let (code, len) = codes[usize::from(digit - b'0')];
                bits += &format!("{code:0width$b}", width = len);
            }
            while !bits.len().is_multiple_of(8) {
                bits.push('1');
            }
            let value: Vec<u8> = bits
                .as_bytes()
                .chunks(8)
                .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
                .collect();
            assert_eq!(huffman_digits(&value), Some(number));
        }
    }
}
