//! The options of `uv-run`: what each grants, limits or changes, as a user meets it. The grants that
//! `uv_run.rs` covers are not repeated here, nor what is refused, which is in `uv_run_bad_input.rs`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;
use uv_handles_tests::os::{listener, make_fifo, read_exactly};
use uv_handles_tests::process::{Process, uv_run};
use uv_handles_tests::*;

foreach_uv_run_options!(assert_test_exists);

const LINE_STATS: &str = "line-stats";

/// A run with these arguments.
fn start(options: &[&str], guest: &str, args: &[&str]) -> Process {
    let mut command = uv_run(options, guest);
    command.args(args);
    Process::spawn(command)
}

/// How a run has ended.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    code: i32,
    stdout: Vec<String>,
    stderr: Vec<String>,
}

/// A run with these arguments, to its end.
fn ended(options: &[&str], guest: &str, args: &[&str]) -> Ended {
    let mut process = start(options, guest, args);
    let code = process.exit_code();
    Ended { code, stdout: process.stdout.all(), stderr: process.stderr.all() }
}

impl Ended {
    /// It ended well, said nothing else, and printed these lines.
    #[track_caller]
    fn printed(&self, lines: &[&str]) {
        assert_eq!((self.code, &self.stderr[..]), (0, &[][..]), "{self:?}");
        assert_eq!(self.stdout, lines);
    }
}

/// A directory, and the name of a file in it that is not there yet.
fn place() -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("place").to_str().unwrap().to_owned();
    (dir, path)
}

