#!/usr/bin/env python3
"""Real peers: what openssl's two ends saw of a handshake is what the tool tells of its packets.

    peers.py TLSTRIAGE

Starts `openssl s_server` with a default certificate and one for a name, records the loopback with
tcpdump while `openssl s_client` connects with and without SNI, with TLS 1.2 and 1.3, every suite that is
opened, a HelloRetryRequest, a resumption, early data (0-RTT) and a client certificate, and compares name, version and
certificates: without keys, and with the key log of the client. Where tshark is installed, the certificates that it
decrypts have to be the same. Ends with 0 and says so where capturing is not permitted.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

NAME = "api.example.test"
CASES = [(version, name, []) for version in ("1.2", "1.3") for name in (NAME, None)]
CASES += [
    ("1.3", NAME, ["-ciphersuites", suite])
    for suite in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
    + ("TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256")
]
CASES += [
    ("1.2", NAME, ["-cipher", suite])
    for suite in ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305")
    + ("AES128-CCM", "AES256-CCM", "AES128-CCM8:@SECLEVEL=0", "AES256-CCM8:@SECLEVEL=0")
]
# The server has no P-384, so it asks for another key share.
CASES += [("1.3", NAME, ["-groups", "P-384:X25519"])]
# A session, and its resumption.
CASES += [
    ("1.3", NAME, ["-sess_out", "{folder}/session", "-ign_eof"]),
    ("1.3", NAME, ["-sess_in", "{folder}/session", "-ign_eof"]),
]
# Of a server that takes early data and asks for client certificates.
LATER_CASES = [
    ("1.3", NAME, ["-sess_out", "{folder}/early"]),
    ("1.3", NAME, ["-sess_in", "{folder}/early", "-early_data", "{folder}/named.pem"]),
    ("1.3", NAME, ["-cert", "{folder}/default.pem", "-key", "{folder}/default.key"]),
    ("1.2", NAME, ["-cert", "{folder}/default.pem", "-key", "{folder}/default.key"]),
]


def main(tool):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        certificate(folder, "default", "default.example.test")
        certificate(folder, "named", NAME)
        port, later_port = free_port(), free_port()
        capture = os.path.join(folder, "loopback.pcap")
        recorder = subprocess.Popen(
            ["tcpdump", "-i", "lo", "--immediate-mode", "-U", "-s", "0", "-w", capture]
            + [f"tcp port {port} or tcp port {later_port}"],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if not is_listening(recorder):
            print("skipped: capturing on the loopback is not permitted here")
            return 0
        server_log = open(os.path.join(folder, "server.log"), "w+", encoding="utf-8")
        server = subprocess.Popen(
            ["openssl", "s_server", "-accept", str(port), "-cert", f"{folder}/default.pem"]
            + ["-key", f"{folder}/default.key", "-servername", NAME, "-cert2", f"{folder}/named.pem"]
            + ["-key2", f"{folder}/named.key", "-naccept", str(len(CASES)), "-www"]
            + ["-groups", "X25519:P-256", "-cipher", "ALL:@SECLEVEL=0"]
            + ["-ciphersuites", "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"
               ":TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256"],
            stdin=subprocess.DEVNULL,
            stdout=server_log,
            stderr=subprocess.STDOUT,
        )
        seen = [connect(folder, port, *case) for case in CASES]
        server.wait(timeout=30)
        server = subprocess.Popen(
            ["openssl", "s_server", "-accept", str(later_port), "-cert", f"{folder}/default.pem"]
            + ["-key", f"{folder}/default.key", "-servername", NAME, "-cert2", f"{folder}/named.pem"]
            + ["-key2", f"{folder}/named.key", "-naccept", str(len(LATER_CASES))]
            + ["-early_data", "-no_anti_replay", "-verify", "1"],
            stdin=subprocess.PIPE,
            stdout=server_log,
            stderr=subprocess.STDOUT,
        )
        count = len(seen)
        seen += [connect(folder, later_port, *case, is_interactive=True) for case in LATER_CASES]
        server.communicate(timeout=30)
        if not any(peer["sent_early_data"] for peer in seen[count:]):
            sys.exit("no early data was sent")
        time.sleep(1)
        recorder.send_signal(signal.SIGINT)
        recorder.wait(timeout=30)
        wrong = []
        for keys in ([], ["--keylog", f"{folder}/keys.log"]):
            command = [tool, "--quiet", "-f", "jsonl", *keys, capture]
            lines = subprocess.check_output(command, text=True)
            flows = [json.loads(line) for line in lines.splitlines()]
            wrong += compare(seen, flows, bool(keys))
        if shutil.which("tshark"):
            wrong += compare_with_tshark(capture, f"{folder}/keys.log", flows)
    for line in wrong:
        print(f"wrong: {line}")
    print(f"{len(seen)} handshakes of real peers, without and with keys: {len(wrong)} differences")
    return 1 if wrong else 0


def certificate(folder, kind, name):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        + ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
        + ["-keyout", f"{folder}/{kind}.key", "-out", f"{folder}/{kind}.pem"],
        check=True,
        stderr=subprocess.DEVNULL,
    )


def free_port():
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


def is_listening(recorder):
    for line in recorder.stderr:
        if "listening on" in line:
            return True
    recorder.wait()
    return False


def connect(folder, port, version, name, options, is_interactive=False):
    """Shakes hands, and gives what the client itself saw."""
    flag = "-tls" + version.replace(".", "_")
    who = ["-servername", name] if name else ["-noservername"]
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", flag, "-showcerts"] + who
    command += ["-keylogfile", f"{folder}/keys.log"]
    command += [option.format(folder=folder) for option in options]
    for _ in range(50):
        run = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        if is_interactive:
            # Session tickets come behind the handshake.
            time.sleep(0.3)
        output, errors = run.communicate("Q\n" if is_interactive else "GET / HTTP/1.0\r\n\r\n")
        pems = re.findall("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", output, re.S)
        if pems:
            break
        time.sleep(0.1)
    else:
        sys.exit(f"openssl s_client came to nothing: {errors}")
    ders = [subprocess.run(["openssl", "x509", "-outform", "DER"], input=pem.encode(),
                           capture_output=True, check=True).stdout for pem in pems]
    used = re.search(r"^\s*Protocol\s*:\s*TLSv(\S+)|^New, TLSv(\S+),", output, re.M)
    return {
        "name": name,
        "version": used.group(1) or used.group(2),
        "suite": re.search(r"Cipher is (\S+)", output).group(1),
        "is_resumed": "\nReused, " in output,
        "chain": [hashlib.sha256(der).hexdigest() for der in ders],
        "client_chain": [digest_of(options[1].format(folder=folder))] if "-cert" in options else [],
        "sent_early_data": "Early data was accepted" in output,
    }


def digest_of(path):
    run = subprocess.run(["openssl", "x509", "-in", path, "-outform", "DER"], capture_output=True, check=True)
    return hashlib.sha256(run.stdout).hexdigest()


def compare(seen, flows, has_keys):
    # A try before the server listened has a line of its own, without TLS.
    flows = [flow for flow in flows if "tls" in flow]
    if len(seen) != len(flows):
        yield f"{len(seen)} handshakes, {len(flows)} flows"
        return
    for peer, flow in zip(seen, flows):
        told = flow["tlstriage"]
        about = f"TLS {peer['version']} with {peer['name'] or 'no name'}" + (", with keys" if has_keys else "")
        if flow["tls"]["client"].get("server_name") != peer["name"]:
            yield f"{about}: the name told is {flow['tls']['client'].get('server_name')}"
        if told["sni"] != ("name" if peer["name"] else "absent"):
            yield f"{about}: SNI is {told['sni']}"
        if flow["tls"].get("version") != peer["version"]:
            yield f"{about}: the version told is {flow['tls'].get('version')}"
        state = told["server"]["certificate"]
        if has_keys and not told.get("decrypted"):
            yield f"{about}, {peer['suite']}: the client's own keys did not open it"
        if has_keys or peer["version"] == "1.2":
            chain = told.get("client_certificate", {}).get("chain", [])
            if [one["sha256"] for one in chain] != peer["client_chain"]:
                yield f"{about}: the client's certificate is told as {chain}"
        if peer["version"] == "1.3" and peer["is_resumed"]:
            if state != "resumed" or not flow["tls"]["resumed"]:
                yield f"{about}: a resumption is told as {state}"
        elif peer["version"] == "1.3" and not has_keys:
            # The certificate travels encrypted: whatever the peers saw, we did not.
            if state != "encrypted" or "chain" in told["server"]:
                yield f"{about}: the certificate is {state}"
        else:
            chain = [one["sha256"] for one in told["server"].get("chain", [])]
            if chain != peer["chain"]:
                yield f"{about}: the chain told is {chain}, the client saw {peer['chain']}"


def compare_with_tshark(capture, keys, flows):
    """Of each connection the certificates of both sides, as tshark decrypts them."""
    fields = [part for field in ("tcp.srcport", "tcp.dstport", "tls.handshake.certificate") for part in ("-e", field)]
    rows = subprocess.run(
        ["tshark", "-r", capture, "-o", f"tls.keylog_file:{keys}", "-Y", "tls.handshake.certificate", "-T", "fields"]
        + fields,
        capture_output=True, text=True, check=True,
    ).stdout
    found = {}
    for row in rows.splitlines():
        source, destination, ders = row.split("\t")
        chain = [hashlib.sha256(bytes.fromhex(der.replace(":", ""))).hexdigest() for der in ders.split(",")]
        found[int(source), int(destination)] = chain
    told = {}
    for flow in flows:
        client, server = flow["source"]["port"], flow["destination"]["port"]
        for ports, of_side in (((server, client), "server"), ((client, server), "client_certificate")):
            chain = flow["tlstriage"].get(of_side, {}).get("chain", [])
            if chain:
                told[ports] = [one["sha256"] for one in chain]
    for ports in sorted(found.keys() | told.keys()):
        if found.get(ports) != told.get(ports):
            yield f"ports {ports}: tshark decrypts {found.get(ports)}, told is {told.get(ports)}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
