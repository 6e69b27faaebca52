//! `cargo xtask plugin-host`: the example server on its sample plugins; its load test; and a look at
//! its page with a browser, which is a part of `cargo xtask test`.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::debian::Packages;
use crate::guests;
use crate::process::{self, say};
use crate::profile::Profile;
use crate::toolchain::Way;
use crate::uv_run;
use crate::workspace::Workspace;

/// The sample plugins.
const SAMPLES: [&str; 3] = ["flaky", "rate-limiter", "tailer"];

/// The longest wait for any one step. The first includes compiling the plugins.
const DEADLINE: Duration = Duration::from_secs(120);

/// The largest permitted picture in the repository.
const LARGEST_PICTURE: u64 = 150_000;

/// The server's load test.
const LOAD_TEST: &str = "load::no_message_is_lost_beside_clients_that_misbehave";

/// A plugin that crashes within a second, and does not restart during the check.
const CRASHED: &str = "[config]\nevery = 20\nticks = 40\n\n[limits]\nmemory = \"8M\"\n\n\
                       [restart]\ninitial = 600\nmax = 600\n";

/// Debian's browser.
const CHROMIUM: Packages = Packages {
    names: &["chromium"],
    purpose: "looking at a page",
    elsewhere: "Looking at the server's page needs Chromium or Chrome in the PATH",
};

/// Builds everything and runs the server on the samples, in target/plugin-host, until it is interrupted.
pub fn run(workspace: &Workspace, forced: Option<Way>, listen: &str) -> Result<()> {
    let guests = guests::build(workspace, forced)?;
    let server = uv_run::build_program(workspace, Profile::Quick, "plugin-host")?;
    let dir = workspace.target_dir.join("plugin-host");
    lay_out(workspace, &guests, &dir)?;
    say(format_args!(
        "the plugins are in {}: change them, then `kill -HUP` the server; Ctrl-C stops it",
        dir.display()
    ));
    process::run(Command::new(server).args(["--listen", listen]).arg(dir))
}

/// Runs the server's load test for so many seconds, and shows its report.
pub fn load(workspace: &Workspace, forced: Option<Way>, seconds: u32) -> Result<()> {
    ensure!(seconds > 0, "a load takes some time");
    let guests = guests::build(workspace, forced)?;
    let mut cargo = process::cargo();
    cargo.args(["test", "--profile", Profile::Quick.name(), "--test", "server"]);
    for package in workspace.with_wasmtime() {
        cargo.args(["--package", &package.name]);
    }
    workspace.os.select(&mut cargo);
    cargo.args(["--", "--nocapture", "--exact", LOAD_TEST]);
    cargo.env("UV_HANDLES_GUESTS", guests).env("UV_HANDLES_LOAD_SECONDS", seconds.to_string());
    process::run(&mut cargo)
}

/// Looks at the page, and takes a picture of it.
pub fn picture(workspace: &Workspace, forced: Option<Way>, file: &Path) -> Result<()> {
    let guests = guests::build(workspace, forced)?;
    let chromium = chromium(workspace.installs)?;
    look(workspace, &guests, &chromium, Some(file))
}

/// Looks at the page, if a browser is installed.
pub fn check(workspace: &Workspace, guests: &Path) -> Result<()> {
    match chromium(workspace.installs) {
        Ok(chromium) => look(workspace, guests, &chromium, None),
        Err(error) => {
            say(format_args!("the page of the example server is not looked at: {error:#}"));
            Ok(())
        }
    }
}

/// The samples' manifests and components, in a directory of their own.
fn lay_out(workspace: &Workspace, guests: &Path, dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let manifests = workspace.root.join("examples/plugin-host/conf");
    for sample in SAMPLES {
        for (from, file) in
            [(&manifests, format!("{sample}.toml")), (&guests.into(), format!("{sample}.wasm"))]
        {
            let from = from.join(&file);
            fs::copy(&from, dir.join(file)).with_context(|| format!("cannot copy {}", from.display()))?;
        }
    }
    Ok(())
}

/// A browser that is there, or may be installed.
fn chromium(installs: bool) -> Result<PathBuf> {
    let find = || {
        let path = env::var_os("PATH").unwrap_or_default();
        let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
        let files = env::split_paths(&path).flat_map(|dir| names.map(|name| dir.join(name)));
        files.into_iter().find(|file| file.is_file())
    };
    match find() {
        Some(chromium) => Ok(chromium),
        None => {
            CHROMIUM.ensure(installs)?;
            find().context("Debian's chromium is installed, but not in the PATH")
        }
    }
}

