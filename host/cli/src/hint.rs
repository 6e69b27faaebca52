//! Reports arguments of the guest that look like options of uv-run, and values of options that stand
//! where the guest's file should.

use crate::cli::Cli;
use crate::output::say;
use crate::shared::signals;
use crate::shared::text::quoted;
use clap::CommandFactory;
use std::collections::HashSet;
use std::ffi::OsStr;
use wasmtime::{Result, bail};

/// Options that say nothing about grants, limits or time. Scripts have options of these names.
const OTHERS: [&str; 7] = ["adapter", "completions", "compose", "config", "eval", "language", "output"];

/// Reports the options of uv-run that stand behind the guest, because they are the guest's
/// arguments there. `--` before the guest says that this is meant so.
pub fn tell(cli: &Cli) {
    let line: Vec<_> = std::env::args_os().collect();
    let is_meant = line
        .len()
        .checked_sub(cli.args().len() + 1)
        .and_then(|before| line.get(before))
        .is_some_and(|arg| arg == OsStr::new("--"));
    if is_meant {
        return;
    }
    if let [guest, args @ ..] = cli.args()
        && let Some(option) = misplaced(args)
    {
        say(format!(
            "{} stands behind {} and is an argument of the guest: options of uv-run stand before it",
            quoted(option),
            quoted(guest)
        ));
    }
}

/// Refuses a signal in the place of the guest's file, as in `--signal int term script.py`.
pub fn check_file(cli: &Cli) -> Result<()> {
    let given: Vec<_> = cli.options.signal.iter().flat_map(|list| &list.0).copied().collect();
    if let Some(name) = cli.args().first()
        && !given.is_empty()
        && signals::number(name).is_ok()
        && !cli.file().exists()
    {
        let list: Vec<_> = given.into_iter().map(signals::name).chain([name.clone()]).collect();
        bail!("{name} is no file: several signals are one value, as --signal {}", list.join(","));
    }
    Ok(())
}

/// The first argument that is an option of uv-run.
fn misplaced(args: &[String]) -> Option<&str> {
    let command = Cli::command();
    let options: HashSet<_> =
        command.get_opts().filter_map(clap::Arg::get_long).filter(|name| !OTHERS.contains(name)).collect();
    args.iter().map(String::as_str).take_while(|&arg| arg != "--").find(|arg| {
        let name = arg.strip_prefix("--").and_then(|option| option.split('=').next());
        name.is_some_and(|name| options.contains(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn a_signal_is_no_file() {
        let check = |line: &[&str]| {
            check_file(&Cli::parse_from([&["uv-run"], line].concat())).map_err(|error| error.to_string())
        };
        let error = check(&["--signal", "int", "term", "a.py"]).unwrap_err();
        assert_eq!(error, "term is no file: several signals are one value, as --signal int,term");
        for line in [&["term"][..], &["--signal", "int", "a.py", "term"], &["--signal=int", "-c", "term"]] {
            assert_eq!(check(line), Ok(()), "{line:?}");
        }
    }

    #[test]
    fn an_option_behind_the_guest_is_found() {
        let found = |args: &[&str]| {
            let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
            misplaced(&args).map(str::to_owned)
        };
        assert_eq!(found(&["a", "--stdin"]).as_deref(), Some("--stdin"));
        assert_eq!(found(&["--listen=a=localhost:1"]).as_deref(), Some("--listen=a=localhost:1"));
        for args in [&["--", "--stdin"][..], &["--verbose", "stdin", "-c"], &["--config", "--output"], &[]] {
            assert_eq!(found(args), None, "{args:?}");
        }
    }
}
