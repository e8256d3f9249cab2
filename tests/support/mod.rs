//! The small language in which tests tell their stories: conversations, hellos, certificates,
//! and the captures that hold them.
//!
//! Everything here is made by hand from the standards and knows nothing of the library, so that
//! an error of the library cannot hide behind the same error here.
//!
//! ```ignore
//! let mut random = Random::new(7);
//! let frames = Conversation::between("10.1.0.5:50112", "10.1.0.4:443")
//!     .syn()
//!     .client(&record(HANDSHAKE, &ClientHello::new().sni("api.example").message()))
//!     .fin()
//!     .segments()
//!     .recut(100)
//!     .reordered(4, &mut random)
//!     .packets()
//!     .through(&Tunnel::Vxlan(7))
//!     .on(&Link::Ethernet);
//! let capture = Pcap::new().write(&Link::Ethernet, &frames);
//! ```

#![expect(
    dead_code,
    unreachable_pub,
    reason = "each test file has a copy of its own and uses a part"
)]
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails loudly"
)]

pub mod capture;
pub mod certificate;
pub mod conversation;
pub mod packet;
pub mod random;
pub mod shuffle;
pub mod tls;
pub mod town;
