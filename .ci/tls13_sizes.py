#!/usr/bin/env python3
"""Measures what `tlstriage.inferred` says of hidden certificates: the tables of docs/tls13.md.

    tls13_sizes.py TLSTRIAGE [SERVER ...]

Real servers, those that are installed, serve certificates of five kinds of keys, alone and with one and two more
behind them, to `openssl s_client` with and without OCSP stapling. tcpdump records the loopback. For each flow the tool is
told to expect the certificate that was served, one of another size, one of the same size, and one with another kind of key; then
the whole chain, however much of it was served; then nothing. What it says is counted as right, wrong or withheld. Ends with 1 if
anything was wrong. Not part of `.ci/run`: it takes minutes.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

NAME = "api.example.test"
KEYS = {
    "rsa2048": (["-newkey", "rsa:2048"], "RSA with 2048 bits"),
    "rsa4096": (["-newkey", "rsa:4096"], "RSA with 4096 bits"),
    "p256": (["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "ECDSA with 256 bits"),
    "p384": (["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"], "ECDSA with 384 bits"),
    "ed25519": (["-newkey", "ed25519"], "Ed25519"),
}
OTHER = {"rsa2048": "p256", "rsa4096": "rsa2048", "p256": "rsa2048", "p384": "p256", "ed25519": "p256"}
CLIENTS = {"plain": [], "stapling": ["-status"]}


def main(tool, wanted):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        make_certificates(folder)
        rows = {}
        for name, server in SERVERS.items():
            if (wanted and name not in wanted) or not server.prepare(folder):
                continue
            rows[name] = Row()
            for kind in KEYS:
                for length in (1, 2, 3):
                    measure(tool, folder, server, kind, length, rows[name])
            print(f"{name}: {rows[name].flows} flows", file=sys.stderr)
    titles = ["key", "certificate", "how many, chain known", "how many, nothing known"]
    print("| server | flows | " + " | ".join(f"{title}: right | wrong | withheld" for title in titles) + " | same size: not told apart |")
    print("| --- |" + " --- |" * (3 * len(titles) + 2))
    for name, row in rows.items():
        cells = " | ".join(row.cells(what) for what in ("key", "certificate", "chain", "one"))
        print(f"| {name} | {row.flows} | {cells} | {row.same} |")
    for row in rows.values():
        for line in row.wrong:
            print(f"wrong: {line}", file=sys.stderr)
    return 1 if any(row.wrong for row in rows.values()) else 0


class Row:
    def __init__(self):
        self.flows = 0
        self.counts = {}
        self.same = 0
        self.wrong = []

    def count(self, what, answer, context):
        self.counts[what, answer] = self.counts.get((what, answer), 0) + 1
        if answer == "wrong":
            self.wrong.append(f"{context}: {what}")

    def cells(self, what):
        return " | ".join(str(self.counts.get((what, answer), 0)) for answer in ("right", "wrong", "withheld"))


# --- certificates


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_certificates(folder):
    at = lambda name: os.path.join(folder, name)
    # Without it, every certificate would be one of an authority.
    write(at("openssl.cnf"), "[req]\ndistinguished_name = name\n[name]\n")
    root = ["-keyout", at("root.key"), "-out", at("root.pem"), "-subj", "/CN=Sizes Root"]
    root += ["-config", at("openssl.cnf"), "-addext", "basicConstraints=critical,CA:TRUE"]
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", *root)
    issue(folder, "issuer", KEYS["rsa2048"][0], "/O=Sizes/CN=Sizes Issuing Authority", "root", ca=True)
    for kind, (key, _) in KEYS.items():
        issue(folder, kind, key, f"/CN={NAME}", "issuer")
        issue(folder, f"{kind}-near", key, f"/O=x/CN={NAME}", "issuer")
        # ECDSA signatures vary in size; the issuer's RSA signature does not.
        issue(folder, f"{kind}-same", key, f"/CN={NAME}", "issuer")
        for length in (1, 2, 3):
            behind = "".join(read(at(f"{part}.pem")) for part in ["issuer", "root"][: length - 1])
            write(at(f"{kind}-{length}.behind"), behind)
            for variant in (kind, f"{kind}-near", f"{kind}-same"):
                write(at(f"{variant}-{length}.pem"), read(at(f"{variant}.pem")) + behind)
            write(at(f"{kind}-{length}.bundle"), read(at(f"{kind}-{length}.pem")) + read(at(f"{kind}.key")))
            openssl("pkcs12", "-export", "-in", at(f"{kind}-{length}.bundle"), "-out", at(f"{kind}-{length}.p12"),
                    "-passout", "pass:sizes", "-name", "it")


def issue(folder, name, key, subject, issuer, ca=False):
    at = lambda name: os.path.join(folder, name)
    extensions = ["-addext", "basicConstraints=critical,CA:TRUE"] if ca else ["-addext", f"subjectAltName=DNS:{NAME}"]
    # A serial number of a fixed length, so that what has the same fields has the same size.
    serial = str(0x4000_0000_0000_0000 + int.from_bytes(os.urandom(7), "big"))
    openssl("req", "-x509", *key, "-nodes", "-config", at("openssl.cnf"), "-days", "2", "-subj", subject, *extensions, "-set_serial", serial,
            "-CA", at(f"{issuer}.pem"), "-CAkey", at(f"{issuer}.key"),
            "-keyout", at(f"{name}.key"), "-out", at(f"{name}.pem"))


# --- servers


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


class Server:
    def __init__(self, needs, command, before=None):
        self.needs = needs
        self.command = command
        self.before = before

    def prepare(self, folder):
        if not all(shutil.which(need) for need in self.needs):
            return False
        if self.before:
            self.before(folder)
        return True

    def start(self, folder, kind, length, port):
        return subprocess.Popen(
            self.command(folder, f"{folder}/{kind}-{length}", f"{folder}/{kind}.key", port),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def s_server(folder, chain, key, port):
    leaf = key.replace(".key", ".pem")
    behind = ["-cert_chain", f"{chain}.behind"] if os.path.getsize(f"{chain}.behind") else []
    return ["openssl", "s_server", "-accept", str(port), "-cert", leaf, "-key", key, *behind, "-tls1_3", "-quiet"]


def nginx(folder, chain, key, port):
    write(f"{folder}/nginx.conf", f"""daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{}}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