/// Runs the server, gives its plugins something to do, and looks at the page.
fn look(workspace: &Workspace, guests: &Path, chromium: &Path, picture: Option<&Path>) -> Result<()> {
    let program = uv_run::build_program(workspace, Profile::Quick, "plugin-host")?;
    let dir = tempfile::tempdir()?;
    let plugins = dir.path().join("plugins");
    lay_out(workspace, guests, &plugins)?;
    fs::write(plugins.join("flaky.toml"), CRASHED)?;
    let server = Server::start(Command::new(program).args(["--listen", "127.0.0.1:0"]).arg(plugins))?;
    let _connections = busy(&server)?;

    say("looking at the page of the example server");
    let url = format!("http://{}/", server.address);
    let mut browser = headless(chromium, dir.path());
    // So much of the page's own time passes, in which it refreshes itself.
    browser.args(["--virtual-time-budget=3500", "--enable-logging=stderr", "--dump-dom", &url]);
    let (dom, log) = output(&mut browser)?;
    judge(&dom, &log, &server.address.to_string())
        .with_context(|| format!("the page is not as expected:\n{dom}\n{log}"))?;
    if let Some(picture) = picture {
        let mut browser = headless(chromium, dir.path());
        browser.args(["--window-size=1120,560", "--hide-scrollbars"]);
        browser.arg(format!("--screenshot={}", picture.display())).arg(&url);
        output(&mut browser)?;
        let size = fs::metadata(picture).with_context(|| format!("no {}", picture.display()))?.len();
        ensure!(size <= LARGEST_PICTURE, "{} has {size} bytes, which is too large", picture.display());
        say(format_args!("the picture is {} ({size} bytes)", picture.display()));
    }
    server.stop()
}

/// Whether the page shows what it should.
fn judge(dom: &str, log: &str, address: &str) -> Result<()> {
    for (name, state, shown) in [
        ("flaky", "backing-off", "backing off"),
        ("rate-limiter", "running", "running"),
        ("tailer", "running", "running"),
    ] {
        let row = format!("<tbody id=\"plugin-{name}\" data-state=\"{state}\">");
        let (_, row) = dom.split_once(&row).with_context(|| format!("{name} is not {state}"))?;
        let (row, _) = row.split_once("</tbody>").context("a row has no end")?;
        ensure!(row.contains(&format!("<span class=\"name\">{name}</span>")), "{name} is not named");
        ensure!(row.contains(&format!("\">{shown}</span>")), "the state of {name} is not shown");
        let reason = "<strong>flaky: </strong>it panicked: it was bound to happen";
        ensure!(row.contains(reason) == (name == "flaky"), "{name} has the wrong reason");
    }
    ensure!(dom.contains(&format!("<span id=\"origin\">http://{address}</span>")), "the script has not run");
    ensure!(dom.contains("data-refreshed=\""), "the page has not refreshed itself");
    ensure!(!dom.contains("class=\"stale\""), "the page could not refresh itself");
    ensure!(!log.contains("CONSOLE"), "the browser complains of the page");
    Ok(())
}

/// Gives every plugin something to do, and waits until it has done it.
fn busy(server: &Server) -> Result<[TcpStream; 2]> {
    for sample in ["rate-limiter", "tailer"] {
        server.until(sample, |plugin| plugin["state"] == "running")?;
    }
    let mut source = TcpStream::connect(server.listens("tailer", "lines")?)?;
    source.write_all(b"INFO all is well\nERROR the disk is full\nWARN the disk is nearly full\n")?;
    let mut client = TcpStream::connect(server.listens("rate-limiter", "clients")?)?;
    for key in 0..20 {
        client.write_all(format!("user-{key}\n").repeat(8).as_bytes())?;
    }
    server.request("POST", "/plugins/tailer/message", b"hello")?;
    server.request("POST", "/plugins/rate-limiter/message", b"burst 20")?;
    server.until("flaky", |plugin| plugin["state"] == "backing-off")?;
    // Each of the keys gets its tokens back.
    server.until("rate-limiter", |plugin| plugin["timers"].as_u64() >= Some(100))?;
    server.until("tailer", |plugin| plugin["messages"]["accepted"] == 1)?;
    Ok([source, client])
}

