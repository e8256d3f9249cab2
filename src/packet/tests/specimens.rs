//! One frame for each way that leads to a segment.

use crate::capture::LinkType;
use crate::packet::wire::*;

/// A frame, and what is around its segment: VLAN ids, and tunnels by kind and id.
pub(crate) struct Specimen {
    pub(crate) name: &'static str,
    pub(crate) link_type: LinkType,
    pub(crate) bytes: Vec<u8>,
    pub(crate) vlans: Vec<u16>,
    pub(crate) tunnels: Vec<(&'static str, Option<u64>)>,
}

impl Specimen {
    fn new(name: &'static str, link_type: LinkType, bytes: Vec<u8>) -> Self {
        Self {
            name,
            link_type,
            bytes,
            vlans: Vec::new(),
            tunnels: Vec::new(),
        }
    }

    fn vlans(mut self, ids: &[u16]) -> Self {
        self.vlans = ids.to_vec();
        self
    }

    fn tunnel(mut self, kind: &'static str, id: Option<u64>) -> Self {
        self.tunnels.push((kind, id));
        self
    }
}

pub(crate) fn all_specimens() -> Vec<Specimen> {
    let mut specimens = link_types();
    specimens.extend(below_ip());
    specimens.extend(wireless());
    specimens.extend(ip_headers());
    specimens.extend(ip_tunnels());
    specimens.extend(udp_tunnels());
    specimens
}

fn link_types() -> Vec<Specimen> {
    let raw = |name, number, bytes| Specimen::new(name, LinkType(number), bytes);
    let after = |header: &[u8], bytes: Vec<u8>| all(&[header, &bytes]);
    let mut specimens = vec![
        raw("ethernet", 1, ethernet(0x0800, &packet())),
        raw("ethernet 6", 1, ethernet(0x86dd, &packet_6())),
        raw(
            "ethernet that says 4 and means 6",
            1,
            ethernet(0x0800, &packet_6()),
        ),
        raw("raw 12", 12, packet()),
        raw(
            "raw 12, OpenBSD loopback",
            12,
            after(&[0, 0, 0, 24], packet_6()),
        ),
        raw("raw 14", 14, packet()),
        raw("raw 101", 101, packet_6()),
        raw("raw 228", 228, packet()),
        raw("raw 229", 229, packet_6()),
        raw("ppp", 9, after(&[0xff, 3, 0, 0x21], packet())),
        raw(
            "ppp, nothing compressed away but the framing",
            9,
            after(&[0, 0x57], packet_6()),
        ),
        raw("ppp, all compressed", 9, after(&[0x21], packet())),
        raw("ppp hdlc", 50, after(&[0xff, 3, 0, 0x21], packet())),
        raw("ppp hdlc, Cisco", 50, after(&[0x0f, 0, 8, 0], packet())),
        raw(
            "ppp with direction",
            204,
            after(&[1, 0xff, 3, 0, 0x21], packet()),
        ),
        raw("pppd", 166, after(&[0, 3, 0, 0x21], packet())),
        raw(
            "ppp bridged",
            9,
            after(&[0xff, 3, 0, 0x31, 0, 1], ethernet(0x0800, &packet())),
        ),
        raw(
            "pppoe",
            51,
            after(&[0x11, 0, 0, 9, 0, 80, 0, 0x21], packet()),
        )
        .tunnel("pppoe", Some(9)),
        raw("cisco hdlc", 104, after(&[0x8f, 0, 0x86, 0xdd], packet_6())),
        raw("frame relay", 107, after(&[0x18, 0x41, 3, 0xcc], packet())),
        raw(
            "frame relay 6",
            107,
            after(&[0x18, 0x41, 3, 0, 0x8e], packet_6()),
        ),
        raw(
            "frame relay, snap",
            107,
            after(&[0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0], packet()),
        ),
        raw(
            "frame relay, bridged",
            107,
            after(
                &[0x18, 0x41, 3, 0, 0x80, 0, 0x80, 0xc2, 0, 7],
                ethernet(0x0800, &packet()),
            ),
        ),
        raw(
            "frame relay, Cisco",
            107,
            after(&[0x18, 0x41, 8, 0], packet()),
        ),
        raw(
            "sll",
            113,
            after(&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0], packet()),
        ),
        raw(
            "sll, vlan",
            113,
            after(
                &[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x81, 0],
                tag(7, 0x0800, &packet()),
            ),
        )
        .vlans(&[7]),
        raw(
            "sll2",
            276,
            after(
                &[
                    0x86, 0xdd, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0,
                ],
                packet_6(),
            ),
        ),
        raw(
            "enc",
            109,
            after(&[0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0], packet()),
        ),
        raw(
            "pflog",
            117,
            after(&[&[61, 2][..], &[0; 62]].concat(), packet()),
        ),
        raw(
            "token ring",
            6,
            all(&[
                &[0x10, 0x40, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 7],
                &snap(0x0800, &packet()),
            ]),
        ),
        raw(
            "token ring with a route",
            6,
            all(&[
                &[
                    0x10, 0x40, 1, 2, 3, 4, 5, 6, 0x81, 2, 3, 4, 5, 7, 0x06, 0, 1, 2, 3, 4,
                ],
                &snap(0x0800, &packet()),
            ]),
        ),
        raw(
            "fddi",
            10,
            all(&[
                &[0x50, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 7],
                &snap(0x86dd, &packet_6()),
            ]),
        ),
        raw(
            "fibre channel",
            122,
            all(&[&[0; 16], &snap(0x0800, &packet())]),
        ),
        raw("atm", 100, snap(0x0800, &packet())),
        raw(
            "atm, bridged",
            100,
            after(
                &[0xaa, 0xaa, 3, 0, 0x80, 0xc2, 0, 7, 0, 0],
                ethernet(0x0800, &packet()),
            ),
        ),
        raw("clip", 106, packet()),
        raw("clip, llc", 106, snap(0x0800, &packet())),
        raw(
            "sunatm",
            123,
            all(&[&[2, 0, 0, 1], &snap(0x0800, &packet())]),
        ),
        raw("arcnet", 129, after(&[1, 2, 0, 0, 212, 0, 0, 1], packet())),
        raw("slip", 8, after(&[0; 16], packet())),
        raw(
            "nflog",
            239,
            after(
                &[2, 0, 0, 5, 5, 0, 10, 0, b'x', 0, 0, 0, 0x52, 0, 9, 0],
                packet(),
            ),
        ),
        raw(
            "nflog, big-endian",
            239,
            after(
                &[10, 0, 0, 5, 0, 5, 0, 10, b'x', 0, 0, 0, 0, 0x66, 0, 9],
                packet_6(),
            ),
        ),
        raw(
            "ppi",
            192,
            after(
                &[0, 0, 12, 0, 1, 0, 0, 0, 9, 9, 9, 9],
                ethernet(0x0800, &packet()),
            ),
        ),
        raw(
            "pktap",
            258,
            after(
                &[
                    &[16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0][..],
                    &[0; 4],
                    &[30, 0, 0, 0],
                ]
                .concat(),
                packet_6(),
            ),
        ),
        raw(
            "ipnet",
            226,
            after(&[&[1, 2][..], &[0; 22]].concat(), packet()),
        ),
        raw(
            "ipoib",
            242,
            after(&[&[0; 40][..], &[8, 0, 0, 0]].concat(), packet()),
        ),
        raw(
            "juniper",
            178,
            after(
                &[0x4d, 0x47, 0x43, 0x80, 0, 2, 1, 1],
                ethernet(0x0800, &packet()),
            ),
        ),
        raw(
            "juniper without link layer",
            179,
            after(&[0x4d, 0x47, 0x43, 2, 2, 0, 0, 0], packet()),
        ),
    ];
    for family in [10, 23, 24, 28, 30] {
        specimens.push(raw("null", 0, after(&[family, 0, 0, 0], packet_6())));
        specimens.push(raw("loop", 108, after(&[0, 0, 0, family], packet_6())));
    }
    for header in [[2, 0, 0, 0], [0, 0, 0, 2]] {
        specimens.push(raw("null", 0, after(&header, packet())));
        specimens.push(raw("loop", 108, after(&header, packet())));
    }
    specimens
}