/// A connection that waits with patience.
fn patient(stream: UnixStream) -> UnixStream {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A socket on a free port, and where it is.
fn udp() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// The text of the next datagram, and who has sent it.
fn received(socket: &UdpSocket) -> (String, SocketAddr) {
    let mut buffer = [0; 100];
    let (length, sender) = socket.recv_from(&mut buffer).expect("the guest answers");
    (String::from_utf8_lossy(&buffer[..length]).into_owned(), sender)
}

/// What follows the title in the next line with this title.
fn find(process: &mut Process, title: &str) -> String {
    let prefix = format!("{title}: ");
    process.stdout.find(|line| line.strip_prefix(&prefix).map(str::to_owned))
}

/// Waits until the copying guest has opened what it was told to.
fn ready(process: &mut Process) {
    process.stderr.find(|line| (line == "ready").then_some(()));
}

// --timeout

/// It ends with the code of timeout(1), and one sentence.
fn times_out(way: &str) {
    let ended = ended(&["--timeout", "0.5"], UV_RUN_OPTIONS_NEVER_ENDS, &[way]);
    assert_eq!(ended.code, 124, "{ended:?}");
    assert_eq!(ended.stderr, ["uv-run: the guest was ended after 0.5 s (--timeout)"]);
    assert!(!ended.stdout.contains(&"ended".to_owned()), "{ended:?}");
}

#[test]
fn uv_run_options_never_ends() {
    times_out("waits");
}

#[test]
fn a_timeout_ends_a_guest_that_computes() {
    times_out("computes");
}

#[test]
fn a_timeout_ends_a_guest_that_sleeps_in_wasi() {
    times_out("sleeps");
}

#[test]
fn a_timeout_that_does_not_pass_changes_nothing() {
    ended(&["--timeout", "3600", "--virtual-time"], UV_RUN_OPTIONS_MANY_TIMERS, &["3"])
        .printed(&["3 fired, the last at 920 ms"]);
}

// --virtual-time

/// What the guest prints in a day: timers in the order of their times, and at the same time in the
/// order in which they were armed.
fn a_day() -> Vec<String> {
    const DAY: u64 = 24 * 60 * 60 * 1000;
    let mut lines = vec!["begins at 0".to_owned()];
    let mut armed = 0;
    let mut timers = BinaryHeap::new();
    for (due, repeat) in
        [25_000, 60_000, 77_777, 3_600_000].map(|repeat| (repeat, repeat)).into_iter().chain([(DAY, 0)])
    {
        armed += 1;
        timers.push(Reverse((due, armed, repeat)));
    }
    while let Some(Reverse((now, _, repeat))) = timers.pop() {
        if now > DAY {
            break;
        }
        if repeat == 0 {
            lines.push(format!("a day at {now}"));
        } else {
            lines.push(format!("{repeat} at {now}"));
            armed += 1;
            timers.push(Reverse((now + repeat, armed, repeat)));
        }
    }
    lines
}

#[test]
fn uv_run_options_a_day() {
    let expected = a_day();
    assert!(expected.len() > 6000, "{}", expected.len());
    for _ in 0..2 {
        let ended = ended(&["--virtual-time"], UV_RUN_OPTIONS_A_DAY, &[]);
        assert_eq!((ended.code, &ended.stderr[..]), (0, &[][..]));
        // Not assert_eq, which would print both.
        let differs = ended.stdout.iter().zip(&expected).position(|(line, expected)| line != expected);
        assert_eq!((differs, ended.stdout.len()), (None, expected.len()));
    }
}

// Limits

#[test]
fn uv_run_options_many_timers() {
    ended(&["--max-handles", "200000", "--virtual-time"], UV_RUN_OPTIONS_MANY_TIMERS, &["100000"])
        .printed(&["100000 fired, the last at 1000 ms"]);
}

/// The timers up to the limit fire, the next one is refused.
fn refuses_after(limit: u32, options: &[&str]) {
    let wanted = (limit + 1).to_string();
    let ended = ended(&[options, &["--virtual-time"]].concat(), UV_RUN_OPTIONS_MANY_TIMERS, &[&wanted]);
    assert_eq!((ended.code, &ended.stderr[..], ended.stdout.len()), (0, &[][..], 2), "{ended:?}");
    assert!(ended.stdout[0].starts_with(&format!("after {limit}: ENOMEM")), "{ended:?}");
    assert!(ended.stdout[1].starts_with(&format!("{limit} fired")), "{ended:?}");
}

#[test]
fn one_handle_more_than_allowed_is_enomem() {
    refuses_after(10, &["--max-handles", "10"]);
    refuses_after(0, &["--max-handles", "0"]);
}

#[test]
fn without_an_option_65536_handles_are_allowed() {
    refuses_after(65_536, &[]);
}

/// The guests of the library's own tests, with limits that come from the command line.
#[test]
fn max_handles_and_max_loops_limit_all_kinds() {
    let options = ["--max-handles", "5", "--wake", "tick", "--wake", "tock"];
    ended(&options, HANDLE_LIMIT, &[]).printed(&[]);
    ended(&["--max-loops", "3"], EVENT_LOOP_LIMIT, &[]).printed(&[]);
}

#[test]
fn one_descriptor_more_than_allowed_is_emfile() {
    let options = ["--stdin", "--stdout-as", "out", "--max-descriptors"];
    let run = |limit| ended(&[&options[..], &[limit]].concat(), UV_RUN_OPTIONS_COPY, &["stdin", "out"]);
    assert_eq!(run("2").code, 0);
    let refused = run("1");
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.join("\n").contains("EMFILE"), "{refused:?}");
}

#[test]
fn uv_run_options_memory() {
    ended(&[], UV_RUN_OPTIONS_MEMORY, &["64", "1"]).printed(&["64 MiB: granted", "1 MiB: granted"]);
    ended(&["--max-memory", "16M"], UV_RUN_OPTIONS_MEMORY, &["64", "1"])
        .printed(&["64 MiB: refused", "1 MiB: granted"]);
}

#[test]
fn a_guest_that_can_not_do_without_memory_traps_and_the_limit_is_named() {
    let ended = ended(&["--max-memory", "16M"], UV_RUN_OPTIONS_MEMORY, &["1", "must", "64", "1"]);
    assert_eq!((ended.code, &ended.stdout[..]), (1, &["1 MiB: granted".to_owned()][..]), "{ended:?}");
    let expected = "uv-run: it had asked for more memory than --max-memory allows";
    assert!(ended.stderr.contains(&expected.to_owned()), "{ended:?}");
}

// Wake-ups

