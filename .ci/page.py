#!/usr/bin/env python3
"""Opens pages in headless Chromium: that nothing from a capture acts, and that the page itself does.

    page.py TOOL

A capture is given hostile names: of its file, in the ClientHello, in a certificate. The document
that the browser makes of the page must have no element and no attribute that the page of the
harmless capture does not have, and the browser must not have refused anything of our own.
"""

import html.parser
import pathlib
import shutil
import subprocess
import sys
import tempfile

SAMPLE = pathlib.Path("samples/502-no-sni-default-certificate/capture.pcap")
# As long as what they replace, so that every length field still holds.
REPLACED = {
    b"api.contoso.com": b"<svg/onload=x()",
    b"portal.contoso.com": b"'\"><img src=x o=y>",
    b"gateway-7c9f5d8b6-k2x4m": b"<script>x()</script>--&",
}
FILE = "\"><img src=x onerror=document.title='x'><script>x()<script>.pcap"


class Elements(html.parser.HTMLParser):
    """The elements of a document, each with the names of its attributes; texts are passed over."""

    def __init__(self):
        super().__init__()
        self.found = []
        self.is_filtered = False

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        if names.get("id") == "filters":
            self.is_filtered = "hidden" not in names
        self.found.append((tag, tuple(sorted(names))))


def main(tool):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        harmless, hostile = folder / "harmless", folder / "hostile"
        harmless.mkdir()
        hostile.mkdir()
        shutil.copy(SAMPLE, harmless / "capture.pcap")
        content = SAMPLE.read_bytes()
        for name, text in REPLACED.items():
            assert len(name) == len(text) and name in content, name
            content = content.replace(name, text)
        (hostile / FILE.replace("/", "")).write_bytes(content)
        plain = document(tool, harmless, folder)
        acted = document(tool, hostile, folder)
    assert plain.is_filtered, "the script of the page did not run"
    kinds = set(plain.found)
    foreign = [element for element in acted.found if element not in kinds]
    assert not foreign, f"elements that came from a capture: {foreign}"
    assert sum(tag == "script" for tag, _ in acted.found) == 1
    print(f"{len(acted.found)} elements in the browser, none of them from the capture")


def document(tool, folder, scratch):
    """The document that a browser makes of the page about the captures in a folder."""
    page = scratch / f"{folder.name}.html"
    subprocess.run([tool, "--quiet", folder, "-o", page], check=True)
    run = subprocess.run(
        [
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", f"--user-data-dir={scratch / 'profile'}", "--enable-logging=stderr",
            "--dump-dom", page.as_uri(),
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True, timeout=120,
    )
    # What the policy refuses, and what the script does wrong, is told on the console.
    told = [line for line in run.stderr.splitlines() if "CONSOLE" in line]
    assert not told, told
    elements = Elements()
    elements.feed(run.stdout)
    assert elements.found, run.stderr
    return elements


if __name__ == "__main__":
    main(sys.argv[1])