server {{ listen 127.0.0.1:{port} ssl; ssl_protocols TLSv1.3; ssl_certificate {chain}.pem; ssl_certificate_key {key}; return 200; }} }}
""")
    return ["nginx", "-c", f"{folder}/nginx.conf"]


def haproxy(folder, chain, key, port):
    write(f"{folder}/haproxy.cfg", f"""defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 5s
frontend f
    bind 127.0.0.1:{port} ssl crt {chain}.bundle ssl-min-ver TLSv1.3
    http-request return status 200
""")
    return ["haproxy", "-f", f"{folder}/haproxy.cfg", "-db"]


GO = """package main
import ("crypto/tls"; "os")
func main() {
    pair, err := tls.LoadX509KeyPair(os.Args[1], os.Args[2])
    if err != nil { panic(err) }
    l, err := tls.Listen("tcp", "127.0.0.1:"+os.Args[3], &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13})
    if err != nil { panic(err) }
    for { c, err := l.Accept(); if err != nil { return }; go func() { b := make([]byte, 100); c.Read(b); c.Close() }() }
}
"""

JAVA = """import javax.net.ssl.*; import java.io.*; import java.security.*;
public class Sizes { public static void main(String[] a) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12"); store.load(new FileInputStream(a[0]), "sizes".toCharArray());
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX"); keys.init(store, "sizes".toCharArray());
    SSLContext context = SSLContext.getInstance("TLSv1.3"); context.init(keys.getKeyManagers(), null, null);
    SSLServerSocket s = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(Integer.parseInt(a[1]));
    while (true) { SSLSocket c = (SSLSocket) s.accept(); new Thread(() -> { try { c.getInputStream().read(); c.close(); } catch (IOException e) { } }).start(); }
} }
"""

NODE = """const tls = require('tls'), fs = require('fs'), [chain, key, port] = process.argv.slice(2);
tls.createServer({cert: fs.readFileSync(chain), key: fs.readFileSync(key), minVersion: 'TLSv1.3'}, c => { c.on('error', () => {}); c.on('data', () => c.end()); }).on('tlsClientError', () => {}).listen(Number(port), '127.0.0.1');
"""


def build_go(folder):
    write(f"{folder}/sizes.go", GO)
    subprocess.run(["go", "build", "-o", f"{folder}/sizes-go", f"{folder}/sizes.go"], check=True, cwd=folder,
                   env={**os.environ, "GOCACHE": f"{folder}/go-cache", "GO111MODULE": "off"})


def build_java(folder):
    write(f"{folder}/Sizes.java", JAVA)
    subprocess.run(["javac", "-d", folder, f"{folder}/Sizes.java"], check=True)


def build_rustls(folder):
    source = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    subprocess.run(["cargo", "build", "--quiet", "--example", "rustls_server", "--target-dir", f"{source}/target"], check=True, cwd=source)
    shutil.copy(f"{source}/target/debug/examples/rustls_server", folder)


SERVERS = {
    "OpenSSL s_server": Server(["openssl"], s_server),
    "nginx": Server(["nginx"], nginx),
    "HAProxy": Server(["haproxy"], haproxy),
    "GnuTLS": Server(["gnutls-serv"], lambda folder, chain, key, port: [
        "gnutls-serv", "--quiet", "-p", str(port), "--x509certfile", f"{chain}.pem", "--x509keyfile", key,
        "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3"]),
    "Go": Server(["go"], lambda folder, chain, key, port: [f"{folder}/sizes-go", f"{chain}.pem", key, str(port)], build_go),
    "Java": Server(["java", "javac"], lambda folder, chain, key, port: [
        "java", "-Xshare:auto", "-cp", folder, "Sizes", f"{chain}.p12", str(port)], build_java),
    "Node.js": Server(["node"], lambda folder, chain, key, port: [
        "node", f"{folder}/sizes.js", f"{chain}.pem", key, str(port)],
        lambda folder: write(f"{folder}/sizes.js", NODE)),
    "rustls": Server(["cargo"], lambda folder, chain, key, port: [
        f"{folder}/rustls_server", f"{chain}.pem", key, str(port)], build_rustls),
}


# --- measuring


def measure(tool, folder, server, kind, length, row):
    port = free_port()
    capture = os.path.join(folder, "loopback.pcap")
    recorder = subprocess.Popen(
        ["tcpdump", "-i", "lo", "--immediate-mode", "-U", "-s", "0", "-w", capture, f"tcp port {port}"],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for line in recorder.stderr:
        if "listening on" in line:
            break
    process = server.start(folder, kind, length, port)
    served = []
    try:
        if not is_open(port):
            print(f"  {server.needs[0]} does not serve {kind}", file=sys.stderr)
            return
        for client, options in CLIENTS.items():
            done = subprocess.run(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", NAME, "-tls1_3", "-brief", *options],
                input=b"Q\n", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=20, check=False)
            if b"CONNECTION ESTABLISHED" in done.stderr:
                served.append(client)
    finally:
        process.kill()
        process.wait()
        time.sleep(0.3)
        recorder.send_signal(signal.SIGINT)
        recorder.wait()
    expected = {
        "served": f"{kind}-{length}.pem",
        "near": f"{kind}-near-{length}.pem",
        "same": f"{kind}-same-{length}.pem",
        "other": f"{OTHER[kind]}-{length}.pem",
    }
    told = {
        what: flows_of(tool, capture, os.path.join(folder, path)) for what, path in expected.items()
    }
    with_chain = flows_of(tool, capture, os.path.join(folder, f"{kind}-3.pem"))
    with_nothing = flows_of(tool, capture, None)
    for number, client in enumerate(served):
        context = f"{' '.join(server.needs)} {kind} x{length} {client}"
        row.flows += 1
        key = reason(told["served"][number], "server-key")
        row.count("key", "withheld" if key is None else "right" if KEYS[kind][1] in key else "wrong", context)
        row.count("chain", how_many(with_chain[number], length), context)
        row.count("one", how_many(with_nothing[number], length), context)
        for what in expected:
            flow = told[what][number]
            consistent = reason(flow, "expected-cert.consistent") is not None
            inconsistent = reason(flow, "expected-cert.inconsistent") is not None
            if what == "same" and consistent:
                row.same += 1
                continue
            if not consistent and not inconsistent:
                answer = "withheld"
            else:
                answer = "right" if consistent == (what == "served") else "wrong"
            if what != "same":
                row.count("certificate", answer, f"{context} expecting {what}")


def how_many(flow, length):
    """Whether what is said of the number of certificates is right, where `length` were served."""
    said = {
        "certificates.one": lambda reason: length == 1,
        "chain.leaf-only": lambda reason: length == 1 and "the intermediate certificate" in reason,
        "chain.several": lambda reason: length > 1 and f"with {length - 1} behind it" in reason,
    }
    answers = [is_right(reason(flow, what)) for what, is_right in said.items() if reason(flow, what)]
    if not answers:
        return "withheld"
    return "right" if all(answers) else "wrong"


def flows_of(tool, capture, certificate):
    expected = ["--expected-cert", certificate] if certificate else []
    lines = subprocess.check_output([tool, "-q", "-f", "jsonl", *expected, capture], text=True)
    flows = [json.loads(line) for line in lines.splitlines()]
    # Probes of the port never came to TLS.
    return sorted((flow for flow in flows if flow.get("tls", {}).get("version")), key=lambda flow: flow["@timestamp"])


def reason(flow, what):
    found = [one["reason"] for one in flow["tlstriage"].get("inferred", []) if one["id"] == what]
    return found[0] if found else None


def free_port():
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


def is_open(port):
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            time.sleep(0.1)
    return False


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1]), sys.argv[2:]))