#[test]
fn uv_run_options_wake_ups() {
    let options = ["--wake", "print=usr1", "--wake", "end=SIGUSR2"];
    let mut process = start(&options, UV_RUN_OPTIONS_WAKE_UPS, &[]);
    assert_eq!(process.stdout.next_line().as_deref(), Some("ready"));
    for _ in 0..3 {
        process.kill(libc::SIGUSR1);
        assert_eq!(process.stdout.next_line().as_deref(), Some("print"));
    }
    process.kill(libc::SIGUSR2);
    assert_eq!(process.exit_code(), 0);
    assert_eq!(process.stdout.all(), ["ready", "print", "print", "print", "end"]);
    assert!(process.stderr.all().is_empty());
}

/// Sends lines, and reads the answer to each.
struct Control(BufReader<UnixStream>);

impl Control {
    fn connect(path: &str) -> Control {
        Control(BufReader::new(patient(UnixStream::connect(path).expect("uv-run listens"))))
    }

    fn ask(&mut self, line: &str) -> String {
        self.0.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        self.0.read_line(&mut answer).expect("every line is answered");
        answer
    }
}

#[test]
fn a_line_on_the_control_socket_sends_a_wake_up() {
    let (_dir, path) = place();
    let options = ["--wake", "print", "--wake", "end=usr2", "--control", &path];
    let mut process = start(&options, UV_RUN_OPTIONS_WAKE_UPS, &[]);
    assert_eq!(process.stdout.next_line().as_deref(), Some("ready"));
    let mut control = Control::connect(&path);
    for _ in 0..3 {
        assert_eq!(control.ask("print"), "ok\n");
        assert_eq!(process.stdout.next_line().as_deref(), Some("print"));
    }
    assert_eq!(control.ask("launch"), "no wake-up has the name \"launch\"; there are: print, end\n");
    assert_eq!(Control::connect(&path).ask("print"), "ok\n", "several clients are served");
    assert_eq!(process.stdout.next_line().as_deref(), Some("print"));
    process.kill(libc::SIGUSR2);
    assert_eq!(process.exit_code(), 0);
    assert!(!Path::new(&path).exists(), "the file is removed at the end");
}

#[test]
fn a_wake_up_that_the_guest_has_not_opened_is_told() {
    let (_dir, path) = place();
    let options = ["--wake", "print=usr1", "--control", &path];
    let mut process = start(&options, UV_RUN_OPTIONS_NEVER_ENDS, &["waits"]);
    assert_eq!(process.stdout.next_line().as_deref(), Some("begins"));
    let why = "the guest has not opened the wake-up yet";
    assert_eq!(Control::connect(&path).ask("print"), format!("{why}\n"));
    process.kill(libc::SIGUSR1);
    let told = format!("uv-run: the signal usr1 did not send \"print\": {why}");
    assert_eq!(process.stderr.next_line(), Some(told));
}

// Descriptors

#[test]
fn a_unix_socket_is_listened_on_and_its_file_removed_at_the_end() {
    let (_dir, path) = place();
    // The file that a run leaves behind which was killed is replaced.
    drop(UnixListener::bind(&path).unwrap());
    let options = ["--unix-listen", &format!("clients={path}"), "--signal", "term"];
    let mut process = start(&options, LINE_STATS, &[]);
    find(&mut process, "summary");
    for _ in 0..2 {
        let mut client = patient(UnixStream::connect(&path).unwrap());
        client.write_all(b"the cat\nthe dog\n").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "you sent 2 lines, 16 bytes\n");
    }
    process.kill(libc::SIGTERM);
    let summary = find(&mut process, "final summary");
    assert!(summary.starts_with("4 lines, 32 bytes, 2 clients, words: the 4"), "{summary}");
    assert_eq!(process.exit_code(), 0);
    assert!(!Path::new(&path).exists());
}

#[test]
fn a_unix_sockets_file_is_removed_after_a_timeout_too() {
    for way in ["waits", "sleeps"] {
        let (_dir, path) = place();
        let options = ["--unix-listen", &format!("clients={path}"), "--timeout", "0.2"];
        assert_eq!(ended(&options, UV_RUN_OPTIONS_NEVER_ENDS, &[way]).code, 124);
        assert!(!Path::new(&path).exists(), "{way}");
    }
}

