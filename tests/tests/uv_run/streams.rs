//! The command `uv-run` and its standard streams: it uses them as a C program does that calls
//! read(2) and write(2) when the guest asks for it.

// Terminals and modes of descriptors.
#![cfg(unix)]

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use uv_handles_tests::os::{flags, patient, set_nonblocking, terminal};
use uv_handles_tests::process::{Process, find, redirected, uv_run};
use uv_handles_tests::*;

foreach_uv_run_streams!(assert_test_exists);

/// The guest of this suite, with its task.
fn program(options: &[&str], args: &[&str]) -> Command {
    let mut command = uv_run(options, UV_RUN_STREAMS_PROGRAM);
    command.args(args);
    command
}

/// The output of a run that succeeds.
#[track_caller]
fn printed(command: Command) -> Vec<String> {
    let mut process = Process::spawn(command);
    let (code, stderr) = (process.exit_code(), process.stderr.all());
    assert_eq!((code, &stderr[..]), (0, &[][..]));
    process.stdout.all()
}

fn file(content: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file.rewind().unwrap();
    file
}

/// Inputs of each kind, and the writing side of those that have one. Each comes once more in
/// non-blocking mode.
fn inputs(content: &[u8]) -> Vec<(OwnedFd, Option<OwnedFd>)> {
    let mut nonblocking = Vec::from(blocking_inputs(content));
    nonblocking.iter().for_each(|(input, _)| set_nonblocking(input.as_fd(), true));
    nonblocking.extend(blocking_inputs(content));
    nonblocking
}

fn blocking_inputs(content: &[u8]) -> [(OwnedFd, Option<OwnedFd>); 4] {
    let (read, write) = std::io::pipe().unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (master, slave) = terminal();
    let writers: [OwnedFd; 3] = [write.into(), ours.into(), master];
    for writer in &writers {
        File::from(writer.try_clone().unwrap()).write_all(content).unwrap();
    }
    let [pipe, socket, master] = writers;
    [
        (file(content).into(), None),
        (read.into(), Some(pipe)),
        (theirs.into(), Some(socket)),
        (slave, Some(master)),
    ]
}

