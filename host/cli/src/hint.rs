//! Reports arguments of the guest that look like options of uv-run.

use crate::cli::Cli;
use crate::output::{quoted, say};
use clap::CommandFactory;
use std::collections::HashSet;
use std::ffi::OsStr;

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
