//! Programs as text, one step a line. Differences are printed in this form, programs that once
//! differed are kept in it, and a guest gets its program in it.
//!
//! ```text
//! loops 2 guarded
//! h0 timer loop0
//! h1 poll loop1 pair0
//! main
//!   h0 make
//!   h0 start 5 0 with 1
//!   loop0 run-default
//! h0 callback 1
//!   h1 make
//!   h0 close-with
//! h0 closed 1
//!   burn 3
//! ```

use crate::program::*;
use std::fmt;

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let guarded = if self.guarded { " guarded" } else { "" };
        writeln!(f, "loops {}{guarded}", self.loops)?;
        for (at, Declared { kind, owner, source }) in self.handles.iter().enumerate() {
            match (kind, source) {
                (Kind::Poll, Source::Pair(pair)) => writeln!(f, "h{at} poll loop{owner} pair{pair}")?,
                (Kind::Poll, Source::File) => writeln!(f, "h{at} poll loop{owner} file")?,
                _ => writeln!(f, "h{at} {kind} loop{owner}")?,
            }
        }
        writeln!(f, "main")?;
        self.main.iter().try_for_each(|op| writeln!(f, "  {op}"))?;
        for (Place { handle, closed, nth }, ops) in &self.bodies {
            let which = if *closed { "closed" } else { "callback" };
            writeln!(f, "h{handle} {which} {nth}")?;
            ops.iter().try_for_each(|op| writeln!(f, "  {op}"))?;
        }
        Ok(())
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Handle(handle, op) => write!(f, "h{handle} {op}"),
            Op::Loop(at, op) => write!(f, "loop{at} {}", op.name()),
            Op::Source(pair, SourceOp::PeerWrite(bytes)) => write!(f, "pair{pair} peer-write {bytes}"),
            Op::Source(pair, op) => write!(f, "pair{pair} {}", op.name()),
            Op::Raise(signum) => write!(f, "raise {signum}"),
            Op::Burn(milliseconds) => write!(f, "burn {milliseconds}"),
        }
    }
}

impl fmt::Display for HandleOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            HandleOp::Start { start: Start::Timer { timeout, repeat }, .. } => {
                write!(f, " {timeout} {repeat}")?
            }
            HandleOp::Start { start: Start::Poll { events }, .. } => write!(f, " {}", poll_events(*events))?,
            HandleOp::Start { start: Start::Signal { signum, .. }, .. } => write!(f, " {signum}")?,
            HandleOp::SetRepeat(repeat) => write!(f, " {repeat}")?,
            HandleOp::SetCallback(callback) => write!(f, " {callback}")?,
            _ => {}
        }
        match self {
            HandleOp::Start { with: Some(callback), .. } | HandleOp::Send { with: Some(callback) } => {
                write!(f, " with {callback}")
            }
            _ => Ok(()),
        }
    }
}

/// Reads a program. Empty lines and comments after `#` are left out.
///
/// # Errors
///
/// The line that is not one of a program, and why.
pub fn parse(text: &str) -> Result<Program, String> {
    let mut program = Program::default();
    let mut place = None;
    let mut in_main = false;
    for (at, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split('#').next().unwrap_or("").split_whitespace().collect();
        let line = Line { words: &words };
        let mut read = || -> Result<(), String> {
            match words[..] {
                [] => {}
                ["loops", loops] => program.loops = number(loops)?,
                ["loops", loops, "guarded"] => (program.loops, program.guarded) = (number(loops)?, true),
                ["main"] => (in_main, place) = (true, None),
                [handle, which @ ("callback" | "closed"), nth] => {
                    let (handle, nth) = (numbered(handle, "h")?, number(nth)?);
                    place = Some(Place { handle, closed: which == "closed", nth });
                    in_main = false;
                }
                [_, _, owner, ..] if !in_main && place.is_none() && owner.starts_with("loop") => {
                    program.handles.push(line.declared()?);
                }
                _ => {
                    let op = line.op(&program.handles)?;
                    match place {
                        Some(place) => program.bodies.entry(place).or_default().push(op),
                        None if in_main => program.main.push(op),
                        None => return Err("a step before `main`".into()),
                    }
                }
            }
            Ok(())
        };
        read().map_err(|error| format!("line {}: {error}: {}", at + 1, words.join(" ")))?;
    }
    let mut steps = program.main.iter().chain(program.bodies.values().flatten());
    if program.loops == 0 {
        return Err("there is no loop".into());
    }
    let owners = program.handles.iter().map(|declared| declared.owner);
    let used = steps.by_ref().filter_map(|op| if let Op::Loop(at, _) = op { Some(*at) } else { None });
    match owners.chain(used).find(|&at| at >= program.loops) {
        Some(at) => Err(format!("there is no loop{at}")),
        None => Ok(program),
    }
}

/// Reads a step that is not a handle's.
///
/// # Errors
///
/// The reason why it is no step.
pub fn parse_step(step: &str) -> Result<Op, String> {
    let words: Vec<&str> = step.split_whitespace().collect();
    Line { words: &words }.op(&[])
}

struct Line<'a> {
    words: &'a [&'a str],
}