#[test]
fn uv_run_streams_program() {
    for (input, writer) in inputs(b"one\ntwo\nthree\n") {
        let mut kept = File::from(input.try_clone().unwrap());
        let before = flags(input.as_fd());
        let mut command = program(&["--stdin"], &["take", "4"]);
        command.stdin(input);
        assert_eq!(printed(command), [r#""one\n""#]);
        assert_eq!(flags(kept.as_fd()), before);
        let mut rest = [0; 10];
        kept.read_exact(&mut rest).unwrap();
        assert_eq!(&rest, b"two\nthree\n", "the next program reads what this one has not");
        drop(writer);
    }
}

#[test]
fn nothing_is_read_for_a_guest_that_does_not_read() {
    for (input, writer) in inputs(b"keep me\n") {
        let mut kept = File::from(input.try_clone().unwrap());
        let mut command = program(&["--stdin", "--signal", "hup,term"], &["waits"]);
        command.stdin(input);
        let mut process = Process::spawn(command);
        assert_eq!(process.stdout.next_line().as_deref(), Some("ready"));
        for (signum, name) in [(libc::SIGHUP, "SIGHUP"), (libc::SIGTERM, "SIGTERM")] {
            process.kill(signum);
            assert_eq!(process.stdout.next_line().as_deref(), Some(name));
        }
        assert_eq!(process.exit_code(), 0);
        let mut all = [0; 8];
        kept.read_exact(&mut all).unwrap();
        assert_eq!(&all, b"keep me\n");
        drop(writer);
    }
}

#[test]
fn what_is_ready_is_reported_until_it_is_read() {
    for (input, _writer) in inputs(b"once\n") {
        let mut command = program(&["--stdin"], &["level-triggered"]);
        command.stdin(input);
        assert_eq!(printed(command), [r#""once\n""#]);
    }
}

#[test]
fn no_time_passes_while_an_input_is_ready() {
    let (read, mut write) = std::io::pipe().unwrap();
    write.write_all(b"abc").unwrap();
    drop(write);
    let inputs: [(OwnedFd, u32); 3] =
        [(file(&[b'a'; 1000]).into(), 1000), (read.into(), 3), (File::open("/dev/null").unwrap().into(), 0)];
    for (input, count) in inputs {
        let mut command = program(&["--stdin", "--virtual-time"], &["reads-in-no-time"]);
        command.stdin(input);
        assert_eq!(printed(command), [&format!("{count} bytes, the end at 0"), "a day has passed"]);
    }
}

/// A shell that runs a script with this command as its arguments. Its standard input is its
/// terminal, of which it is the foreground.
fn shell_of_a_terminal(theirs: OwnedFd, script: &str, job: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-mc", script, "sh"]);
    shell.arg(job.get_program()).args(job.get_args()).env_remove("RUST_LOG");
    shell.stdin(theirs).stdout(Stdio::piped()).stderr(Stdio::piped());
    // SAFETY: both are system calls, which may be made between fork and exec.
    unsafe {
        shell.pre_exec(|| {
            // A session of its own, whose terminal is the standard input.
            match libc::setsid() != -1 && libc::ioctl(0, libc::TIOCSCTTY as _, 0) == 0 {
                true => Ok(()),
                false => Err(std::io::Error::last_os_error()),
            }
        });
    }
    shell
}

/// A job of a shell in the background of its terminal.
#[test]
fn a_background_job_that_does_not_read_is_not_stopped() {
    let (ours, theirs) = terminal();
    let job = program(&["--stdin", "--signal", "hup,term"], &["waits"]);
    let script = r#""$@" & echo "pid: $!"; wait $!; echo "code: $?""#;
    let shell = shell_of_a_terminal(theirs, script, &job);
    let mut shell = Process::spawn(shell);
    let job: libc::pid_t = find(&mut shell, "pid").parse().unwrap();
    assert_eq!(shell.stdout.next_line().as_deref(), Some("ready"));
    let mut master = File::from(ours);
    let mut echo = [0; 7];
    master.write_all(b"typed\n").unwrap();
    master.read_exact(&mut echo).unwrap();
    assert_eq!(&echo, b"typed\r\n");
    for _ in 0..20 {
        // SAFETY: it takes numbers only. The shell has not waited for the job yet.
        assert_eq!(unsafe { libc::kill(job, libc::SIGHUP) }, 0);
        assert_eq!(shell.stdout.next_line().as_deref(), Some("SIGHUP"));
    }
    // SAFETY: as above.
    assert_eq!(unsafe { libc::kill(job, libc::SIGTERM) }, 0);
    assert_eq!(shell.stdout.next_line().as_deref(), Some("SIGTERM"));
    assert_eq!(find(&mut shell, "code"), "0");
}

/// A job in the background that does read is stopped, as any program, and reads when it comes to
/// the foreground.
#[test]
fn a_background_job_that_reads_waits_for_the_foreground() {
    let (ours, theirs) = terminal();
    let job = program(&["--stdin"], &["take", "6"]);
    let script = r#""$@" & job=$!; echo "pid: $job"; read go; fg >/dev/null; echo "code: $?""#;
    let mut shell = Process::spawn(shell_of_a_terminal(theirs, script, &job));
    find(&mut shell, "pid");
    // The first line is the shell's own. The job may try to read it, and is stopped then.
    File::from(ours.try_clone().unwrap()).write_all(b"go\ntyped\n").unwrap();
    assert_eq!(shell.stdout.next_line().as_deref(), Some(r#""typed\n""#));
    assert_eq!(find(&mut shell, "code"), "0");
}

/// A pipeline of a shell: the writer is faster than the guest, and the reader ends before it.
#[test]
fn it_is_a_link_of_a_pipeline() {
    let script = r#"(yes 2>/dev/null; true) | "$@" | head -n 3; echo "code: $?""#;
    let copies = program(&["--stdin", "--stdout-as", "out"], &["copies"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(copies.get_program()).args(copies.get_args());
    shell.env_remove("RUST_LOG").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut shell = Process::spawn(shell);
    assert_eq!(shell.stdout.all(), ["y", "y", "y", "code: 0"]);
    assert_eq!(shell.stderr.all(), ["it ended with EPIPE: broken pipe"]);
    assert_eq!(shell.exit_code(), 0);
}

/// Other readers take the bytes that poll(2) has reported. A read that then blocks must not keep
/// the process from ending. The outcome of the race between them varies, so there are many.
#[test]
fn it_ends_with_its_guest_although_others_read_its_input() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let mut reader = theirs.try_clone().unwrap();
            scope.spawn(move || while reader.read(&mut [0; 4096]).unwrap() > 0 {});
        }
        for _ in 0..30 {
            let mut command = program(&["--stdin", "--signal", "hup,term"], &["reads-until-term"]);
            command.stdin(OwnedFd::from(theirs.try_clone().unwrap()));
            let mut process = Process::spawn(command);
            assert_eq!(process.stdout.next_line().as_deref(), Some("ready"));
            for _ in 0..200 {
                ours.write_all(b"x").unwrap();
                std::thread::yield_now();
            }
            process.kill(libc::SIGTERM);
            assert_eq!(process.exit_code(), 0);
        }
        drop(ours);
    });
}

#[test]
fn a_killed_run_leaves_no_mode_behind() {
    for (input, _writer) in inputs(b"") {
        let kept = input.try_clone().unwrap();
        let before = flags(kept.as_fd());
        let (_reader, output) = std::io::pipe().unwrap();
        let output_before = flags(output.as_fd());
        let options = ["--stdin", "--stdout-as", "out", "--signal", "hup,term"];
        let mut command = program(&options, &["reads-until-term"]);
        command.stdin(input).stderr(output.try_clone().unwrap());
        let mut process = Process::spawn(command);
        assert_eq!(process.stdout.next_line().as_deref(), Some("ready"));
        process.kill(libc::SIGKILL);
        process.wait();
        assert_eq!((flags(kept.as_fd()), flags(output.as_fd())), (before, output_before));
    }
}

/// Numbered lines, as the guest prints them.
fn numbered(count: u32) -> String {
    (0..count).map(|number| format!("{number:06} {}\n", ".".repeat(42))).collect()
}

/// The guest's writes to `out` and its prints, in turn.
fn mixed() -> String {
    (0..1000).map(|number| format!("print {number}, descriptor {number}, print\ndescriptor\n")).collect()
}

/// Reads to the end, slowly: a few bytes at a time.
fn read_slowly(reader: OwnedFd) -> String {
    let mut all = Vec::new();
    let mut reader = File::from(reader);
    let mut piece = [0; 500];
    // A terminal ends with an error, and changes newlines.
    while let Ok(read @ 1..) = reader.read(&mut piece) {
        all.extend(piece[..read].iter().filter(|&&byte| byte != b'\r'));
    }
    String::from_utf8(all).unwrap()
}

/// Outputs of each kind with a reader, and each once more in non-blocking mode.
fn outputs() -> Vec<(OwnedFd, OwnedFd)> {
    let mut all = Vec::new();
    for nonblocking in [false, true] {
        let (read, write) = std::io::pipe().unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let pairs: [(OwnedFd, OwnedFd); 3] =
            [(read.into(), write.into()), (patient(ours).into(), theirs.into()), terminal()];
        for (reader, output) in pairs {
            if nonblocking {
                set_nonblocking(output.as_fd(), true);
            }
            all.push((reader, output));
        }
    }
    all
}

#[test]
fn a_slow_reader_gets_everything_that_is_printed_whatever_the_mode() {
    for (reader, output) in outputs() {
        let mut command = program(&[], &["prints", "5000"]);
        command.stdout(output);
        let mut process = Process::spawn(command);
        assert!(read_slowly(reader) == numbered(5000));
        assert_eq!(process.exit_code(), 0);
    }
}

#[test]
fn what_is_printed_and_what_is_written_to_stdout_as_keep_their_order() {
    let mut file = tempfile::tempfile().unwrap();
    let mut command = program(&["--stdout-as", "out"], &["mixes"]);
    command.stdout(file.try_clone().unwrap());
    assert_eq!(printed(command), [""; 0]);
    let mut all = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut all).unwrap();
    assert!(all == mixed());

    for (reader, output) in outputs() {
        let before = flags(output.as_fd());
        let kept = output.try_clone().unwrap();
        let mut command = program(&["--stdout-as", "out"], &["mixes"]);
        command.stdout(output);
        let mut process = Process::spawn(command);
        let reading = std::thread::spawn(move || read_slowly(reader));
        assert_eq!(process.exit_code(), 0);
        assert_eq!(flags(kept.as_fd()), before);
        drop(kept);
        assert!(reading.join().unwrap() == mixed());
    }
}

#[test]
fn nothing_is_lost_when_the_guest_traps() {
    let mut file = tempfile::tempfile().unwrap();
    let mut command = program(&["--stdout-as", "out"], &["writes-and-traps"]);
    command.stdout(file.try_clone().unwrap());
    assert_eq!(Process::spawn(command).exit_code(), 1);
    let mut all = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut all).unwrap();
    assert_eq!(all, "descriptor\nprint");
}

/// The guest fills standard error, so that uv-run itself cannot print a message either.
#[test]
fn a_timeout_ends_a_run_whose_standard_error_is_full() {
    let (_never_read, stderr) = std::io::pipe().unwrap();
    let mut command = program(&["--timeout", "0.2"], &["prints-errors"]);
    command.stderr(stderr);
    assert_eq!(Process::spawn(command).exit_code(), 124);
}

#[test]
fn a_closed_input_is_empty_and_a_closed_output_an_error() {
    let take = program(&["--stdin"], &["take", "4"]);
    assert_eq!(printed(redirected(&take, "<&-")), [r#""""#]);

    let writes = program(&["--stdout-as", "out"], &["writes"]);
    let mut process = Process::spawn(redirected(&writes, ">&-"));
    assert_eq!(process.exit_code(), 1);
    let stderr = process.stderr.all().join("\n");
    assert!(stderr.contains("EBADF"), "{stderr}");

    let prints = program(&[], &["prints", "1"]);
    let mut process = Process::spawn(redirected(&prints, ">&-"));
    assert_eq!(process.exit_code(), 1, "what cannot be printed is not lost without a word");
}

#[test]
fn no_file_takes_the_number_of_a_closed_stream() {
    let waits = program(&["--stdin", "--listen", "a=127.0.0.1:0", "--signal", "hup,term"], &["waits"]);
    let mut process = Process::spawn(redirected(&waits, "<&- 2>&-"));
    assert_eq!(process.stdout.next_line().as_deref(), Some("ready"));
    for number in [0, 2] {
        let link = fs::read_link(format!("/proc/{}/fd/{number}", process.id())).unwrap();
        assert_eq!(link.to_str(), Some("/dev/null"));
    }
    process.kill(libc::SIGTERM);
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn a_terminal_as_standard_error_shows_nothing_of_its_own() {
    let (ours, theirs) = terminal();
    let mut command = program(&[], &["prints", "1"]);
    command.stderr(theirs);
    let mut process = Process::spawn(command);
    assert_eq!(process.exit_code(), 0);
    drop(process);
    assert_eq!(read_slowly(ours), "");
}