/// The browser without a window. Its profile is kept below `dir`.
fn headless(chromium: &Path, dir: &Path) -> Command {
    let mut browser = Command::new(chromium);
    browser.args(["--headless", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"]);
    // Independent of the user's desktop.
    browser.args(["--force-device-scale-factor=1", "--lang=en"]);
    browser.arg(format!("--user-data-dir={}", dir.join("profile").display()));
    if rustix::process::geteuid().is_root() {
        // Chromium refuses to sandbox itself as root. It sees one page, and that is ours.
        browser.arg("--no-sandbox");
    }
    browser
}

/// Runs a command to its end, within a time limit. Returns both of its outputs.
fn output(command: &mut Command) -> Result<(String, String)> {
    let mut child = Killed(
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{}`", process::shown(command)))?,
    );
    let read = |mut stream: Box<dyn Read + Send>| {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            // Use the output that was read so far.
            let _ = stream.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let stdout = read(Box::new(child.0.stdout.take().context("no pipe")?));
    let stderr = read(Box::new(child.0.stderr.take().context("no pipe")?));
    let status = child.wait().with_context(|| format!("`{}`", process::shown(command)))?;
    let texts = [stdout, stderr].map(|thread| thread.join().unwrap_or_default());
    ensure!(status.success(), "`{}` failed ({status}): {}", process::shown(command), texts[1]);
    Ok(texts.into())
}

/// A process that is killed when this is dropped.
struct Killed(Child);

impl Killed {
    fn wait(&mut self) -> Result<std::process::ExitStatus> {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            ensure!(begin.elapsed() < DEADLINE, "it does not end within {DEADLINE:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        // Both fail if it has ended, which is not an error.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The server.
struct Server {
    child: Killed,
    address: SocketAddr,
}

impl Server {
    fn start(command: &mut Command) -> Result<Server> {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = Killed(child.with_context(|| format!("cannot start `{}`", process::shown(command)))?);
        let mut line = String::new();
        BufReader::new(child.0.stdout.take().context("no pipe to the server")?).read_line(&mut line)?;
        let address =
            line.trim().strip_prefix("plugin-host: http://").and_then(|rest| rest.strip_suffix('/'));
        let address = address.with_context(|| format!("the server says {line:?}"))?.parse()?;
        Ok(Server { child, address })
    }

    fn request(&self, method: &str, path: &str, body: &[u8]) -> Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        )?;
        stream.write_all(body)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("the answer has no end")?;
        ensure!(head.starts_with("HTTP/1.1 2"), "{method} {path}: {answer}");
        Ok(body.to_owned())
    }

    fn plugin(&self, name: &str) -> Result<Value> {
        let all: Value = serde_json::from_str(&self.request("GET", "/plugins", b"")?)?;
        let plugins = all.as_array().context("no list of plugins")?;
        Ok(plugins.iter().find(|plugin| plugin["name"] == name).cloned().unwrap_or_default())
    }

    fn until(&self, name: &str, condition: impl Fn(&Value) -> bool) -> Result<Value> {
        let begin = Instant::now();
        loop {
            let plugin = self.plugin(name)?;
            if condition(&plugin) {
                return Ok(plugin);
            }
            if begin.elapsed() > DEADLINE {
                bail!("{name} does not do what is expected: {plugin:#}");
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn listens(&self, name: &str, socket: &str) -> Result<SocketAddr> {
        let plugin = self.plugin(name)?;
        let address = plugin["listens"][socket].as_str();
        Ok(address.with_context(|| format!("{name} has no socket {socket}"))?.parse()?)
    }

    /// Stops it, and checks that all plugins stop by themselves.
    fn stop(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child.0), Signal::TERM)?;
        let status = self.child.wait()?;
        ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::judge;

    fn page(flaky: &str, main: &str) -> String {
        let row = |name: &str, state: &str, more: &str| {
            let shown = state.replace('-', " ");
            format!(
                "<tbody id=\"plugin-{name}\" data-state=\"{state}\"><span class=\"name\">{name}</span>\
                 <span class=\"badge {state}\">{shown}</span>{more}</tbody>"
            )
        };
        let rows = row("flaky", "backing-off", flaky)
            + &row("rate-limiter", "running", "")
            + &row("tailer", "running", "");
        format!("<main id=\"plugins\"{main}>{rows}</main><span id=\"origin\">http://a:1</span>")
    }

    #[test]
    fn a_page_is_judged_by_its_dom() {
        let reason = "<strong>flaky: </strong>it panicked: it was bound to happen (x)";
        let good = page(reason, " data-refreshed=\"2\"");
        judge(&good, "", "a:1").unwrap();
        for (page, log, address) in [
            (&page("", " data-refreshed=\"2\""), "", "a:1"),
            (&page(reason, ""), "", "a:1"),
            (&page(reason, " data-refreshed=\"2\" class=\"stale\""), "", "a:1"),
            (&good.replace("running", "failed"), "", "a:1"),
            (&good, "INFO:CONSOLE(1)", "a:1"),
            (&good, "", "b:1"),
        ] {
            judge(page, log, address).unwrap_err();
        }
    }
}
