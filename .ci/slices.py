#!/usr/bin/env python3
"""Slices each sample, and compares what is told of the slice with what was told of the sample.

    slices.py TOOL

With the flows beside them, the flagged flows have the same verdict and the same confidence; without
application data too. A server that was never reached has a line only beside TLS, so it may be missing.
Where tshark is installed, it reads each slice and finds the comments.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile


def main(tool):
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        slice_path = pathlib.Path(folder, "slice.pcapng")
        for sample in sorted(pathlib.Path("samples").iterdir()):
            for more in ([], ["--slice-headers"]):
                asked = ["--slice", slice_path, "--slice-neighbours", *more]
                told = flows(tool, sample, *asked)
                again = flows(tool, slice_path)
                for key, flow in told.items():
                    if flow["tlstriage"]["verdict"]["severity"] == "info":
                        continue
                    # Keys that a capture carries are not in its slice.
                    if flow["tlstriage"].get("decrypted"):
                        continue
                    if key not in again and flow["rule"]["id"] == "tcp.unreachable":
                        continue
                    verdict = flow["tlstriage"]["verdict"]
                    assert again[key]["tlstriage"]["verdict"] == verdict, (sample, key, more)
                    count += 1
                look_at(slice_path)
    print(f"{count} flagged flows have the same verdict in their slice")


def flows(tool, *arguments):
    run = subprocess.run(
        [tool, "--quiet", "--format", "jsonl", *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    ends = lambda flow: (flow["source"]["ip"], flow["source"]["port"], flow["@timestamp"])
    return {(*ends(line), line["destination"]["ip"]): line for line in lines}


def look_at(path):
    if not shutil.which("tshark"):
        return
    fields = ["-T", "fields", "-e", "frame.comment"]
    run = subprocess.run(
        ["tshark", "-r", path, *fields], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True
    )
    assert all(" frame " in line for line in run.stdout.splitlines()), run.stdout


if __name__ == "__main__":
    main(sys.argv[1])
