#!/usr/bin/env python3
"""Measures what is said of a client's reaction in TLS 1.3 without keys, and of resumption: the tables of docs/tls13.md.

    tls13_reactions.py TLSTRIAGE [CLIENT ...]

Real clients, those that are installed, meet `openssl s_server` with a certificate that they trust, with one of an authority that they
do not know, and with one for another name; with and without SNI. They also resume a session. tcpdump records the loopback. What the
tool says is compared with what the client did, which is known from how it was started. Ends with 1 if anything was wrong. Not
part of `.ci/run`: it takes a minute.
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

NAME = "localhost"
OTHER = "other.example"
#: A client that refuses in this way is told with these verdicts and confidences: without and with a name.
ALERT = {"no-sni": ("no-sni.rejected", "medium"), "sni": ("sni.rejected", "medium")}
SILENT = {"no-sni": ("no-sni.probably-rejected", "medium"), "sni": ("sni.rejected", "medium low")}
GOOD = {"no-sni": ("no-sni.tolerated", "high"), "sni": ("ok", "high")}


def main(tool, wanted):
    wrong = []
    print("| client | refuses | by | without SNI | with a name | resumed: told |")
    print("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        make_certificates(folder)
        for name, client in CLIENTS.items():
            if (wanted and name not in wanted) or not all(shutil.which(need) for need in client.needs):
                continue
            client.prepare(folder)
            resumed = resumption(tool, folder, client, wrong, name)
            for case in ("trusted", "unknown authority", "other name"):
                cells, by = [], "–"
                for sni in ("no-sni", "sni"):
                    command = client.command(folder, case, sni)
                    if command is None:
                        cells.append("–")
                        continue
                    flows = meet(tool, folder, "other" if case == "other name" else "good", [command])
                    said = [(f["rule"]["id"], f["tlstriage"]["verdict"]["confidence"]) for f in flows]
                    table = GOOD if case == "trusted" else ALERT if is_clear(flows) else SILENT
                    verdict, confidence = table[sni]
                    if not (len(said) == 1 and said[0][0] == verdict and said[0][1] in confidence):
                        wrong.append(f"{name}, {case}, {sni}: {said}")
                    by = how(flows)
                    cells.append(", ".join(f"`{verdict}` {confidence}" for verdict, confidence in said) or "nothing")
                print(f"| {name} | {case} | {by} | {' | '.join(cells)} | {resumed if case == 'trusted' else ''} |", flush=True)
    for line in wrong:
        print(f"wrong: {line}", file=sys.stderr)
    return 1 if wrong else 0


def is_clear(flows):
    return any(not alert.get("encrypted") for flow in flows for alert in flow["tlstriage"].get("alerts", []))


def how(flows):
    """What the client sent behind the server's flight, and who closed, by the tool's own eyes and tshark's lengths."""
    flow = flows[0] if flows else None
    if flow is None:
        return "nothing"
    alerts = [alert.get("name") or "sealed" for alert in flow["tlstriage"].get("alerts", [])]
    shake = flow["tlstriage"]["handshake"]
    records = " ".join(flow["lens"]) or "no record"
    return f"{records}{' alert in clear: ' + ', '.join(alerts) if alerts else ''}; {shake.get('closed_by', 'nobody')} {shake.get('close', '')}".strip()


def resumption(tool, folder, client, wrong, name):
    command = client.resume(folder)
    if command is None:
        return "–"
    flows = meet(tool, folder, "good", command)
    said = [bool(flow["tls"].get("resumed")) for flow in flows]
    if said != [False, True]:
        wrong.append(f"{name}, resumption: {said}")
    if flows and flows[-1]["tlstriage"]["server"].get("certificate") != "resumed":
        wrong.append(f"{name}, resumption: the certificate")
    by = flows[-1]["tlstriage"].get("resumed_from", {}).get("by", "nothing") if flows else "nothing"
    return f"{sum(said)} of {len(said) - 1}, by {by}"


