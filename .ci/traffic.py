#!/usr/bin/env python3
"""Writes a capture of any length out of the recorded samples, the same bytes every time.

    .ci/traffic.py handshakes 3000 out.pcap     # so many recorded connections, 64 open at once
    .ci/traffic.py bulk 20 out.pcap             # so many connections of about 1 MB each
    .ci/traffic.py small 100000 out.pcap        # so many tiny packets of connections without TLS
    .ci/traffic.py syns 100000 -                # so many SYNs, each of another address; to a pipe
    .ci/traffic.py unfinished 1000 out.pcap     # so many connections left in the middle of a ClientHello
    .ci/traffic.py overlapping 20 out.pcap      # bulk in which each segment repeats half of the one before
    .ci/traffic.py one 100000 out.pcap          # one connection with so many segments of data
    .ci/traffic.py certificates 1000 out.pcap   # so many connections, in each a certificate of 60 kB of its own

Addresses and ports of the clients, times, and the random bytes of the hellos are another in each
connection; checksums are not corrected, since nothing here looks at them.
"""

import hashlib
import struct
import sys
from pathlib import Path

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
OPEN_AT_ONCE = 64
START = 1_795_406_400_000_000  # 2026-11-23T04:00:00Z, in microseconds


def frames(path):
    """The frames of a capture with Ethernet and microseconds, without their times."""
    data = path.read_bytes()
    if data[:4] != b"\xd4\xc3\xb2\xa1" or struct.unpack_from("<I", data, 20)[0] & 0xFFFF != 1:
        return
    at = 24
    while at + 16 <= len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16 : at + 16 + length]
        at += 16 + length


def tcp(frame):
    """Where IP and TCP begin, and the two ends, of an IPv4 segment; else nothing."""
    if len(frame) < 54 or frame[12:14] != b"\x08\x00" or frame[23] != 6:
        return None
    at = 14 + (frame[14] & 15) * 4
    one = frame[26:30] + frame[at : at + 2]
    other = frame[30:34] + frame[at + 2 : at + 4]
    return at, one, other


def recordings(of="*"):
    """The connections of the samples that begin with a SYN: the client's end, and the frames."""
    found = []
    for sample in sorted(SAMPLES.glob(f"{of}/capture.pcap")):
        flows = {}
        for frame in frames(sample):
            parts = tcp(frame)
            if parts is None:
                continue
            at, one, other = parts
            key = frozenset((one, other))
            flags = frame[at + 13]
            if key not in flows:
                if flags & 0x12 != 2:
                    continue
                flows[key] = (one, [])
            flows[key][1].append(frame)
        found += [flow for flow in flows.values() if len(flow[1]) > 8]
    return found


def copy_of(recording, number):
    """The frames of a recording as those of connection `number`."""
    client, recorded = recording
    own = struct.pack(">BBBBH", 10, 64 | number >> 22 & 63, number >> 14 & 255, number >> 6 & 255,
                      20000 + (number & 63) * 600 + number % 599)
    random = hashlib.sha256(struct.pack(">I", number)).digest()
    for frame in recorded:
        at, one, _ = tcp(frame)
        frame = bytearray(frame)
        if one == client:
            frame[26:30], frame[at : at + 2] = own[:4], own[4:]
        else:
            frame[30:34], frame[at + 2 : at + 4] = own[:4], own[4:]
        payload = at + (frame[at + 12] >> 4) * 4
        # The random of a hello that begins a record.
        if frame[payload : payload + 1] == b"\x16" and frame[payload + 5 : payload + 6] in (b"\1", b"\2"):
            if len(frame) >= payload + 43 and frame[payload + 11 : payload + 13] != b"\xcf\x21":
                frame[payload + 11 : payload + 43] = random
        yield bytes(frame)


def in_turn(flows):
    """The frames of flows that are open side by side."""
    flows = list(flows)
    while flows:
        left = []
        for flow in flows:
            frame = next(flow, None)
            if frame is not None:
                yield frame
                left.append(flow)
        flows = left


def handshakes(count):
    known = recordings()
    for first in range(0, count, OPEN_AT_ONCE):
        numbers = range(first, min(count, first + OPEN_AT_ONCE))
        yield from in_turn(copy_of(known[number % len(known)], number) for number in numbers)


def segment(template, to_server, seq, ack, payload):
    """A segment with data, made after a recorded SYN."""
    at, _, _ = tcp(template)
    frame = bytearray(template[: at + 20])
    if not to_server:
        frame[26:30], frame[30:34] = template[30:34], template[26:30]
        frame[at : at + 2], frame[at + 2 : at + 4] = template[at + 2 : at + 4], template[at : at + 2]
    struct.pack_into(">IIBB", frame, at + 4, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 5 << 4, 0x10)
    struct.pack_into(">H", frame, 16, at + 20 - 14 + len(payload))
    return bytes(frame) + payload


def ends(flow):
    """What client and server would send next, before their FINs."""
    client, server = {}, {}
    for frame in flow:
        at, one, _ = tcp(frame)
        first = tcp(flow[0])[1]
        seq = struct.unpack_from(">I", frame, at + 4)[0]
        length = struct.unpack_from(">H", frame, 16)[0] - (at - 14) - (frame[at + 12] >> 4) * 4
        side = client if one == first else server
        side["next"] = seq + length + (1 if frame[at + 13] & 2 else 0)
    return client["next"], server["next"]


def one_bulk(recording, number, segments=700, step=1460):
    flow = [frame for frame in copy_of(recording, number) if not frame[tcp(frame)[0] + 13] & 5]
    yield from flow
    seq, ack = ends(flow)
    data = b"\x17\x03\x03" + struct.pack(">H", 1455) + bytes(1455)
    for count in range(segments):
        yield segment(flow[0], False, ack, seq, data)
        ack += step
        if count % 2:
            yield segment(flow[0], True, seq, ack, b"")


