//! The configuration file: the command line's options as TOML, and the merge of both.

use crate::cli::Options;
use crate::shared::config::parse;
use crate::values::Named;
use std::collections::HashSet;
use std::path::Path;
use wasmtime::Result;
use wasmtime::error::Context;

/// Reads a file of options.
pub fn read(file: &Path) -> Result<Options> {
    let name = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("--config {name} cannot be read"))?;
    parse(&text).map_err(|message| wasmtime::format_err!("--config {name}{message}"))
}

impl Options {
    /// Merges a file's options into those of the command line. Lists are joined. The command line
    /// has precedence for entries of the same name and for options that can be given only once.
    pub fn over(self, file: Options) -> Options {
        let mut names: HashSet<String> = HashSet::new();
        names.extend(self.listen.iter().map(|grant| grant.name.clone()));
        names.extend(self.connect.iter().map(|grant| grant.name.clone()));
        names.extend(self.udp.iter().map(|grant| grant.name.clone()));
        names.extend(self.unix_listen.iter().map(|grant| grant.name.clone()));
        names.extend(self.unix_connect.iter().map(|grant| grant.name.clone()));
        names.extend(self.fifo.iter().map(|grant| grant.name.clone()));
        names.extend(self.stdout_as.iter().map(|name| name.0.clone()));
        let env: HashSet<String> = self.env.iter().map(|variable| variable.name.clone()).collect();
        let dirs: HashSet<String> =
            self.dir.iter().chain(&self.dir_ro).map(|dir| dir.guest.clone()).collect();

        fn named<T>(file: Vec<Named<T>>, own: Vec<Named<T>>, names: &HashSet<String>) -> Vec<Named<T>> {
            added(file, own, |grant| !names.contains(&grant.name))
        }
        fn added<T>(file: Vec<T>, own: Vec<T>, keep: impl Fn(&T) -> bool) -> Vec<T> {
            file.into_iter().filter(keep).chain(own).collect()
        }
        Options {
            listen: named(file.listen, self.listen, &names),
            connect: named(file.connect, self.connect, &names),
            udp: named(file.udp, self.udp, &names),
            unix_listen: named(file.unix_listen, self.unix_listen, &names),
            unix_connect: named(file.unix_connect, self.unix_connect, &names),
            fifo: named(file.fifo, self.fifo, &names),
            stdin: self.stdin || (file.stdin && !names.contains("stdin")),
            stdout_as: self.stdout_as.or(file.stdout_as.filter(|name| !names.contains(&name.0))),
            signal: added(file.signal, self.signal, |_| true),
            wake: added(file.wake, self.wake, |_| true),
            control: self.control.or(file.control),
            dir: added(file.dir, self.dir, |dir| !dirs.contains(&dir.guest)),
            dir_ro: added(file.dir_ro, self.dir_ro, |dir| !dirs.contains(&dir.guest)),
            env: added(file.env, self.env, |variable| !env.contains(&variable.name)),
            http: added(file.http, self.http, |_| true),
            tcp_connect: added(file.tcp_connect, self.tcp_connect, |_| true),
            tcp_listen: added(file.tcp_listen, self.tcp_listen, |_| true),
            udp_send: added(file.udp_send, self.udp_send, |_| true),
            udp_bind: added(file.udp_bind, self.udp_bind, |_| true),
            name_lookup: self.name_lookup || file.name_lookup,
            serve: self.serve.or(file.serve),
            pythonpath: added(file.pythonpath, self.pythonpath, |_| true),
            isolated: self.isolated || file.isolated,
            python_runtime: self.python_runtime.or(file.python_runtime),
            javascript_runtime: self.javascript_runtime.or(file.javascript_runtime),
            max_handles: self.max_handles.or(file.max_handles),
            max_loops: self.max_loops.or(file.max_loops),
            max_descriptors: self.max_descriptors.or(file.max_descriptors),
            max_memory: self.max_memory.or(file.max_memory),
            timeout: self.timeout.or(file.timeout),
            virtual_time: self.virtual_time || file.virtual_time,
            no_cache: self.no_cache || file.no_cache,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use crate::shared::quantities::Size;
    use crate::values::TimeLimit;
    use clap::{CommandFactory, Parser};
    use std::time::Duration;

    const ALL: &str = r#"
        listen = { clients = "127.0.0.1:7000", "admin 2" = "[::1]:0" }
        connect = ["db=localhost:5432"]
        udp = "metrics=127.0.0.1:0,localhost:8125"
        unix-listen = { local = "/run/a.sock" }
        unix-connect = { log = "/dev/log" }
        fifo = { commands = "/run/f,both" }
        stdin = true
        stdout-as = "stdout"
        signal = ["hup,int", 15]
        wake = { print = "usr1", reload = 12 }
        control = "/run/control.sock"
        dir = ["data::/data"]
        dir-ro = "etc::/etc"
        env = { LANG = "C", LEVEL = 3 }
        http = ["example.org", "localhost:8080"]
        tcp-connect = "10.0.0.0/8:80"
        tcp-listen = ["127.0.0.1:0"]
        udp-send = "*:53"
        udp-bind = "[::1]:0"
        name-lookup = true
        serve = "127.0.0.1:8080"
        pythonpath = ["modules"]
        isolated = true
        python-runtime = "python.wasm"
        javascript-runtime = "javascript.wasm"
        max-handles = 10
        max-loops = 2
        max-descriptors = 3
        max-memory = "16M"
        timeout = 2.5
        virtual-time = true
        no-cache = true
    "#;

    #[test]
    fn every_option_is_a_key() {
        let options: Options = parse(ALL).unwrap();
        assert_eq!(options.listen.len(), 2);
        assert_eq!(options.udp[0].value.peer.as_ref().unwrap().to_string(), "localhost:8125");
        assert_eq!(options.signal.iter().flat_map(|list| list.0.clone()).collect::<Vec<_>>(), [1, 2, 15]);
        assert_eq!(options.wake.iter().map(|wake| wake.signal).collect::<Vec<_>>(), [Some(10), Some(12)]);
        assert_eq!(options.env[1].value.as_deref(), Some("3"));
        assert_eq!(options.max_memory, Some(Size(16 << 20)));
        assert_eq!(options.timeout, Some(TimeLimit(Duration::from_millis(2500))));
        assert_eq!(parse::<Options>("max-memory = 4096\ntimeout = 2").unwrap().max_memory, Some(Size(4096)));

        let keys: toml::Table = toml::from_str(ALL).unwrap();
        let of_the_command_line_alone = [
            "config",
            "list-imports",
            "completions",
            "compose",
            "output",
            "adapter",
            "eval",
            "language",
            "help",
            "version",
        ];
        for option in Cli::command().get_opts().filter_map(|option| option.get_long()) {
            assert!(
                keys.contains_key(option) || of_the_command_line_alone.contains(&option),
                "{option} is not in the test's file"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_one_sentence_with_its_line() {
        for (text, expected) in [
            ("stdin = true\nlisen = 1", ", line 2: unknown key `lisen`"),
            ("\n\nlisten = [\"a\"]", ", line 3: expected NAME=..."),
            ("http = \"http://a\"", ", line 1: \"http://a\" is a URL"),
            ("tcp-connect = \"10.0.0.0/64:1\"", ", line 1: \"10.0.0.0/64:1\" is no ADDRESS[/BITS]:PORT"),
            ("listen = { a = \"localhost\" }", ", line 1: \"localhost\" is no ADDRESS:PORT"),
            ("signal = [\"kill\"]", ", line 1: the signal kill cannot be watched"),
            ("stdin = \"yes\"", ", line 1: invalid type"),
            ("max-handles = -1", ", line 1: invalid value"),
            ("timeout = 0", ", line 1: \"0\" is no number of seconds"),
            ("timeout = [1, 2]", ", line 1: expected one value"),
            ("listen = [[]]", ", line 1: invalid type"),
            ("stdin = true\nstdin = true", ", line 2: duplicate key"),
            ("stdin", ", line 1: "),
        ] {
            let error = parse::<Options>(text).unwrap_err();
            assert!(error.starts_with(expected), "{text:?}: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn the_command_line_adds_and_has_precedence() {
        let cli = Cli::parse_from([
            "uv-run",
            "--unix-listen=clients=/run/b.sock",
            "--listen=more=127.0.0.1:1",
            "--signal=term",
            "--env=LANG=de",
            "--timeout=1",
            "guest.wasm",
        ]);
        let options = cli.options.over(parse(ALL).unwrap());
        let listen: Vec<_> = options.listen.iter().map(|grant| grant.name.as_str()).collect();
        assert_eq!(listen, ["admin 2", "more"], "clients is the command line's Unix socket");
        assert_eq!(options.unix_listen.len(), 2);
        assert_eq!(options.signal.len(), 3);
        let env: Vec<_> = options.env.iter().map(|variable| variable.value.as_deref()).collect();
        assert_eq!(env, [Some("3"), Some("de")]);
        assert_eq!(options.timeout, Some(TimeLimit(Duration::from_secs(1))));
        assert!(options.stdin && options.virtual_time);
    }
}
