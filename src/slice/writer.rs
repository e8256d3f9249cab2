//! Writes a pcapng (draft-ietf-opsawg-pcapng, section 4): one section, an interface for each one that
//! packets come from, and a comment with each packet.

use std::collections::HashMap;
use std::io::{self, Write};

use crate::capture::LinkType;
use crate::time::{Precision, Timestamp};

/// Where an interface comes from: a file, and its index there.
type Origin = (usize, u32);

/// A pcapng that is being written.
pub(crate) struct Writer<W> {
    place: W,
    interfaces: HashMap<Origin, u32>,
    body: Vec<u8>,
}

/// What is written of an interface.
pub(crate) struct Description<'a> {
    pub(crate) link_type: LinkType,
    pub(crate) precision: Precision,
    pub(crate) name: Option<&'a str>,
    pub(crate) file: &'a str,
}

/// What is written of a packet.
pub(crate) struct Packet<'a> {
    pub(crate) time: Timestamp,
    pub(crate) precision: Precision,
    pub(crate) data: &'a [u8],
    pub(crate) original_len: u32,
    pub(crate) comment: &'a str,
}

impl<W: Write> Writer<W> {
    /// Begins the section with a word about it.
    pub(crate) fn new(place: W, comment: &str) -> io::Result<Self> {
        let mut writer = Self {
            place,
            interfaces: HashMap::new(),
            body: Vec::new(),
        };
        writer.word(BYTE_ORDER);
        writer.half(1);
        writer.half(0);
        // The length of the section is not known.
        writer.body.extend_from_slice(&[0xff; 8]);
        writer.option(OPT_COMMENT, comment.as_bytes());
        let name = concat!("tlstriage ", env!("CARGO_PKG_VERSION"));
        writer.option(SHB_USERAPPL, name.as_bytes());
        writer.end(SECTION_HEADER)?;
        Ok(writer)
    }

    /// The number of an interface in this section, which is described when it is first met.
    pub(crate) fn interface(
        &mut self,
        origin: Origin,
        description: &Description<'_>,
    ) -> io::Result<u32> {
        if let Some(number) = self.interfaces.get(&origin) {
            return Ok(*number);
        }
        let number = u32::try_from(self.interfaces.len()).unwrap_or(u32::MAX);
        self.interfaces.insert(origin, number);
        // A type that does not fit names nothing that can be read; it is written as "reserved".
        self.half(u16::try_from(description.link_type.0).unwrap_or(u16::MAX));
        self.half(0);
        // No limit: frames that were cut say so themselves.
        self.word(0);
        if let Some(name) = description.name {
            self.option(IF_NAME, name.as_bytes());
        }
        self.option(IF_DESCRIPTION, description.file.as_bytes());
        self.option(IF_TSRESOL, &[digits(description.precision)]);
        self.end(INTERFACE_DESCRIPTION)?;
        Ok(number)
    }

    /// Writes a packet of an interface.
    pub(crate) fn packet(&mut self, interface: u32, packet: &Packet<'_>) -> io::Result<()> {
        let nanos = u64::try_from(packet.time.as_nanos()).unwrap_or(0);
        let ticks = match packet.precision {
            Precision::Nanoseconds => nanos,
            Precision::Microseconds | Precision::Seconds => nanos / 1000,
        };
        self.word(interface);
        self.word(u32::try_from(ticks >> 32).unwrap_or(u32::MAX));
        self.word(u32::try_from(ticks & u64::from(u32::MAX)).unwrap_or(u32::MAX));
        let len = u32::try_from(packet.data.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.word(len);
        self.word(packet.original_len.max(len));
        self.body.extend_from_slice(packet.data);
        self.pad();
        self.option(OPT_COMMENT, packet.comment.as_bytes());
        self.end(ENHANCED_PACKET)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.place.flush()
    }

    fn half(&mut self, value: u16) {
        self.body.extend_from_slice(&value.to_le_bytes());
    }

    fn word(&mut self, value: u32) {
        self.body.extend_from_slice(&value.to_le_bytes());
    }

    fn option(&mut self, code: u16, value: &[u8]) {
        let value = value.get(..MAX_OPTION_LEN).unwrap_or(value);
        self.half(code);
        self.half(u16::try_from(value.len()).unwrap_or(0));
        self.body.extend_from_slice(value);
        self.pad();
    }

    fn pad(&mut self) {
        let len = self.body.len().next_multiple_of(4);
        self.body.resize(len, 0);
    }

    /// Ends the options, and writes what was gathered as one block.
    fn end(&mut self, kind: u32) -> io::Result<()> {
        self.half(0);
        self.half(0);
        let total = self.body.len().saturating_add(12);
        let total = u32::try_from(total).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.place.write_all(&kind.to_le_bytes())?;
        self.place.write_all(&total.to_le_bytes())?;
        self.place.write_all(&self.body)?;
        self.place.write_all(&total.to_le_bytes())?;
        self.body.clear();
        Ok(())
    }
}

/// `if_tsresol`: how many digits a second has.
const fn digits(precision: Precision) -> u8 {
    match precision {
        Precision::Nanoseconds => 9,
        Precision::Microseconds | Precision::Seconds => 6,
    }
}

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const OPT_COMMENT: u16 = 1;
const SHB_USERAPPL: u16 = 4;
const IF_NAME: u16 = 2;
const IF_DESCRIPTION: u16 = 3;
const IF_TSRESOL: u16 = 9;
/// Far above any text of ours.
const MAX_OPTION_LEN: usize = 4096;