def bulk(count, step=1460):
    recording = recordings("tls13-good")[0]
    for first in range(0, count, OPEN_AT_ONCE):
        numbers = range(first, min(count, first + OPEN_AT_ONCE))
        yield from in_turn(one_bulk(recording, number, step=step) for number in numbers)


def overlapping(count):
    return bulk(count, step=730)


def one(count):
    return one_bulk(recordings("tls13-good")[0], 0, segments=count)


def syns(count):
    client, (syn, *_) = recordings("tls13-good")[0]
    for number in range(count):
        frame = bytearray(syn)
        frame[26:30] = struct.pack(">I", 0x0B000000 + number)
        yield bytes(frame)


def unfinished(count):
    client, recorded = recordings("tls13-good")[0]
    at = next(
        place for place, frame in enumerate(recorded)
        if frame[tcp(frame)[0] + (frame[tcp(frame)[0] + 12] >> 4) * 4 :][:1] == b"\x16"
    )
    hello = bytearray(recorded[at][: len(recorded[at]) - 150])
    struct.pack_into(">H", hello, 16, len(hello) - 14)
    opening = (client, [*recorded[:at], bytes(hello)])
    for first in range(0, count, OPEN_AT_ONCE):
        numbers = range(first, min(count, first + OPEN_AT_ONCE))
        yield from in_turn(copy_of(opening, number) for number in numbers)


def der(tag, *content):
    """An element of DER with a length in its shortest form."""
    content = b"".join(content)
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def large_certificate(number):
    """An X.509 certificate (RFC 5280, section 4.1) for some 2,000 names, signed by nobody."""
    name = lambda text: der(0x30, der(0x31, der(0x30, bytes.fromhex("0603550403"), der(0x0C, text))))
    sha256_rsa = der(0x30, bytes.fromhex("06092a864886f70d01010b0500"))
    rsa = der(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    key = der(0x30, der(2, b"\0", b"\xb7" * 256), der(2, b"\1\0\1"))
    names = [der(0x82, b"%06d-%04d.tenant.example.com" % (number, at)) for at in range(1950)]
    alternative = der(0x30, bytes.fromhex("0603551d11"), der(4, der(0x30, *names)))
    body = der(
        0x30, der(0xA0, der(2, b"\2")), der(2, struct.pack(">I", number | 1 << 24)), sha256_rsa, name(b"Large"),
        der(0x30, der(0x17, b"260101000000Z"), der(0x17, b"270101000000Z")), name(b"%06d" % number),
        der(0x30, rsa, der(3, b"\0", key)), der(0xA3, der(0x30, alternative)),
    )
    return der(0x30, body, sha256_rsa, der(3, bytes(257)))


def with_large_certificate(recording, number):
    """A recorded connection up to the first bytes of the server, and then its answer in TLS 1.2."""
    client, recorded = recording
    flow = list(copy_of(recording, number))
    opening = []
    for frame, (at, one, _) in ((frame, tcp(frame)) for frame in flow):
        if one != tcp(flow[0])[1] and frame[at + (frame[at + 12] >> 4) * 4 :][:1] == b"\x16":
            break
        opening.append(frame)
    yield from opening
    seq, ack = ends(opening)
    message = lambda kind, content: bytes([kind]) + struct.pack(">I", len(content))[1:] + content
    certificate = large_certificate(number)
    entry = struct.pack(">I", len(certificate))[1:] + certificate
    hello = b"\3\3" + hashlib.sha256(b"server %d" % number).digest() + b"\0\xc0\x2f\0"
    flight = message(2, hello) + message(11, struct.pack(">I", len(entry))[1:] + entry) + message(14, b"")
    parts = [flight[at : at + 16384] for at in range(0, len(flight), 16384)]
    data = b"".join(b"\x16\3\3" + struct.pack(">H", len(part)) + part for part in parts)
    for at in range(0, len(data), 1460):
        part = data[at : at + 1460]
        yield segment(flow[0], False, ack, seq, part)
        ack += len(part)
    for to_server in (True, False):
        fin = bytearray(segment(flow[0], to_server, *((seq, ack) if to_server else (ack, seq + 1)), b""))
        fin[tcp(fin)[0] + 13] |= 1
        yield bytes(fin)


def certificates(count):
    recording = recordings("tls13-good")[0]
    for first in range(0, count, OPEN_AT_ONCE):
        numbers = range(first, min(count, first + OPEN_AT_ONCE))
        yield from in_turn(with_large_certificate(recording, number) for number in numbers)


def small(count):
    syn = recordings()[0][1][0]
    flows = max(1, min(4000, count // 25))
    openings = [next(copy_of((tcp(syn)[1], [syn]), number)) for number in range(flows)]
    for packet in range(count):
        number = packet * 7919 % flows
        turn = packet // flows
        payload = b"" if turn % 2 else b"PING 0123\n"
        yield segment(openings[number], bool(turn % 4 < 2), 1000 + 10 * turn, 2000 + 10 * turn, payload)


def main():
    kind, count, out = sys.argv[1:]
    kinds = [handshakes, bulk, small, syns, unfinished, overlapping, one, certificates]
    make = next(make for make in kinds if make.__name__ == kind)
    with sys.stdout.buffer if out == "-" else open(out, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        time = START
        for frame in make(int(count)):
            time += 5
            file.write(struct.pack("<IIII", time // 1_000_000, time % 1_000_000, len(frame), len(frame)))
            file.write(frame)


if __name__ == "__main__":
    main()
