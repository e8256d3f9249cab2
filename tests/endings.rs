//! How connections begin and end, and what may be said of that: an end is no refusal, and what
//! the capture lost was not left unsaid.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

#[path = "support/run.rs"]
mod run;
mod support;

use serde_json::Value;

use run::told;
use support::capture::Pcap;
use support::certificate::Certificate;
use support::conversation::{Conversation, Segment, Segments as _, Side};
use support::packet::{Link, Packets as _};
use support::tls::{ClientHello, Tls as _};

fn flows(segments: Vec<Segment>) -> Vec<Value> {
    let frames = segments.packets().on(&Link::Ethernet);
    told(Pcap::new().write(&Link::Ethernet, &frames)).flows()
}

fn only(segments: Vec<Segment>) -> Value {
    let mut flows = flows(segments);
    assert_eq!(flows.len(), 1, "{flows:#?}");
    flows.remove(0)
}

fn default_chain() -> Vec<Vec<u8>> {
    vec![Certificate::new("localhost").self_signed().der]
}

fn conversation() -> Conversation {
    Conversation::between("10.1.0.5:50112", "10.1.0.4:443")
}

#[test]
fn what_the_capture_lost_before_a_fin_was_not_left_unsaid() {
    let flow = only(
        conversation()
            .syn()
            .tls12_to_certificate(&ClientHello::new(), &default_chain())
            .misses(Side::Client, 400)
            .fin()
            .segments(),
    );
    assert_eq!(flow["tlstriage"]["evidence"]["reasons"][0], "gap");
    assert_eq!(flow["rule"]["id"], "capture.insufficient", "{flow:#}");
}

#[test]
fn data_that_is_captured_behind_its_fin_is_heard() {
    let mut segments = conversation()
        .syn()
        .tls12_to_certificate(&ClientHello::new(), &default_chain())
        .client(&support::tls::fatal_alert(48))
        .fin()
        .segments();
    // The alert, its ACK, and the FINs: the alert goes to the end.
    let alert = segments.remove(segments.len() - 5);
    segments.push(alert);
    let flow = only(segments);
    assert_eq!(flow["tlstriage"]["alert"]["name"], "unknown_ca", "{flow:#}");
    assert_eq!(flow["tlstriage"]["evidence"]["grade"], "complete");
}