fn below_ip() -> Vec<Specimen> {
    let on = |name, ether_type, bytes: &[u8]| {
        Specimen::new(name, LinkType::ETHERNET, ethernet(ether_type, bytes))
    };
    let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap();
    let llc = snap(0x0800, &packet());
    let mut specimens = vec![
        on("802.3", length(&llc), &llc),
        on(
            "802.3, ip by llc",
            3 + length(&packet()),
            &all(&[&[6, 6, 3], &packet()]),
        ),
        on("vlan and llc", 0x8100, &tag(5, length(&llc), &llc)).vlans(&[5]),
        on(
            "a priority is no vlan",
            0x8100,
            &tag(0xe000, 0x0800, &packet()),
        ),
        on(
            "qinq",
            0x88a8,
            &tag(0xe064, 0x8100, &tag(200, 0x0800, &packet())),
        )
        .vlans(&[100, 200]),
        on(
            "mpls",
            0x8847,
            &all(&[&[0, 1, 0, 64, 0, 2, 1, 64], &packet()]),
        )
        .tunnel("mpls", Some(0x20)),
        on("mpls 6", 0x8848, &all(&[&[0, 2, 1, 64], &packet_6()])).tunnel("mpls", Some(0x20)),
        on(
            "pseudowire with control word",
            0x8847,
            &all(&[&[0, 2, 1, 64, 0, 0, 0, 0], &ethernet(0x0800, &packet())]),
        )
        .tunnel("mpls", Some(0x20)),
        on(
            "pseudowire without control word",
            0x8847,
            &all(&[&[0, 2, 1, 64], &ethernet(0x0800, &packet())]),
        )
        .tunnel("mpls", Some(0x20)),
        on(
            "pseudowire and an address like IPv6",
            0x8847,
            &all(&[
                &[
                    0, 2, 1, 64, 0x60, 1, 2, 3, 0xee, 0xee, 2, 0, 0, 0, 0, 2, 8, 0,
                ],
                &packet(),
            ]),
        )
        .tunnel("mpls", Some(0x20)),
        on(
            "pppoe",
            0x8864,
            &all(&[&[0x11, 0, 1, 2, 0, 80, 0, 0x57], &packet_6()]),
        )
        .tunnel("pppoe", Some(0x0102)),
        on(
            "macsec",
            0x88e5,
            &all(&[&[0, 0, 0, 0, 0, 1, 8, 0], &packet(), &[9; 16]]),
        ),
        on(
            "macsec with channel, and vlan",
            0x88e5,
            &all(&[
                &[0x20, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0x81, 0],
                &tag(3, 0x0800, &packet()),
                &[9; 16],
            ]),
        )
        .vlans(&[3]),
        on(
            "trustsec",
            0x8909,
            &all(&[&[1, 1, 0, 1, 0, 5, 8, 0], &packet()]),
        ),
        on(
            "802.1ah",
            0x88e7,
            &all(&[&[0, 0, 1, 2], &ethernet(0x0800, &packet())]),
        )
        .tunnel("pbb", Some(0x0102)),
        on("802.1cb", 0xf1c1, &all(&[&[0, 0, 0, 1, 8, 0], &packet()])),
        on("vn-tag", 0x8926, &all(&[&[0, 0, 0, 1, 8, 0], &packet()])),
        on(
            "nsh",
            0x894f,
            &all(&[&[0x0f, 0xc2, 1, 1, 0, 0, 7, 255], &packet()]),
        )
        .tunnel("nsh", Some(7)),
        Specimen::new(
            "isl",
            LinkType::ETHERNET,
            all(&[
                &[
                    1, 0, 0x0c, 0, 0, 0, 2, 0, 0, 0, 0, 9, 0, 99, 0xaa, 0xaa, 3, 0, 0, 0x0c, 0, 24,
                ],
                &[0, 0, 0, 0],
                &ethernet(0x0800, &packet()),
            ]),
        )
        .vlans(&[12]),
    ];
    for ether_type in [0x8100, 0x88a8, 0x9100, 0x9200, 0x9300] {
        specimens.push(on("vlan", ether_type, &tag(42, 0x86dd, &packet_6())).vlans(&[42]));
    }
    specimens
}

