//! The example `chat`, which is there in each language of scripts.

use crate::line_stats::address;
use crate::os::connect;
use crate::process::Process;
use crate::script::Language;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};

/// A guest of the chat.
struct Guest(BufReader<TcpStream>);

impl Guest {
    fn enter(address: SocketAddr) -> Guest {
        Guest(BufReader::new(connect(address)))
    }

    fn say(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    #[track_caller]
    fn hears(&mut self, expected: &str) {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        assert_eq!(line, format!("{expected}\n"));
    }
}

/// Guests come, talk and leave, and SIGTERM ends the server.
///
/// # Panics
///
/// If a guest hears anything else.
pub fn guests_talk(language: &Language) {
    let options = ["--listen=clients=127.0.0.1:0", "--signal=int,term"];
    let mut process = Process::spawn(language.example(&options, "chat"));
    let address = address(&mut process);
    let mut one = Guest::enter(address);
    one.hears("you are guest 1, with 0 others");
    let mut two = Guest::enter(address);
    two.hears("you are guest 2, with 1 others");
    one.hears("guest 2 has come");
    let mut three = Guest::enter(address);
    three.hears("you are guest 3, with 2 others");
    one.hears("guest 3 has come");
    two.hears("guest 3 has come");

    one.say("hello");
    one.say(" all\r\nand more\n");
    for guest in [&mut two, &mut three] {
        guest.hears("guest 1: hello all");
        guest.hears("guest 1: and more");
    }
    drop(two);
    one.hears("guest 2 has left");
    three.hears("guest 2 has left");
    three.say(&format!("{}\n", "x".repeat(1_500)));
    one.hears(&format!("guest 3: {}", "x".repeat(1_500)));

    process.kill(libc::SIGTERM);
    one.hears("the server closes");
    assert_eq!(process.exit_code(), 0);
}