/// What the guest is told it gives back in upper case, and it ends with its input.
fn answers(process: &mut Process, mut peer: impl Read + Write, shutdown: impl FnOnce()) {
    for text in ["hello\n", "world\n"] {
        peer.write_all(text.as_bytes()).unwrap();
        assert_eq!(read_exactly(&mut peer, text.len()), text.to_uppercase().as_bytes());
    }
    shutdown();
    assert_eq!(process.exit_code(), 0);
    assert_eq!(peer.read(&mut [0]).unwrap(), 0, "the guest's side is closed with it");
}

#[test]
fn uv_run_options_copy() {
    let (listener, address) = listener();
    let option = format!("--connect=peer={address}");
    let mut process = start(&[&option], UV_RUN_OPTIONS_COPY, &["peer", "peer"]);
    ready(&mut process);
    let (peer, _) = listener.accept().unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    let shutdown = peer.try_clone().unwrap();
    answers(&mut process, peer, || shutdown.shutdown(Shutdown::Write).unwrap());
}

#[test]
fn a_unix_socket_is_connected_to() {
    let (_dir, path) = place();
    let listener = UnixListener::bind(&path).unwrap();
    let option = format!("--unix-connect=peer={path}");
    let mut process = start(&[&option], UV_RUN_OPTIONS_COPY, &["peer", "peer"]);
    ready(&mut process);
    let peer = patient(listener.accept().unwrap().0);
    let shutdown = peer.try_clone().unwrap();
    answers(&mut process, peer, || shutdown.shutdown(Shutdown::Write).unwrap());
    assert!(Path::new(&path).exists(), "the file is the other side's");
}

/// Where a UDP socket of this name receives, as uv-run says.
fn receives_on(process: &mut Process, name: &str) -> SocketAddr {
    let prefix = format!("uv-run: {name} receives on ");
    process.stderr.find(|line| Some(line.strip_prefix(&prefix)?.parse().expect("an address")))
}

#[test]
fn a_udp_socket_talks_to_anybody() {
    let mut process = start(&["--udp", "udp=127.0.0.1:0"], DESCRIPTORS_DATAGRAMS, &[]);
    let address = receives_on(&mut process, "udp");
    assert_eq!(process.stdout.next_line(), Some(address.to_string()));
    for text in ["one", "two"] {
        let (ours, sender) = udp();
        ours.send_to(text.as_bytes(), address).unwrap();
        assert_eq!(received(&ours), (text.to_uppercase(), address));
        assert_eq!(process.stdout.next_line(), Some(format!("{sender} {text}")));
    }
    udp().0.send_to(b"end", address).unwrap();
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn a_connected_udp_socket_talks_to_its_peer_only() {
    let ((ours, peer), (stranger, _)) = (udp(), udp());
    let option = format!("--udp=peer=127.0.0.1:0,{peer}");
    let mut process = start(&[&option], UV_RUN_OPTIONS_COPY, &["peer", "peer"]);
    let address = receives_on(&mut process, "peer");
    ready(&mut process);
    stranger.send_to(b"stranger", address).unwrap();
    for text in ["one", "end\n"] {
        ours.send_to(text.as_bytes(), address).unwrap();
        assert_eq!(received(&ours), (text.to_uppercase(), address));
    }
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn a_fifo_is_read_to_the_end_of_its_last_writer() {
    let (_dir, path) = place();
    make_fifo(Path::new(&path));
    let mut process = start(&["--fifo", &format!("fifo={path}")], POLL_FIFO, &[]);
    assert_eq!(process.stdout.next_line().as_deref(), Some("ready"));
    let writer = File::options().write(true).open(&path).unwrap();
    let content = vec![1; 300_000];
    (&writer).write_all(&content).unwrap();
    drop(writer);
    assert_eq!(process.stdout.next_line().as_deref(), Some("300000 bytes, sum 300000"));
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn a_fifo_that_is_opened_for_both_does_not_end_with_its_writers_and_one_can_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let (commands, answers) = (dir.path().join("commands"), dir.path().join("answers"));
    make_fifo(&commands);
    make_fifo(&answers);
    // For `,write` somebody has to read it already.
    let mut reader =
        File::options().read(true).custom_flags(libc::O_NONBLOCK).open(&answers).expect("it does not wait");
    let options = [
        format!("--fifo=commands={},both", commands.display()),
        format!("--fifo=answers={},write", answers.display()),
    ];
    let options = options.each_ref().map(String::as_str);
    let mut process = start(&options, UV_RUN_OPTIONS_COPY, &["commands", "answers"]);
    ready(&mut process);
    for text in ["one\n", "two\n", "end\n"] {
        // Each writer is another one, and closes the FIFO.
        fs::write(&commands, text).unwrap();
        let mut answer = Vec::new();
        wait_until("the answer comes", || {
            if let Err(error) = reader.read_to_end(&mut answer) {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
            }
            answer.len() >= text.len()
        });
        assert_eq!(answer, text.to_uppercase().as_bytes());
    }
    assert_eq!(process.exit_code(), 0);
}

/// Numbered lines, more of them than fit into any pipe.
fn numbered_lines() -> Vec<String> {
    (0..200_000).map(|number| format!("line {number}")).collect()
}

#[test]
fn everything_that_is_written_to_stdout_as_is_out_before_the_end() {
    let lines = numbered_lines();
    let mut command = uv_run(&["--stdin", "--stdout-as", "out"], UV_RUN_OPTIONS_COPY);
    command.args(["stdin", "out"]).stdin(Stdio::piped());
    let mut process = Process::spawn(command);
    let (mut stdin, text) = (process.stdin(), lines.join("\n"));
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()).unwrap());
    let copied = process.stdout.all();
    writer.join().unwrap();
    assert_eq!(copied.len(), lines.len());
    let differs = copied.iter().zip(&lines).find(|(copied, line)| **copied != line.to_uppercase());
    assert_eq!(differs, None);
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn a_write_to_stdout_as_that_nobody_reads_is_epipe() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = uv_run(&["--stdin", "--stdout-as", "out"], UV_RUN_OPTIONS_COPY);
    command.args(["stdin", "out"]).stdin(Stdio::piped()).stdout(writer);
    let mut process = Process::spawn(command);
    process.stdin().write_all(b"hello\n").unwrap();
    assert_eq!(process.exit_code(), 1, "the guest decides what to make of it");
    let stderr = process.stderr.all().join("\n");
    assert!(stderr.contains("EPIPE") && !stderr.contains("uv-run:"), "{stderr}");
}