/// An 802.11 data frame, of this frame control field, with `rest` behind its three addresses.
fn wlan(control: [u8; 2], rest: &[u8]) -> Vec<u8> {
    all(&[
        &control,
        &[0; 2],
        &[2; 18],
        &[0x10, 0],
        rest,
        &snap(0x0800, &packet()),
    ])
}

fn wireless() -> Vec<Specimen> {
    let plain = wlan([0x08, 1], &[]);
    let on = |name, number, bytes| Specimen::new(name, LinkType(number), bytes);
    vec![
        on("802.11", 105, plain.clone()),
        on(
            "802.11, between access points",
            105,
            wlan([0x08, 3], &[0; 6]),
        ),
        on("802.11, quality of service", 105, wlan([0x88, 2], &[0, 0])),
        on(
            "802.11, high throughput",
            105,
            wlan([0x88, 0x82], &[0, 0, 1, 2, 3, 4]),
        ),
        on(
            "802.11, aggregate",
            105,
            wlan([0x88, 2], &all(&[&[0x80, 0], &[2; 12], &[0, 86]])),
        ),
        on("radiotap", 127, all(&[&[0, 0, 8, 0, 0, 0, 0, 0], &plain])),
        on(
            "radiotap, padded",
            127,
            all(&[
                &[0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0],
                &[1; 8],
                &[0x20],
                &wlan([0x88, 2], &[0, 0, 9, 9]),
            ]),
        ),
        on(
            "prism",
            119,
            all(&[&[0x44, 0, 0, 0, 144, 0, 0, 0], &[0; 136], &plain]),
        ),
        on(
            "avs",
            163,
            all(&[&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64], &[0; 56], &plain]),
        ),
        on(
            "ppi, 802.11",
            192,
            all(&[&[0, 0, 8, 0, 105, 0, 0, 0], &plain]),
        ),
    ]
}

