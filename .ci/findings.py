#!/usr/bin/env python3
"""Lists every flow of a folder of captures that gets a finding worse than info.

usage: findings.py TOOL FOLDER [EXPECTED]

With EXPECTED, a list that this made before, the differences are shown and the exit status is 1 when there are any: no flow may get a
finding, or lose one, without somebody having looked whether that is deserved.
"""

import concurrent.futures
import difflib
import json
import os
import subprocess
import sys


def of_capture(tool, folder, name):
    run = subprocess.run(
        [tool, "--quiet", "--format", "jsonl", "--flagged", "--threads", "1", os.path.join(folder, name)],
        stdout=subprocess.PIPE,
        check=False,
    )
    lines = []
    for line in run.stdout.decode("utf-8", "replace").splitlines():
        flow = json.loads(line)
        ends = [flow[end] for end in ("source", "destination")]
        asked = flow.get("tls", {}).get("client", {}).get("server_name", "-")
        for finding in flow["tlstriage"].get("findings", []):
            if finding["severity"] != "info":
                lines.append(
                    "\t".join(
                        [name]
                        + [f"{end['ip']} {end['port']}" for end in ends]
                        + [asked, finding["id"], finding["severity"], finding["confidence"]]
                    )
                )
    return lines


def main():
    tool, folder = sys.argv[1:3]
    names = sorted(name for name in os.listdir(folder) if ".pcap" in name)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = [line for lines in pool.map(lambda name: of_capture(tool, folder, name), names) for line in lines]
    if len(sys.argv) < 4:
        print("\n".join(found))
        return 0
    with open(sys.argv[3], encoding="utf-8") as file:
        expected = file.read().splitlines()
    differences = list(difflib.unified_diff(expected, found, "expected", "found", lineterm="", n=0))
    print("\n".join(differences) if differences else f"{len(found)} findings, each as expected")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