// WASI

#[test]
fn uv_run_options_wasi() {
    let (own, fixed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(own.path().join("a"), "first").unwrap();
    fs::write(fixed.path().join("b"), "second").unwrap();
    let dir = format!("{}::/own", own.path().display());
    let dir_ro = format!("{}::/fixed", fixed.path().display());
    let options = ["--env", "LEVEL=3=4", "--env", "FROM_OUTSIDE", "--dir", &dir, "--dir-ro", &dir_ro];
    let mut command = uv_run(&options, UV_RUN_OPTIONS_WASI);
    command.args(["/own", "/fixed", "/etc"]).env("FROM_OUTSIDE", "yes").env("NOT_GRANTED", "no");
    let mut process = Process::spawn(command);
    assert_eq!(process.exit_code(), 0);
    assert_eq!(
        process.stdout.all(),
        [
            "FROM_OUTSIDE=yes",
            "LEVEL=3=4",
            "/own/a: first",
            "/own: written",
            "/fixed/b: second",
            "/fixed: not written",
            "/etc: not there",
        ]
    );
    assert_eq!(fs::read_to_string(own.path().join("written")).unwrap(), "by the guest");
    assert!(!fixed.path().join("written").exists());
}

// --config

/// A run with this configuration file and these further options.
fn configured(config: &str, options: &[&str], guest: &str, args: &[&str]) -> Ended {
    let (_dir, path) = place();
    fs::write(&path, config).unwrap();
    ended(&[&["--config", &path], options].concat(), guest, args)
}

#[test]
fn a_configuration_file_equals_the_options() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a"), "first").unwrap();
    let dir = format!("{}::/fixed", dir.path().display());
    let by_options = ended(&["--env", "LEVEL=3", "--dir-ro", &dir], UV_RUN_OPTIONS_WASI, &["/fixed"]);
    by_options.printed(&["LEVEL=3", "/fixed/a: first", "/fixed: not written"]);
    let config = format!("env = {{ LEVEL = 3 }}\ndir-ro = [\"{dir}\"]\n");
    assert_eq!(configured(&config, &[], UV_RUN_OPTIONS_WASI, &["/fixed"]), by_options);

    let options = ["--max-handles", "10", "--virtual-time", "--timeout", "3600"];
    let by_options = ended(&options, UV_RUN_OPTIONS_MANY_TIMERS, &["11"]);
    let config = "max-handles = 10\nvirtual-time = true\ntimeout = 3600.0\n";
    assert_eq!(configured(config, &[], UV_RUN_OPTIONS_MANY_TIMERS, &["11"]), by_options);

    let options = ["--max-memory", "16M", "--no-cache"];
    let by_options = ended(&options, UV_RUN_OPTIONS_MEMORY, &["64"]);
    let config = "max-memory = \"16M\"\nno-cache = true\n";
    assert_eq!(configured(config, &[], UV_RUN_OPTIONS_MEMORY, &["64"]), by_options);

    let by_options = ended(&["--timeout", "0.25"], UV_RUN_OPTIONS_NEVER_ENDS, &["sleeps"]);
    assert_eq!(by_options.code, 124);
    let by_config = configured("timeout = 0.25", &[], UV_RUN_OPTIONS_NEVER_ENDS, &["sleeps"]);
    assert_eq!((by_config.code, by_config.stderr), (124, by_options.stderr));
}