fn ip_headers() -> Vec<Specimen> {
    let four = |name, bytes| Specimen::new(name, LinkType::IPV4, bytes);
    let six = |name, next, bytes: &[u8]| Specimen::new(name, LinkType::IPV6, ipv6(next, bytes));
    let segment = tcp(PAYLOAD);
    let mut options = packet();
    options[0] = 0x47;
    options[3] += 8;
    options.splice(20..20, [1; 8]);
    let mut offloaded = packet();
    offloaded[2..4].fill(0);
    let mut offloaded_6 = packet_6();
    offloaded_6[4..6].fill(0);
    let jumbo_len = u32::try_from(segment.len()).unwrap() + 8;
    let mut jumbo = ipv6(
        0,
        &all(&[
            &[6, 0, 0xc2, 4],
            &jumbo_len.to_be_bytes(),
            &segment,
            &[0xee; 9],
        ]),
    );
    jumbo[4..6].fill(0);
    let authentication = [
        6, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    vec![
        four("options", options),
        four("total length 0", offloaded),
        four(
            "authentication",
            ipv4(51, &all(&[&authentication, &segment])),
        ),
        Specimen::new("payload length 0", LinkType::IPV6, offloaded_6),
        Specimen::new("jumbogram", LinkType::IPV6, jumbo),
        six(
            "hop by hop",
            0,
            &all(&[&[6, 0, 1, 4, 0, 0, 0, 0], &segment]),
        ),
        six(
            "destination options",
            60,
            &all(&[&[6, 0, 1, 4, 0, 0, 0, 0], &segment]),
        ),
        six(
            "an empty route",
            43,
            &all(&[&[6, 0, 4, 0, 0, 0, 0, 0], &segment]),
        ),
        six(
            "mobility",
            135,
            &all(&[&[6, 0, 0, 0, 0, 0, 0, 0], &segment]),
        ),
        six(
            "atomic fragment",
            44,
            &all(&[&[6, 0, 0, 0, 0, 0, 0, 9], &segment]),
        ),
        six("authentication 6", 51, &all(&[&authentication, &segment])),
        six(
            "three in a row",
            0,
            &all(&[
                &[
                    60, 0, 1, 4, 0, 0, 0, 0, 44, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 1,
                ],
                &segment,
            ]),
        ),
    ]
}

fn ip_tunnels() -> Vec<Specimen> {
    let on = |name, bytes| Specimen::new(name, LinkType::RAW, bytes);
    let inner = ethernet(0x0800, &packet());
    vec![
        on("ipip", ipv4(4, &packet())).tunnel("ipip", None),
        on("6in4", ipv4(41, &packet_6())).tunnel("6in4", None),
        on("4in6", ipv6(4, &packet())).tunnel("4in6", None),
        on("6in6", ipv6(41, &packet_6())).tunnel("6in6", None),
        on("gre", gre(0, 0x0800, &[], &packet())).tunnel("gre", None),
        on(
            "gre with all",
            gre(
                0xb000,
                0x86dd,
                &[0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 3],
                &packet_6(),
            ),
        )
        .tunnel("gre", Some(256)),
        on("gre, ethernet", gre(0x2000, 0x6558, &[0, 0, 0, 5], &inner)).tunnel("gre", Some(5)),
        on("gre, mpls", gre(0, 0x8847, &[0, 2, 1, 64], &packet()))
            .tunnel("gre", None)
            .tunnel("mpls", Some(0x20)),
        on("wccp", gre(0, 0x883e, &[], &packet())).tunnel("gre", None),
        on("wccp 2", gre(0, 0x883e, &[0, 0, 0, 0], &packet())).tunnel("gre", None),
        on(
            "pptp",
            gre(
                0x3081,
                0x880b,
                &[0, 82, 0, 7, 0, 0, 0, 1, 0, 0, 0, 1, 0x21],
                &packet(),
            ),
        )
        .tunnel("pptp", Some(7)),
        on("eoip", gre(0x2001, 0x6400, &[0, 96, 7, 0], &inner)).tunnel("etherip", Some(7)),
        on("erspan 1", gre(0, 0x88be, &[], &inner)).tunnel("erspan", None),
        on(
            "erspan 2",
            gre(
                0x1000,
                0x88be,
                &[0, 0, 0, 1, 0x10, 0, 0, 9, 0, 0, 0, 0],
                &inner,
            ),
        )
        .tunnel("erspan", Some(9)),
        on(
            "erspan 3",
            gre(
                0x1000,
                0x22eb,
                &[0, 0, 0, 1, 0x20, 0, 0xfc, 9, 0, 0, 0, 0, 0, 0, 0, 0],
                &inner,
            ),
        )
        .tunnel("erspan", Some(9)),
        on(
            "erspan 3, ip, platform",
            gre(
                0x1000,
                0x22eb,
                &[
                    0, 0, 0, 1, 0x20, 0, 0, 9, 0, 0, 0, 0, 0, 0, 8, 1, 1, 2, 3, 4, 5, 6, 7, 8,
                ],
                &packet(),
            ),
        )
        .tunnel("erspan", Some(9)),
        on("etherip", ipv4(97, &all(&[&[0x30, 0], &inner]))).tunnel("etherip", None),
        on("mpls in ip", ipv4(137, &all(&[&[0, 2, 1, 64], &packet()]))).tunnel("mpls", Some(0x20)),
        on("srv6, ethernet", ipv6(143, &inner)),
    ]
}

fn udp_tunnels() -> Vec<Specimen> {
    let on = |name, port, header: &[u8], bytes: &[u8]| {
        Specimen::new(name, LinkType::IPV4, over_udp(port, &all(&[header, bytes])))
    };
    let inner = ethernet(0x0800, &packet());
    let length = u8::try_from(packet().len()).unwrap();
    vec![
        on("vxlan", 4789, &[8, 0, 0, 0, 0, 1, 2, 0], &inner).tunnel("vxlan", Some(0x0102)),
        on(
            "vxlan, vlan inside",
            8472,
            &[0x88, 0, 0, 9, 0, 0, 7, 0],
            &ethernet(0x8100, &tag(12, 0x86dd, &packet_6())),
        )
        .tunnel("vxlan", Some(7))
        .vlans(&[12]),
        on("vxlan-gpe", 4790, &[0x0c, 0, 0, 1, 0, 0, 7, 0], &packet()).tunnel("vxlan", Some(7)),
        on(
            "vxlan-gpe, nsh",
            4790,
            &[0x0c, 0, 0, 4, 0, 0, 7, 0, 0x0f, 0xc2, 1, 3, 0, 0, 5, 255],
            &inner,
        )
        .tunnel("vxlan", Some(7))
        .tunnel("nsh", Some(5)),
        on("geneve", 6081, &[0, 0, 0x65, 0x58, 0, 0, 7, 0], &inner).tunnel("geneve", Some(7)),
        on(
            "geneve with options",
            6081,
            &[2, 0, 0x86, 0xdd, 0, 0, 7, 0, 1, 2, 0, 1, 9, 9, 9, 9],
            &packet_6(),
        )
        .tunnel("geneve", Some(7)),
        on(
            "gtp-u",
            2152,
            &[0x30, 255, 0, length, 0, 0, 1, 0],
            &packet(),
        )
        .tunnel("gtp-u", Some(256)),
        on(
            "gtp-u with sequence",
            2152,
            &[0x32, 255, 0, length + 4, 0, 0, 1, 0, 0, 1, 0, 0],
            &packet(),
        )
        .tunnel("gtp-u", Some(256)),
        on(
            "gtp-u with extensions",
            2152,
            &[
                0x34,
                255,
                0,
                length + 12,
                0,
                0,
                1,
                0,
                0,
                0,
                0,
                0x85,
                1,
                0,
                1,
                0x84,
                1,
                0,
                1,
                0,
            ],
            &packet(),
        )
        .tunnel("gtp-u", Some(256)),
        on("teredo", 3544, &[], &packet_6()).tunnel("teredo", None),
        on(
            "teredo, authentication and origin",
            3544,
            &[
                0, 1, 1, 2, 7, 7, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6,
            ],
            &packet_6(),
        )
        .tunnel("teredo", None),
        on(
            "l2tp",
            1701,
            &[0x40, 2, 0, length + 12, 0, 1, 0, 2, 0xff, 3, 0, 0x21],
            &packet(),
        )
        .tunnel("l2tp", Some(0x1_0002)),
        on(
            "l2tp, sequence and offset",
            1701,
            &[0x0a, 2, 0, 1, 0, 2, 0, 0, 0, 0, 0, 1, 9, 0x21],
            &packet(),
        )
        .tunnel("l2tp", Some(0x1_0002)),
        on("capwap", 5247, &[0, 0x10, 2, 0, 0, 0, 0, 0], &inner).tunnel("capwap", None),
        on(
            "capwap, 802.11",
            5247,
            &[0, 0x10, 3, 0, 0, 0, 0, 0],
            &wlan([8, 1], &[]),
        )
        .tunnel("capwap", None),
        on(
            "capwap, swapped",
            5247,
            &[0, 0x10, 3, 0, 0, 0, 0, 0],
            &wlan([1, 8], &[]),
        )
        .tunnel("capwap", None),
        on("tzsp", 37008, &[1, 0, 0, 1, 10, 1, 9, 0, 1], &inner).tunnel("tzsp", None),
        on("mpls in udp", 6635, &[0, 2, 1, 64], &packet()).tunnel("mpls", Some(0x20)),
        Specimen::new(
            "three deep",
            LinkType::ETHERNET,
            ethernet(
                0x8100,
                &tag(
                    9,
                    0x0800,
                    &gre(
                        0x2000,
                        0x0800,
                        &[0, 0, 0, 1],
                        &over_udp(4789, &all(&[&[8, 0, 0, 0, 0, 0, 2, 0], &inner])),
                    ),
                ),
            ),
        )
        .vlans(&[9])
        .tunnel("gre", Some(1))
        .tunnel("vxlan", Some(2)),
    ]
}
