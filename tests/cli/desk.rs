//! The captures of the stories, and the desk they lie on.

use super::*;

/// A handshake that ends well.
pub(crate) fn good_conversation() -> Conversation {
    let authority = Certificate::authority("Example CA").self_signed();
    let leaf = Certificate::new("api.example")
        .names(&["api.example"])
        .signed_by(&authority);
    Conversation::between("10.1.0.5:50112", "10.1.0.4:443")
        .syn()
        .tls12(
            &ClientHello::new().sni("api.example"),
            &[leaf.der, authority.der],
        )
        .fin()
}

/// An hour later: no name, a certificate of nobody, and a client that does not trust it.
pub(crate) fn bad_conversation() -> Conversation {
    let leaf = Certificate::new("nobody.invalid").self_signed();
    Conversation::between("10.1.0.5:50113", "10.1.0.9:8443")
        .at(1_700_003_600_000_000_000)
        .syn()
        .tls12_distrusted(&ClientHello::new(), &[leaf.der], UNKNOWN_CA)
}

pub(crate) fn good() -> Vec<u8> {
    written(good_conversation().segments().packets())
}

pub(crate) fn bad() -> Vec<u8> {
    written(bad_conversation().segments().packets())
}

pub(crate) fn both() -> Vec<u8> {
    let packets = [good_conversation(), bad_conversation()].map(|said| said.segments().packets());
    written(packets.concat())
}

pub(crate) fn many(flows: u16) -> Vec<u8> {
    written(frames(flows))
}

pub(crate) fn frames(flows: u16) -> Vec<Packet> {
    let hello = ClientHello::new().sni("api.example");
    let one = |at: u16| {
        let client = format!("10.1.0.5:{}", 20_000 + at);
        let begin = 1_700_000_000_000_000_000 + i64::from(at) * 1_000_000_000;
        Conversation::between(&client, "10.1.0.4:443")
            .at(begin)
            .syn()
            .tls13(&hello.clone().tls13())
            .fin()
    };
    (0..flows)
        .flat_map(|at| one(at).segments().packets())
        .collect()
}

pub(crate) fn written(packets: Vec<Packet>) -> Vec<u8> {
    Pcap::new().write(&Link::Ethernet, &packets.on(&Link::Ethernet))
}

/// A directory in which the command runs.
pub(crate) struct Desk(pub(crate) TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn with(self, name: &str, bytes: &[u8]) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    pub(crate) fn link(&self, from: &str, to: &str) {
        fs::hard_link(self.path(from), self.path(to)).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn command<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tlstriage"));
        command
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Told {
        self.command(arguments).output().unwrap().into()
    }

    pub(crate) fn run_with<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        input: &[u8],
    ) -> Told {
        let mut command = self.command(arguments);
        let piped = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap().into()
    }
}

/// What the command said.
pub(crate) struct Told {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Told {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Told {
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// A text of each line; an empty one where there is none.
    pub(crate) fn each(&self, pointer: &str) -> Vec<String> {
        let text = |line: &Value| {
            line.pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        self.lines().iter().map(text).collect()
    }
}

/// A run whose standard input stays open.
pub(crate) struct Live {
    pub(crate) child: Child,
    pub(crate) stdin: std::process::ChildStdin,
}

impl Live {
    /// Starts it, and waits until it listens for signals.
    pub(crate) fn start(desk: &Desk, arguments: &[&str]) -> Self {
        let mut command = desk.command(arguments);
        let piped = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let live = Self { child, stdin };
        for _ in 0..500 {
            if catches_sigint(&fs::read_to_string(&status).unwrap()) {
                return live;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("it does not listen");
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.stdin.write_all(bytes).unwrap();
        wait();
    }

    pub(crate) fn signal(&self, name: &str) {
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "kill -s \"$0\" \"$1\"",
            name,
            &self.child.id().to_string(),
        ]);
        assert!(command.status().unwrap().success());
    }

    /// What it says, while standard input is still open.
    pub(crate) fn end(mut self) -> Told {
        let (mut out, mut err) = (String::new(), String::new());
        self.child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut out)
            .unwrap();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut err)
            .unwrap();
        let code = self.child.wait().unwrap().code().unwrap();
        Told { code, out, err }
    }
}

/// Whether signal 2 is in the set of those that are caught (proc_pid_status(5), `SigCgt`).
pub(crate) fn catches_sigint(status: &str) -> bool {
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    caught.is_some_and(|set| u64::from_str_radix(set.trim(), 16).unwrap() & 2 != 0)
}

/// Time enough for what the program does by itself.
pub(crate) fn wait() {
    std::thread::sleep(std::time::Duration::from_millis(500));
}
