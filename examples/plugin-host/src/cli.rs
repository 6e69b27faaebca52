//! The command line.

use crate::shared::quantities::Seconds;
use clap::Parser;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Hosts the plugins of a directory.
///
/// Each NAME.toml in it is a plugin's manifest, and NAME.wasm beside it the component. SIGHUP reads the directory
/// again: what has changed is started anew, and nothing else is touched. SIGTERM and SIGINT stop all plugins;
/// the exit status is 0 if all of them stopped by themselves, and 1 if one had to be interrupted.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    /// The directory of manifests and components
    pub directory: PathBuf,

    /// Where to serve HTTP; port 0 takes any, and the first line of output says which
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// A name by which clients reach the server, beside localhost and addresses; can be repeated
    ///
    /// Requests with another name in their Host header are refused.
    #[arg(long, value_name = "NAME")]
    pub host: Vec<String>,

    /// For how many connections of clients there is room; more wait
    #[arg(long, value_name = "CONNECTIONS", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub connections: u32,

    /// How long a plugin that is to stop may take for it
    #[arg(long, value_name = "SECONDS", default_value = "5")]
    pub grace: Seconds,

    /// For how many plugins at a time there is room; about 8 GiB of addresses are reserved for each
    #[arg(long, value_name = "PLUGINS", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub capacity: u32,

    /// Do not keep compiled code in wasmtime's cache
    #[arg(long)]
    pub no_cache: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use std::time::Duration;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
        let cli = Cli::parse_from(["plugin-host", "--grace=0.5", "plugins"]);
        assert_eq!(cli.grace, Seconds(Duration::from_millis(500)));
        assert_eq!(Cli::parse_from(["plugin-host", "--grace=0", "plugins"]).grace.0, Duration::ZERO);
        assert!(Cli::try_parse_from(["plugin-host", "--grace=-1", "plugins"]).is_err());
    }
}