#[test]
fn a_configuration_file_grants_descriptors_signals_and_wake_ups() {
    let (dir, config) = place();
    let socket = dir.path().join("socket");
    let text = format!(
        "stdin = true\nsignal = [\"hup,int\", \"term\"]\nwake = {{ print = \"usr1\" }}\n\
         [unix-listen]\nclients = \"{}\"\n",
        socket.display()
    );
    fs::write(&config, text).unwrap();
    let mut command = uv_run(&["--config", &config], LINE_STATS);
    command.stdin(Stdio::piped());
    let mut process = Process::spawn(command);
    let mut stdin = process.stdin();
    find(&mut process, "summary");
    stdin.write_all(b"one\ntwo\n").unwrap();
    let mut client = patient(UnixStream::connect(&socket).unwrap());
    client.write_all(b"three\n").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_exactly(&mut client, 26), b"you sent 1 lines, 6 bytes\n");
    while !find(&mut process, "summary").starts_with("3 lines, 14 bytes, 1 clients") {}
    process.kill(libc::SIGUSR1);
    find(&mut process, "summary");
    process.kill(libc::SIGHUP);
    assert!(find(&mut process, "reset").starts_with("3 lines"));
    process.kill(libc::SIGTERM);
    assert!(find(&mut process, "final summary").starts_with("0 lines"));
    assert_eq!(process.exit_code(), 0);
    assert!(process.stderr.all().is_empty(), "nothing was denied");
    assert!(!socket.exists());
}

#[test]
fn the_command_line_has_precedence_over_the_configuration_file() {
    let config = "max-handles = 10\nvirtual-time = true\n[env]\nLEVEL = 1\nOTHER = 2\n";
    let ended = configured(config, &["--max-handles", "20"], UV_RUN_OPTIONS_MANY_TIMERS, &["21"]);
    assert!(ended.stdout[0].starts_with("after 20: ENOMEM"), "{ended:?}");
    configured(config, &["--env", "LEVEL=7"], UV_RUN_OPTIONS_WASI, &[]).printed(&["LEVEL=7", "OTHER=2"]);
}

// What uv-run says

#[test]
fn the_imports_are_listed_with_what_grants_them_and_nothing_runs() {
    let ended = ended(&["--list-imports"], LINE_STATS, &[]);
    assert_eq!((ended.code, &ended.stderr[..]), (0, &[][..]), "{ended:?}");
    for (interface, granted_by) in [
        ("uv:handles/event-loop@", "always"),
        ("uv:handles/timer@", "always"),
        ("uv:handles/descriptors@", "--unix-connect"),
        ("uv:handles/signal@", "--signal"),
        ("uv:handles/async-handle@", "--wake"),
        ("wasi:cli/environment@", "--env"),
        ("wasi:cli/stdout@", "always"),
    ] {
        let line = ended.stdout.iter().find(|line| line.starts_with(interface));
        assert!(line.is_some_and(|line| line.contains(granted_by)), "{interface}: {ended:?}");
    }
    for line in &ended.stdout {
        let (name, _) = line.split_once("  ").expect("a name and what grants it");
        assert!(name.contains(":") && name.contains("/") && name.contains("@"), "{line}");
    }
}

