//! The implementation of the host's OS layer that programs are built with.

use std::process::Command;

use clap::ValueEnum;

/// An implementation of the OS layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Os {
    /// The one that is for this system: on Linux, Linux's own calls
    #[default]
    Native,
    /// The one that other systems have, on mio
    Portable,
}

impl Os {
    /// Adds the feature that selects it to a run of cargo that builds the host.
    pub fn select(self, cargo: &mut Command) {
        if self == Os::Portable {
            cargo.args(["--features", "uv-handles-host/portable-os"]);
        }
    }

    /// Takes `--os` out of arguments that are for another program.
    pub fn take_from(args: &mut Vec<String>) -> Result<Option<Os>, String> {
        let Some(at) = args.iter().position(|arg| arg == "--os" || arg.starts_with("--os=")) else {
            return Ok(None);
        };
        let option = args.remove(at);
        let value = match option.strip_prefix("--os=") {
            Some(value) => value.to_owned(),
            None if at < args.len() => args.remove(at),
            None => return Err("--os takes a value".to_owned()),
        };
        Os::from_str(&value, false).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_is_found_among_others() {
        for form in [&["--os", "portable"][..], &["--os=portable"]] {
            let others = ["--programs", "7"];
            let mut args: Vec<String> =
                [&others, form, &["--count"]].concat().into_iter().map(Into::into).collect();
            assert_eq!(Os::take_from(&mut args), Ok(Some(Os::Portable)));
            assert_eq!(args, ["--programs", "7", "--count"]);
            assert_eq!(Os::take_from(&mut args), Ok(None));
        }
        assert!(Os::take_from(&mut vec!["--os".to_owned()]).is_err());
    }
}