impl Line<'_> {
    fn declared(&self) -> Result<Declared, String> {
        let kind = self.words[1];
        let kind = Kind::ALL.into_iter().find(|k| k.name() == kind).ok_or("no such kind")?;
        let source = match self.words.get(3) {
            Some(&"file") => Source::File,
            Some(pair) => Source::Pair(numbered(pair, "pair")?),
            None => Source::Pair(0),
        };
        Ok(Declared { kind, owner: numbered(self.words[2], "loop")?, source })
    }

    fn op(&self, handles: &[Declared]) -> Result<Op, String> {
        let Some((&subject, words)) = self.words.split_first() else {
            return Err("no step".into());
        };
        if let Ok(handle) = numbered(subject, "h") {
            let declared = handles.get(handle).ok_or("no such handle")?;
            return Ok(Op::Handle(handle, handle_op(declared.kind, words)?));
        }
        if let Ok(at) = numbered(subject, "loop") {
            let name = words.first().ok_or("no operation")?;
            let op = LoopOp::ALL.into_iter().find(|op| op.name() == *name).ok_or("no such operation")?;
            return Ok(Op::Loop(at, op));
        }
        if let Ok(pair) = numbered(subject, "pair") {
            let op = match words {
                ["peer-write", bytes] => SourceOp::PeerWrite(number(bytes)?),
                [name] => {
                    SourceOp::ALL.into_iter().find(|op| op.name() == *name).ok_or("no such operation")?
                }
                _ => return Err("no such operation".into()),
            };
            return Ok(Op::Source(pair, op));
        }
        match *self.words {
            ["raise", signum] => Ok(Op::Raise(number(signum)?)),
            ["burn", milliseconds] => Ok(Op::Burn(number(milliseconds)?)),
            _ => Err("no such step".into()),
        }
    }
}

fn handle_op(kind: Kind, words: &[&str]) -> Result<HandleOp, String> {
    let (words, with) = match words {
        [before @ .., "with", callback] => (before, Some(number(callback)?)),
        all => (all, None),
    };
    Ok(match (kind, words) {
        (Kind::Timer, ["start", timeout, repeat]) => {
            let start = Start::Timer { timeout: number(timeout)?, repeat: number(repeat)? };
            HandleOp::Start { start, with }
        }
        (Kind::Poll, ["start", events]) => {
            HandleOp::Start { start: Start::Poll { events: bits(events)? }, with }
        }
        (Kind::Signal, [name @ ("start" | "start-oneshot"), signum]) => {
            let start = Start::Signal { signum: number(signum)?, oneshot: *name == "start-oneshot" };
            HandleOp::Start { start, with }
        }
        (_, ["start"]) => HandleOp::Start { start: Start::Watcher, with },
        (_, ["send"]) => HandleOp::Send { with },
        (_, ["set-repeat", repeat]) => HandleOp::SetRepeat(number(repeat)?),
        (_, ["set-callback", callback]) => HandleOp::SetCallback(number(callback)?),
        (_, [name]) => {
            // Operations with arguments are not written as their name alone.
            HandleOp::ALL.into_iter().find(|op| op.to_string() == *name).ok_or("no such operation")?
        }
        _ => return Err("no such operation".into()),
    })
}

fn bits(events: &str) -> Result<u8, String> {
    (0..16).find(|&bits| poll_events(bits) == events).ok_or_else(|| "no such events".into())
}

fn numbered(word: &str, prefix: &str) -> Result<usize, String> {
    let digits = word.strip_prefix(prefix).ok_or_else(|| format!("{prefix} and a number expected"))?;
    number(digits)
}

fn number<T: std::str::FromStr>(word: &str) -> Result<T, String> {
    word.parse().map_err(|_| format!("{word} is no number, or none that fits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "\
loops 2 guarded
h0 timer loop0
h1 poll loop1 pair2
h2 poll loop0 file
h3 signal loop0
h4 async loop0
h5 idle loop0
main
  h0 make
  h0 start 5 18446744073709551615 with 1
  h1 start readable|disconnect
  h1 start none
  h3 start 17
  h3 start-oneshot -1 with 3
  h4 send
  h4 send with 4
  h5 start with 2
  loop0 run-default
  loop1 finish
  pair2 peer-write 10
  raise 17
  burn 3
h0 callback 1
  h0 set-repeat 7
  h0 set-callback 9
h0 closed 1
  pair2 read
";

    #[test]
    fn a_program_is_read_as_it_is_written() {
        let program = parse(SCRIPT).unwrap();
        assert_eq!(program.to_string(), SCRIPT);
        assert_eq!(program.main.len(), 14);
        assert_eq!(program.bodies.len(), 2);
    }

    #[test]
    fn what_is_no_program_is_refused_with_its_line() {
        let refused = |text: &str| parse(text).unwrap_err();
        assert_eq!(refused(""), "there is no loop");
        assert!(refused("loops 1\nmain\n  h0 make").starts_with("line 3: no such handle"));
        assert!(refused("loops 1\nh0 timer loop0\n h0 make").contains("a step before `main`"));
        assert!(refused("loops 1\nh0 timr loop0").contains("no such kind"));
        assert!(refused("loops 1\nh0 timer loop0\nmain\n h0 start 1").contains("no such operation"));
        assert!(refused("loops 1\nmain\n raise x").contains("no number"));
    }
}
