//! The server under test, and a client of its own. Nothing here waits for a time to pass: conditions are asked
//! for until they hold, or until a deadline that only a failure reaches.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A directory of plugins.
pub struct Directory(TempDir);

impl Directory {
    pub fn new() -> Directory {
        Directory(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A manifest for one of the sample plugins.
    pub fn plugin(&self, name: &str, guest: &str, manifest: &str) {
        self.component(name, &guest_file(guest), manifest);
    }

    /// A manifest for a component.
    pub fn component(&self, name: &str, file: &Path, manifest: &str) {
        let component = format!("{name}.wasm");
        // Concurrent readers see the old or the new file.
        let fresh = self.path().join(format!(".{component}"));
        std::fs::copy(file, &fresh).unwrap();
        std::fs::rename(fresh, self.path().join(component)).unwrap();
        self.file(&format!("{name}.toml"), manifest);
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path().join(name), content).unwrap();
    }

    pub fn remove(&self, name: &str) {
        std::fs::remove_file(self.path().join(name)).unwrap();
    }
}

/// A component that `cargo xtask guests` has built.
pub fn guest_file(guest: &str) -> PathBuf {
    let guests = std::env::var_os("UV_HANDLES_GUESTS").expect("UV_HANDLES_GUESTS says where the guests are");
    Path::new(&guests).join(format!("{guest}.wasm"))
}

/// The program.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plugin-host"));
    command.env_remove("RUST_LOG").env("RUST_BACKTRACE", "0");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A server that runs. It is killed when this is dropped.
pub struct Server {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    pub directory: Directory,
}

/// The response to a request.
#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    pub head: String,
    pub body: String,
}

impl Server {
    pub fn start(directory: Directory) -> Server {
        Server::with(directory, &[])
    }

    pub fn with(directory: Directory, options: &[&str]) -> Server {
        let mut command = program();
        command.args(["--listen", "127.0.0.1:0"]).args(options).arg(directory.path());
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, stderr) = (log.clone(), child.stderr.take().unwrap());
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                lines.lock().unwrap().push(line);
            }
        });
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let address =
            first.trim().strip_prefix("plugin-host: http://").and_then(|rest| rest.strip_suffix('/'));
        let address = address.unwrap_or_else(|| panic!("{first:?}")).parse().unwrap();
        Server { child, address, log, directory }
    }

    /// Asks until there is an answer.
    pub fn until<T>(&self, what: &str, mut ask: impl FnMut(&Server) -> Option<T>) -> T {
        let begin = Instant::now();
        loop {
            if let Some(answer) = ask(self) {
                return answer;
            }
            let log = || self.log.lock().unwrap().join("\n");
            assert!(begin.elapsed() < PATIENCE, "{what} does not come; the log:\n{}", log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, b"")
    }

    pub fn post(&self, path: &str, body: &[u8]) -> Answer {
        self.request("POST", path, body)
    }

    /// Where it serves HTTP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn request(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        self.exchange(method, path, &format!("Host: {}\r\n", self.address), body, body.len() as u64)
    }

    /// A request with these headers, whose body is declared to have a length.
    pub fn exchange(&self, method: &str, path: &str, headers: &str, body: &[u8], length: u64) -> Answer {
        self.raw(method, path, &format!("{headers}Content-Length: {length}\r\n"), body)
    }

    /// A request with these headers and this body.
    pub fn raw(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        read_answer(self.send(method, path, headers, body))
    }

    /// A request whose sender sends nothing more after so much of the body, and waits for the answer.
    pub fn half_closed(&self, method: &str, path: &str, body: &[u8], length: u64) -> Answer {
        let headers = format!("Host: {}\r\nContent-Length: {length}\r\n", self.address);
        let stream = self.send(method, path, &headers, body);
        stream.shutdown(Shutdown::Write).unwrap();
        read_answer(stream)
    }

    fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        // The server may answer before it has read everything.
        let _ = stream.write_all(body);
        stream
    }

    /// A plugin as the server describes it.
    pub fn plugin(&self, name: &str) -> Value {
        let answer = self.get(&format!("/plugins/{name}"));
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    /// Waits until a plugin is in a state, and answers with all of it.
    pub fn in_state(&self, name: &str, state: &str) -> Value {
        self.until(&format!("{name} {state}"), |server| {
            let plugin = server.plugin(name);
            (plugin["state"] == state).then_some(plugin)
        })
    }

    /// Where a socket that the server has bound for a plugin listens.
    pub fn listens(&self, name: &str, socket: &str) -> SocketAddr {
        self.in_state(name, "running")["listens"][socket].as_str().unwrap().parse().unwrap()
    }

    /// Waits for a line of the log that has this in it.
    pub fn logged(&self, text: &str) -> String {
        self.until(&format!("the log's {text:?}"), |server| {
            server.log.lock().unwrap().iter().find(|line| line.contains(text)).cloned()
        })
    }

    /// How many lines of the log have this in them.
    pub fn count(&self, text: &str) -> usize {
        self.log.lock().unwrap().iter().filter(|line| line.contains(text)).count()
    }

    /// How often the directory has been read.
    fn loads(&self) -> usize {
        self.count(" as they were, ")
    }

    /// Waits until the directory has been read for the first time.
    pub fn loaded(self) -> Server {
        self.until("the first load", |server| (server.loads() > 0).then_some(()));
        self
    }

    /// Reads the directory again.
    pub fn reload(&self) {
        let before = self.loads();
        self.signal("HUP");
        self.until("the reload", |server| (server.loads() > before).then_some(()));
    }

    /// Sends the server a signal.
    pub fn signal(&self, name: &str) {
        let status = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.child.id())).status();
        assert!(status.unwrap().success());
    }

    /// Waits for its end, and answers with its exit code.
    pub fn exit_code(&mut self) -> i32 {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or_else(|| panic!("{status}"));
            }
            assert!(begin.elapsed() < PATIENCE, "it does not end");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the server's log:\n{}", self.log.lock().unwrap().join("\n"));
        }
    }
}

/// Reads until the server closes the connection.
fn read_answer(mut stream: TcpStream) -> Answer {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    let code = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { code, head: head.to_ascii_lowercase(), body: body.into() }
}
