//! Uses standard streams in the way that its first argument names.

use std::cell::Cell;
use std::io::Write;
use std::rc::Rc;
use uv_handles::{
    Descriptor, Error, Handle, Loop, Poll, PollEvents, Result, RunMode, Signal, Signum, StatusCode, Timer,
};

/// In milliseconds.
const DAY: u64 = 24 * 60 * 60 * 1000;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args[0].as_str() {
        "take" => take(args[1].parse().expect("a number")),
        "waits" => waits(),
        "reads-until-term" => reads_until_term(),
        "mixes" => mixes(),
        "prints" => prints(args[1].parse().expect("a number")),
        "prints-errors" => prints_errors(),
        "reads-in-no-time" => reads_in_no_time(),
        "writes" => Descriptor::open("out")?.write(b"hello\n").map(drop),
        "writes-and-traps" => writes_and_traps(),
        "level-triggered" => level_triggered(),
        "copies" => copies(),
        other => panic!("there is no {other}"),
    }
}

/// Reads this many bytes in one call, once they are there, and prints them.
fn take(count: usize) -> Result<()> {
    let event_loop = Loop::new()?;
    let stdin = Rc::new(Descriptor::open("stdin")?);
    let poll = Poll::new(&event_loop, &stdin)?;
    poll.start_with(PollEvents::READABLE, move |poll, _| {
        let bytes = stdin.read_vec(count as u32).expect("it is readable");
        println!("{:?}", String::from_utf8_lossy(&bytes));
        poll.close();
    })?;
    event_loop.run(RunMode::Default).map(drop)
}

/// Opens and polls nothing, and answers SIGHUP until SIGTERM.
fn waits() -> Result<()> {
    let event_loop = Loop::new()?;
    answer_signals(&event_loop, || {})
}

/// Reads its input all the time, until SIGTERM.
fn reads_until_term() -> Result<()> {
    let event_loop = Loop::new()?;
    let stdin = Rc::new(Descriptor::open("stdin")?);
    let poll = Poll::new(&event_loop, &stdin)?;
    poll.start_with(PollEvents::READABLE, move |_, _| {
        let read = stdin.read_vec(4096);
        assert!(matches!(read, Ok(_) | Err(Error::Status(StatusCode::EAGAIN))), "{read:?}");
    })?;
    answer_signals(&event_loop, move || poll.close())
}

fn answer_signals(event_loop: &Loop, end: impl FnOnce() + 'static) -> Result<()> {
    let mut end = Some(end);
    for signum in [Signum::SIGHUP, Signum::SIGTERM] {
        let signal = Signal::new(event_loop)?;
        let end = if signum == Signum::SIGTERM { end.take() } else { None };
        let end = Cell::new(end);
        signal.start_with(signum, move |signal, signum| {
            println!("{signum}");
            if let Some(end) = end.take() {
                end();
                signal.event_loop().stop();
            }
        })?;
    }
    println!("ready");
    event_loop.run(RunMode::Default).map(drop)
}

/// Writes to the descriptor `out` and to standard output in turn, whole lines and parts of lines.
fn mixes() -> Result<()> {
    let out = Descriptor::open("out")?;
    for number in 0..1000 {
        print!("print {number}, ");
        std::io::stdout().flush().expect("it can be written");
        write_all(&out, format!("descriptor {number}, ").as_bytes())?;
        println!("print");
        write_all(&out, b"descriptor\n")?;
    }
    Ok(())
}

fn write_all(out: &Descriptor, mut bytes: &[u8]) -> Result<()> {
    let event_loop = Loop::new()?;
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Error::Status(StatusCode::EAGAIN)) => {
                let poll = Poll::new(&event_loop, out)?;
                poll.start_with(PollEvents::WRITABLE, |poll, _| poll.close())?;
                event_loop.run(RunMode::Default)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Prints this many numbered lines.
fn prints(count: u32) -> Result<()> {
    for number in 0..count {
        println!("{number:06} {}", ".".repeat(42));
    }
    Ok(())
}

/// Prints on standard error without end.
fn prints_errors() -> Result<()> {
    loop {
        eprintln!("{}", "!".repeat(100));
    }
}

/// Reads its input to the end, a byte for each callback, while a timer waits for a day.
fn reads_in_no_time() -> Result<()> {
    let event_loop = Loop::new()?;
    let stdin = Rc::new(Descriptor::open("stdin")?);
    let day = Timer::new(&event_loop)?;
    day.start_with(DAY, 0, |_| println!("a day has passed"))?;
    let poll = Poll::new(&event_loop, &stdin)?;
    let bytes = Cell::new(0);
    poll.start_with(PollEvents::READABLE, move |poll, _| match stdin.read_vec(1) {
        Ok(read) if read.is_empty() => {
            let now = poll.event_loop().now().expect("the loop is open");
            println!("{} bytes, the end at {now}", bytes.get());
            poll.close();
        }
        Ok(_) => bytes.set(bytes.get() + 1),
        Err(error) => panic!("{error}"),
    })?;
    event_loop.run(RunMode::Default).map(drop)
}

fn writes_and_traps() -> Result<()> {
    let out = Descriptor::open("out")?;
    write_all(&out, b"descriptor\n")?;
    print!("print");
    std::io::stdout().flush().expect("it can be written");
    std::process::abort()
}

/// Does not read what is there for some callbacks, which come nevertheless; then reads it.
fn level_triggered() -> Result<()> {
    let event_loop = Loop::new()?;
    let stdin = Rc::new(Descriptor::open("stdin")?);
    let poll = Poll::new(&event_loop, &stdin)?;
    let calls = Cell::new(0);
    poll.start_with(PollEvents::READABLE, move |poll, _| {
        calls.set(calls.get() + 1);
        if calls.get() > 3 {
            let bytes = stdin.read_vec(100).expect("it is readable");
            println!("{:?}", String::from_utf8_lossy(&bytes));
            poll.close();
        }
    })?;
    event_loop.run(RunMode::Default).map(drop)
}

/// Copies its input to `out`, until one of them ends.
fn copies() -> Result<()> {
    let event_loop = Loop::new()?;
    let stdin = Rc::new(Descriptor::open("stdin")?);
    let out = Descriptor::open("out")?;
    let poll = Poll::new(&event_loop, &stdin)?;
    poll.start_with(PollEvents::READABLE, move |poll, _| {
        let bytes = stdin.read_vec(4096).expect("it is readable");
        let copied = write_all(&out, &bytes);
        if let Err(Error::Status(status)) = copied {
            eprintln!("it ended with {status}");
        }
        if bytes.is_empty() || copied.is_err() {
            poll.close();
        }
    })?;
    event_loop.run(RunMode::Default).map(drop)
}
