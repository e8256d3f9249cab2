#!/usr/bin/env python3
"""Counts what the tool executes, and fails where that has grown: .ci/instructions.py TOOL [--write]

Seconds are noise on a shared machine; instructions repeat. Of each kind of traffic a short and a
long capture are analysed on one thread under valgrind. What counts is the difference between the
two, a flow or a packet: start-up does not. Figures hold for a release build of the toolchain that
they were written with; what is allowed is TOLERANCE in either direction, so that a gain is noted
too, with --write.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
KNOWN = HERE / "instructions.json"
# The choice of memcpy by processor, and the order of addresses, move a count by less than a half of this.
TOLERANCE = 0.05
KINDS = {"handshakes": (1000, 3000), "bulk": (4, 12), "small": (30_000, 90_000)}


def executed(tool, kind, count, folder):
    capture, lines = folder / "traffic.pcap", folder / "lines.jsonl"
    subprocess.run([HERE / "traffic.py", kind, str(count), capture], check=True)
    run = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", tool, "--quiet", "--threads", "1",
         capture, "-o", f"jsonl:{lines}"],
        capture_output=True, text=True,
    )
    found = re.search(r"I\s+refs:\s+([0-9,]+)", run.stderr)
    if run.returncode or not found:
        sys.exit(f"{kind}: {run.stderr}")
    return int(found[1].replace(",", ""))


def main():
    tool, *options = sys.argv[1:]
    known = json.loads(KNOWN.read_text()) if KNOWN.exists() else {}
    counted, wrong = {}, []
    with tempfile.TemporaryDirectory() as folder:
        for kind, (few, many) in KINDS.items():
            least, most = (executed(tool, kind, count, Path(folder)) for count in (few, many))
            counted[kind] = round((most - least) / (many - few))
            before = known.get(kind)
            change = counted[kind] / before - 1 if before else 0
            print(f"{kind:12} {counted[kind]:>12,} instructions each, {change:+.1%}")
            if not before or abs(change) > TOLERANCE:
                wrong.append(kind)
    if "--write" in options:
        KNOWN.write_text(json.dumps(counted, indent=2) + "\n")
    elif wrong:
        sys.exit(f"off by more than {TOLERANCE:.0%}: {', '.join(wrong)}; where that is meant, --write")


if __name__ == "__main__":
    main()
