//! The side of native tokio, on one thread: each timer and each connection a task of its own.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};
use uv_handles_bench::{Echo, MESSAGE, Session, echo_clients, round_trips};

fn main() {
    let mut args = std::env::args().skip(1);
    let name = args.next().expect("the name of the work");
    let numbers: Vec<u64> = args.map(|arg| arg.parse().expect("a number")).collect();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("the OS has epoll");
    let mut session = Session::new();
    match (name.as_str(), &numbers[..]) {
        ("timers", &[many, times]) => timers(&runtime, &mut session, many, times),
        ("repeating", &[many, period, calls]) => repeating(&runtime, &mut session, many, period, calls),
        ("ping-pong", &[times]) => ping_pong(&runtime, &mut session, times),
        ("wake-up", &[times]) => wake_up(&runtime, &mut session, times),
        ("echo", &[connections, messages]) => {
            echo(&runtime, &mut session, Echo { connections, messages });
        }
        _ => panic!("no work {name} with {} numbers", numbers.len()),
    }
    println!("{}", session.finish());
}

/// Runs tasks to their ends.
fn run(runtime: &Runtime, tasks: impl Future) {
    LocalSet::new().block_on(runtime, tasks);
}

fn timers(runtime: &Runtime, session: &mut Session, many: u64, times: u64) {
    let fired = Rc::new(Cell::new(0));
    let mut closed = 0;
    session.begin();
    for _ in 0..times {
        run(runtime, async {
            let timer = |at: u64| {
                let fired = fired.clone();
                spawn_local(async move {
                    sleep(Duration::from_millis(at / 1000 + 1)).await;
                    fired.set(fired.get() + 1);
                })
            };
            let tasks: Vec<_> = (0..many).map(timer).collect();
            for task in tasks {
                task.await.expect("no task panics");
                closed += 1;
            }
        });
    }
    session.end();
    session.count("operations", many * times);
    session.count("fired", fired.get());
    session.count("closed", closed);
}

fn repeating(runtime: &Runtime, session: &mut Session, many: u64, period: u64, calls: u64) {
    let fired = Rc::new(Cell::new(0));
    let period = Duration::from_millis(period);
    session.begin();
    run(runtime, async {
        let timer = |_| {
            let fired = fired.clone();
            spawn_local(async move {
                let mut interval = interval_at(Instant::now() + period, period);
                // As in libuv, a late tick delays the following ones.
                interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
                for _ in 0..calls {
                    interval.tick().await;
                    fired.set(fired.get() + 1);
                }
            })
        };
        let tasks: Vec<_> = (0..many).map(timer).collect();
        for task in tasks {
            task.await.expect("no task panics");
        }
    });
    session.end();
    session.count("operations", fired.get());
    session.count("closed", many);
}

fn ping_pong(runtime: &Runtime, session: &mut Session, times: u64) {
    let called = Rc::new(Cell::new(0));
    let done = Rc::new(Notify::new());
    run(runtime, async {
        let (mut ping, pong) = UnixStream::pair().expect("the OS has sockets");
        ping.write_all(b"o").await.expect("there is room");
        session.begin();
        for mut side in [ping, pong] {
            let (called, done) = (called.clone(), done.clone());
            spawn_local(async move {
                let mut ball = [0];
                loop {
                    side.read_exact(&mut ball).await.expect("the other side is there");
                    called.set(called.get() + 1);
                    if called.get() == times {
                        done.notify_one();
                        // Both stay open until the end.
                        std::future::pending::<()>().await;
                    }
                    side.write_all(&ball).await.expect("there is room");
                }
            });
        }
        done.notified().await;
        session.end();
    });
    session.count("operations", called.get());
}

fn wake_up(runtime: &Runtime, session: &mut Session, times: u64) {
    let notify = std::sync::Arc::new(Notify::new());
    let sender = notify.clone();
    session.with_answers(round_trips(times, move || sender.notify_one()));
    let answers = session.answers().expect("they have just been added");
    session.begin();
    let mut called = 0;
    runtime.block_on(async {
        while called < times {
            notify.notified().await;
            called += 1;
            answers.answer();
        }
    });
    session.end();
    session.count("operations", called);
}

fn echo(runtime: &Runtime, session: &mut Session, echo: Echo) {
    let bytes = Rc::new(Cell::new(0));
    let mut ended = 0;
    run(runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let address = listener.local_addr().expect("it is bound");
        session.with_peer(echo_clients(address, echo));
        session.begin();
        let mut connections = Vec::new();
        for _ in 0..echo.connections {
            let (mut client, _) = listener.accept().await.expect("a client waits");
            let bytes = bytes.clone();
            connections.push(spawn_local(async move {
                let mut buffer = [0; 4096];
                loop {
                    let read = client.read(&mut buffer).await.expect("the client is there");
                    if read == 0 {
                        return;
                    }
                    client.write_all(&buffer[..read]).await.expect("the client reads");
                    bytes.set(bytes.get() + read as u64);
                }
            }));
        }
        for connection in connections {
            connection.await.expect("no task panics");
            ended += 1;
        }
        session.end();
    });
    session.count("operations", bytes.get() / MESSAGE as u64);
    session.count("connections", ended);
}
