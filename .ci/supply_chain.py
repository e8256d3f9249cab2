#!/usr/bin/env python3
"""Checks the dependencies in Cargo.lock against deny.toml: licences, bans, sources, checksums.

The same rules as `cargo deny check licenses bans sources`, read from the same file, for machines
without cargo-deny. Advisories are not looked up: their database cannot be had from a registry.
"""

import collections
import json
import re
import subprocess
import sys
import tomllib


def main():
    with open("deny.toml", "rb") as file:
        rules = tomllib.load(file)
    with open("Cargo.lock", "rb") as file:
        locked = tomllib.load(file)["package"]
    metadata = json.loads(
        subprocess.check_output(
            ["cargo", "metadata", "--format-version", "1", "--locked", "--all-features"]
        )
    )
    packages = metadata["packages"]
    ours = set(metadata["workspace_members"])
    wrong = []
    wrong += licences(packages, set(rules["licenses"]["allow"]))
    wrong += bans(packages, {entry["name"] for entry in rules["bans"]["deny"]})
    wrong += wildcards([package for package in packages if package["id"] in ours])
    wrong += sources(locked, rules["sources"]["allow-registry"])
    versions = collections.defaultdict(set)
    for package in packages:
        versions[package["name"]].add(package["version"])
    for name, several in sorted(versions.items()):
        if len(several) > 1:
            print(f"note: {name} is there in {len(several)} versions: {', '.join(sorted(several))}")
    for line in wrong:
        print(f"wrong: {line}")
    print(f"{len(packages)} packages, {len(wrong)} against deny.toml")
    return 1 if wrong else 0


def licences(packages, allowed):
    for package in packages:
        expression = package.get("license")
        name = f"{package['name']} {package['version']}"
        if not expression:
            yield f"{name} states no licence"
        elif not holds(expression, allowed):
            yield f"{name} is under {expression}"


def holds(expression, allowed):
    """Whether an SPDX expression can be met with the allowed licences; `/` is an old word for OR."""
    tokens = re.findall(r"\(|\)|[^\s()/]+|/", expression)
    tokens = ["OR" if token == "/" else token for token in tokens]
    at = 0

    def either():
        nonlocal at
        value = both()
        while at < len(tokens) and tokens[at] == "OR":
            at += 1
            value = both() or value
        return value

    def both():
        nonlocal at
        value = one()
        while at < len(tokens) and tokens[at] == "AND":
            at += 1
            value = one() and value
        return value

    def one():
        nonlocal at
        token = tokens[at]
        at += 1
        if token == "(":
            value = either()
            at += 1
            return value
        if at < len(tokens) and tokens[at] == "WITH":
            token = f"{token} WITH {tokens[at + 1]}"
            at += 2
        return token in allowed

    return either()


def bans(packages, names):
    for package in packages:
        if package["name"] in names:
            yield f"{package['name']} {package['version']} is banned"


def wildcards(ours):
    for package in ours:
        for dependency in package["dependencies"]:
            if dependency["req"] == "*":
                yield f"{package['name']} takes any version of {dependency['name']}"


def sources(locked, registries):
    for package in locked:
        source = package.get("source")
        name = f"{package['name']} {package['version']}"
        if source is None:
            continue
        if source.removeprefix("registry+") not in registries:
            yield f"{name} comes from {source}"
        elif "checksum" not in package:
            yield f"{name} has no checksum in Cargo.lock"


if __name__ == "__main__":
    sys.exit(main())