#[test]
fn uv_run_options_denied() {
    let ended = ended(&[], UV_RUN_OPTIONS_DENIED, &[]);
    assert_eq!((ended.code, &ended.stdout[..]), (0, &["went on".to_owned()][..]), "{ended:?}");
    let expected = [
        ("the descriptor \"clients\"", "--listen clients=ADDRESS:PORT would grant it"),
        ("the descriptor \"stdin\"", "--stdin would grant"),
        ("the descriptor \"stdout\"", "--stdout-as stdout would grant"),
        ("the signal hup", "--signal hup would grant it"),
        ("the wake-up \"print\"", "--wake print would grant it"),
    ];
    assert_eq!(ended.stderr.len(), expected.len(), "each is told once: {ended:?}");
    for (line, (what, option)) in ended.stderr.iter().zip(expected) {
        assert!(line.starts_with(&format!("uv-run: the guest asked for {what}, which was not granted; ")));
        assert!(line.contains(option), "{line}");
    }
}

#[test]
fn completions_know_the_options() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = ended(&["--completions", shell], LINE_STATS, &[]);
        assert_eq!((ended.code, &ended.stderr[..]), (0, &[][..]), "{shell}");
        let script = ended.stdout.join("\n");
        assert!(script.contains("uv-run") && script.contains("max-descriptors"), "{shell}: {script}");
    }
}

// --signal while there is more to read than can be read

/// Bytes of a line, with its end.
const LINE: usize = 16;

/// What the pipe holds.
const MEGABYTE: usize = 1 << 20;

/// How many bytes wait in a pipe.
fn queued(pipe: &impl AsRawFd) -> usize {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the descriptor is open, and the number has a place.
    let result = unsafe { libc::ioctl(pipe.as_raw_fd(), libc::FIONREAD, &raw mut bytes) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    bytes.try_into().unwrap()
}

/// SIGTERM arrives while a megabyte is queued in the pipe, and more comes without end. What was read until
/// the guest ends is in the final summary, to the last line, and what was not is still in the pipe.
#[test]
fn a_signal_loses_no_line_that_was_read() {
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    // SAFETY: the descriptor is open, and the size is a plain number.
    let size = unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETPIPE_SZ, MEGABYTE as libc::c_int) };
    assert_eq!(size, MEGABYTE as libc::c_int, "{}", std::io::Error::last_os_error());
    let mut command = uv_run(&["--stdin", "--signal", "term", "--wake", "print=usr1"], LINE_STATS);
    command.stdin(reader.try_clone().unwrap());
    let mut process = Process::spawn(command);
    let enough = Arc::new(AtomicBool::new(false));
    let writing = std::thread::spawn({
        let enough = enough.clone();
        move || {
            let text = b"fifteen letters\n".repeat(MEGABYTE / LINE);
            let mut written = 0;
            while !enough.load(Ordering::Relaxed) {
                writer.write_all(&text).unwrap();
                written += text.len();
            }
            written
        }
    });
    // It has read something, and watches the signal. Stopped, it lets the pipe become full; the pages at
    // the ends of what is queued need not be.
    while find(&mut process, "summary").starts_with("0 lines") {}
    process.kill(libc::SIGSTOP);
    wait_until("the pipe is full", || queued(&reader) > MEGABYTE / 4 * 3);
    process.kill(libc::SIGTERM);
    process.kill(libc::SIGCONT);
    let summary = find(&mut process, "final summary");
    assert_eq!(process.exit_code(), 0);
    enough.store(true, Ordering::Relaxed);
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    let written = writing.join().unwrap();

    let mut numbers = summary.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse::<usize>().ok());
    let (lines, bytes) = (numbers.next().unwrap(), numbers.next().unwrap());
    // If the last line that was read was cut off, its beginning is a line.
    assert_eq!(lines, bytes.div_ceil(LINE), "{summary}");
    assert!(summary.ends_with(&format!("words: fifteen {lines}")) || bytes % LINE != 0, "{summary}");
    assert_eq!(bytes + rest.len(), written, "{summary}, and {} bytes are left", rest.len());
}