def meet(tool, folder, server, commands):
    """Runs the clients one after the other against a server, and gives the flows that are told."""
    port = free_port()
    capture = os.path.join(folder, "loopback.pcap")
    recorder = subprocess.Popen(
        ["tcpdump", "-i", "lo", "--immediate-mode", "-U", "-s", "0", "-w", capture, f"tcp port {port}"],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for line in recorder.stderr:
        if "listening on" in line:
            break
    serving = subprocess.Popen(
        ["openssl", "s_server", "-accept", str(port), "-cert", f"{folder}/{server}.pem", "-key", f"{folder}/{server}.key",
         "-cert_chain", f"{folder}/root.pem", "-tls1_3", "-www", "-quiet"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        for command in commands:
            subprocess.run([part.replace("{port}", str(port)) for part in command], input=b"GET / HTTP/1.0\r\n\r\n",
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30, check=False)
    finally:
        time.sleep(0.3)
        serving.kill()
        serving.wait()
        recorder.send_signal(signal.SIGINT)
        recorder.wait()
    lines = subprocess.check_output([tool, "-q", "-f", "jsonl", capture], text=True)
    flows = [json.loads(line) for line in lines.splitlines()]
    flows = sorted((flow for flow in flows if flow.get("tls", {}).get("version")), key=lambda flow: flow["@timestamp"])
    for flow in flows:
        flow["lens"] = sealed(capture, flow["source"]["port"])
    return flows


def sealed(capture, port):
    """The lengths of the client's protected records."""
    text = subprocess.check_output(
        ["tshark", "-r", capture, "-Y", f"tls.record.opaque_type == 23 && tcp.srcport == {port}", "-T", "fields", "-e", "tls.record.length",
         "-d", "tcp.port==1-65535,tls"], text=True, stderr=subprocess.DEVNULL)
    return [part for part in text.replace("\n", ",").split(",") if part and part not in "16"][:3]


# --- certificates


def make_certificates(folder):
    at = lambda name: os.path.join(folder, name)
    with open(at("openssl.cnf"), "w", encoding="ascii") as file:
        file.write("[req]\ndistinguished_name = name\n[name]\n")
    for root in ("root", "unknown"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", "-config", at("openssl.cnf"), "-subj", f"/CN={root}",
                "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", at(f"{root}.key"), "-out", at(f"{root}.pem"))
    for name, names in (("good", f"DNS:{NAME},DNS:localhost.localdomain,IP:127.0.0.1"), ("other", f"DNS:{OTHER}")):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-config", at("openssl.cnf"), "-subj", f"/CN={name}",
                "-addext", f"subjectAltName={names}", "-CA", at("root.pem"), "-CAkey", at("root.key"),
                "-keyout", at(f"{name}.key"), "-out", at(f"{name}.pem"))


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# --- clients


class Client:
    """A client: `command` gives it for a case and a kind of SNI, `resume` the commands that make a session and go back to it."""

    def __init__(self, needs, command, resume=None, prepare=None):
        self.needs = needs
        self.command = command
        self.resume = resume or (lambda folder: None)
        self.prepare = prepare or (lambda folder: None)


def trust(folder, case):
    return f"{folder}/{'unknown' if case == 'unknown authority' else 'root'}.pem"


def host(sni):
    return NAME if sni == "sni" else "127.0.0.1"


def s_client(folder, case, sni):
    name = ["-servername", NAME] if sni == "sni" else ["-noservername"]
    verify = ["-verify_hostname", NAME] if case == "other name" else []
    return ["openssl", "s_client", "-connect", "127.0.0.1:{port}", "-CAfile", trust(folder, case), "-verify_return_error", *verify, *name,
            "-ign_eof", "-quiet"]


def curl(folder, case, sni):
    return ["curl", "-s", "--noproxy", "*", "--resolve", f"{NAME}:{{port}}:127.0.0.1", "--cacert", trust(folder, case), f"https://{host(sni)}:{{port}}/"]


def gnutls(folder, case, sni):
    name = [] if sni == "sni" else ["--disable-sni"]
    return ["gnutls-cli", "--x509cafile", trust(folder, case), *name, "--verify-hostname", NAME, "-p", "{port}", NAME]


GO = """package main
import ("crypto/tls"; "crypto/x509"; "fmt"; "io"; "os"; "time")
func main() {
    pem, _ := os.ReadFile(os.Args[1])
    roots := x509.NewCertPool(); roots.AppendCertsFromPEM(pem)
    config := &tls.Config{RootCAs: roots, ServerName: os.Args[2], ClientSessionCache: tls.NewLRUClientSessionCache(4)}
    for i := 0; i < len(os.Args) - 3; i++ {
        c, err := tls.Dial("tcp", "127.0.0.1:" + os.Args[3], config)
        if err != nil { fmt.Println(err); continue }
        fmt.Fprint(c, "GET / HTTP/1.0\\r\\n\\r\\n"); io.Copy(io.Discard, c); c.Close(); time.Sleep(100 * time.Millisecond)
    }
}
"""

JAVA = """import javax.net.ssl.*; import java.io.*; import java.net.*; import java.security.*; import java.security.cert.*;
public class Reacts { public static void main(String[] a) throws Exception {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType()); store.load(null, null);
    store.setCertificateEntry("root", CertificateFactory.getInstance("X.509").generateCertificate(new FileInputStream(a[0])));
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX"); trust.init(store);
    SSLContext context = SSLContext.getInstance("TLSv1.3"); context.init(null, trust.getTrustManagers(), null);
    for (int i = 0; i < a.length - 2; i++) {
        try {
            SSLSocket s = (SSLSocket) context.getSocketFactory().createSocket(a[1], Integer.parseInt(a[2]));
            SSLParameters p = s.getSSLParameters(); p.setEndpointIdentificationAlgorithm("HTTPS"); s.setSSLParameters(p);
            s.getOutputStream().write("GET / HTTP/1.0\\r\\n\\r\\n".getBytes()); s.getInputStream().readAllBytes(); s.close();
        } catch (IOException e) { }
        Thread.sleep(100);
    }
} }
"""

NODE = """const tls = require('tls'), fs = require('fs'), [ca, servername, port, again] = process.argv.slice(2);
function go(session, times) {
  let kept = null;
  const c = tls.connect({host: '127.0.0.1', port: Number(port), ca: fs.readFileSync(ca), servername: servername === '-' ? '' : servername, session,
    checkServerIdentity: (name, cert) => tls.checkServerIdentity(servername === '-' ? '127.0.0.1' : servername, cert)},
    () => c.write('GET / HTTP/1.0\\r\\n\\r\\n'));
  c.on('session', s => kept = s); c.on('data', () => {}); c.on('error', () => {});
  c.on('close', () => { if (times > 1) setTimeout(() => go(kept, times - 1), 100); });
}
go(undefined, again ? 2 : 1);
"""

PYTHON = """import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
session = None
for _ in sys.argv[3:]:
    with socket.create_connection(("127.0.0.1", int(sys.argv[3]))) as s:
        with context.wrap_socket(s, server_hostname=sys.argv[2], session=session) as c:
            c.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            while c.recv(4096): pass
            session = c.session
"""


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def build_go(folder):
    write(f"{folder}/reacts.go", GO)
    subprocess.run(["go", "build", "-o", f"{folder}/reacts-go", f"{folder}/reacts.go"], check=True, cwd=folder,
                   env={**os.environ, "GOCACHE": f"{folder}/go-cache", "GO111MODULE": "off"})


def build_java(folder):
    write(f"{folder}/Reacts.java", JAVA)
    subprocess.run(["javac", "-d", folder, f"{folder}/Reacts.java"], check=True)


def java(folder, case, sni):
    # A name without a dot is not sent as SNI.
    return ["java", "-Xshare:auto", "-Djdk.net.hosts.file=" + hosts(folder), "-cp", folder, "Reacts", trust(folder, case),
            "127.0.0.1" if sni == "no-sni" else JAVA_NAME[case], "{port}"]


JAVA_NAME = {"trusted": "localhost.localdomain", "unknown authority": "localhost.localdomain", "other name": "localhost.localdomain"}


def hosts(folder):
    write(f"{folder}/hosts", "127.0.0.1 localhost.localdomain\n")
    return f"{folder}/hosts"



CLIENTS = {
    "OpenSSL `s_client`": Client(["openssl"], s_client, lambda folder: [
        [*s_client(folder, "trusted", "sni"), "-sess_out", f"{folder}/session"],
        [*s_client(folder, "trusted", "sni"), "-sess_in", f"{folder}/session"]]),
    "curl": Client(["curl"], curl, lambda folder: None),
    "GnuTLS `gnutls-cli`": Client(["gnutls-cli"], gnutls, lambda folder: [
        ["gnutls-cli", "--x509cafile", f"{folder}/root.pem", "--resume", "--waitresumption", "-p", "{port}", NAME]]),
    "Go": Client(["go"], lambda folder, case, sni: [f"{folder}/reacts-go", trust(folder, case), host(sni), "{port}"], lambda folder: [
        [f"{folder}/reacts-go", f"{folder}/root.pem", NAME, "{port}", "again"]], build_go),
    "Java (JSSE)": Client(["java", "javac"], java, lambda folder: [[*java(folder, "trusted", "sni"), "again"]], build_java),
    "Node.js": Client(["node"], lambda folder, case, sni: [
        "node", f"{folder}/reacts.js", trust(folder, case), NAME if sni == "sni" else "-", "{port}"], lambda folder: [
        ["node", f"{folder}/reacts.js", f"{folder}/root.pem", NAME, "{port}", "again"]],
        lambda folder: write(f"{folder}/reacts.js", NODE)),
    "Python": Client(["python3"], lambda folder, case, sni: [
        "python3", f"{folder}/reacts.py", trust(folder, case), host(sni), "{port}"], lambda folder: [
        ["python3", f"{folder}/reacts.py", f"{folder}/root.pem", NAME, "{port}", "again"]],
        lambda folder: write(f"{folder}/reacts.py", PYTHON)),
}


def free_port():
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


def wait_for(port):
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1]), sys.argv[2:]))
