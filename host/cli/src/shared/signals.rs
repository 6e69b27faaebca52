//! Linux's signals, by name and by number.

use std::str::FromStr;

/// The signals that a guest may watch. Missing are those that the host depends on itself, such as
/// SIGSEGV, and SIGKILL and SIGSTOP, which cannot be caught.
const SIGNALS: &[(&str, i32)] = &[
    // Ctrl+Break. The number is that of its C library.
    #[cfg(windows)]
    ("break", 21),
    ("hup", 1),
    ("int", 2),
    ("quit", 3),
    ("usr1", 10),
    ("usr2", 12),
    ("pipe", 13),
    ("alrm", 14),
    ("term", 15),
    ("stkflt", 16),
    ("chld", 17),
    ("cont", 18),
    ("tstp", 20),
    ("ttin", 21),
    ("ttou", 22),
    ("urg", 23),
    ("xcpu", 24),
    ("xfsz", 25),
    ("vtalrm", 26),
    ("prof", 27),
    ("winch", 28),
    ("io", 29),
    ("poll", 29),
    ("pwr", 30),
    ("sys", 31),
    ("rtmin", 34),
];

/// The number of a signal that can be watched, from its name or its number.
pub fn number(text: &str) -> Result<i32, String> {
    let lower = text.trim().to_lowercase();
    let name = lower.strip_prefix("sig").unwrap_or(&lower);
    if ["kill", "stop", "segv", "bus", "ill", "fpe", "trap", "abrt"].contains(&name) {
        return Err(format!("the signal {text} cannot be watched"));
    }
    let known = SIGNALS.iter().find(|(known, _)| *known == name).map(|&(_, signum)| signum);
    let signum = known
        .or_else(|| name.parse().ok())
        .ok_or_else(|| format!("there is no signal {text:?}; expected a name such as hup, or a number"))?;
    let watchable = SIGNALS.iter().any(|&(_, known)| known == signum) || (34..=64).contains(&signum);
    watchable.then_some(signum).ok_or_else(|| format!("the signal {text} cannot be watched"))
}

/// The text for a signal on the command line: its name, or the number of a signal without one.
pub fn name(signum: i32) -> String {
    let known = SIGNALS.iter().find(|&&(_, known)| known == signum);
    known.map_or_else(|| signum.to_string(), |(name, _)| (*name).to_owned())
}

/// `SIGNAL,...`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signals(pub Vec<i32>);

impl FromStr for Signals {
    type Err = String;

    fn from_str(text: &str) -> Result<Signals, String> {
        text.split(',').map(number).collect::<Result<_, _>>().map(Signals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_a_list() {
        assert_eq!("hup,SIGTERM,2".parse(), Ok(Signals(vec![1, 15, 2])));
        for text in ["", "hup,", "hup,kill"] {
            assert!(text.parse::<Signals>().is_err(), "{text}");
        }
    }

    #[test]
    fn signals_have_names_and_numbers() {
        for text in ["hup", "HUP", "SIGHUP", "sighup", "1", " hup "] {
            assert_eq!(number(text), Ok(1), "{text}");
        }
        assert_eq!(number("64"), Ok(64));
        for text in ["kill", "9", "segv", "11", "0", "-1", "65", "33", "", "no"] {
            assert!(number(text).is_err(), "{text}");
        }
        for signum in [1, 15, 29, 34, 50] {
            assert_eq!(number(&name(signum)), Ok(signum));
        }
    }
}
