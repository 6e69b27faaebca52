//! `fetch` of scripts in JavaScript, under uv-run, against real peers on loopback.

// Signals end the script.
#![cfg(unix)]

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use uv_handles_tests::http_server::{Answer, echo, endless, read_request, response, server, silence, text};
use uv_handles_tests::os::{accept, listener, refusing_address, reset};
use uv_handles_tests::script::{Ended, JAVASCRIPT};

/// Runs a script whose constants `base` and `other` are the addresses of servers, with grants for
/// them.
fn run(options: &[&str], servers: &[SocketAddr], script: &str) -> Ended {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("script.js");
    fs::write(&file, format!("const [base, other] = process.argv.slice(2);\n{script}")).unwrap();
    let grants: Vec<_> = servers.iter().map(|server| format!("--http={server}")).collect();
    let options: Vec<_> = options.iter().copied().chain(grants.iter().map(String::as_str)).collect();
    let mut command = JAVASCRIPT.uv_run_script(&options, &file);
    command.args(servers.iter().map(|server| format!("http://{server}")));
    Ended::of(command)
}

/// A server with these answers.
fn serving<const N: usize>(answers: [Answer; N]) -> SocketAddr {
    server(answers)
}

/// A redirect.
fn redirect(status: u16, location: &str) -> Answer {
    text(response(&format!("{status} Redirect"), &format!("location: {location}\r\n"), "elsewhere"))
}

#[test]
fn responses_have_a_head_and_a_body() {
    let headers =
        "Content-Type: application/json\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nx-bytes: \u{e9}\r\n";
    let address = serving([
        text(response("200 OK", headers, "{\"a\":[1,\"ü\"]}")),
        text(response("404 Not Found", "", "none")),
        text("HTTP/1.1 204 No Content\r\n\r\n"),
        text(response("200 OK", "", "abc")),
        text("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
        text(response("200 OK", "", "twice")),
        text(response("200 OK", "", "cloned")),
    ]);
    let script = r#"
const json = await fetch(`${base}/a?b=c#d`);
console.log(json.status, json.ok, json.statusText, json.url === `${base}/a?b=c`, json.redirected, json.type);
console.log(json.headers.get("CONTENT-TYPE"), json.headers.getSetCookie().join("|"), json.headers.get("x-bytes").length);
try { json.headers.set("a", "b") } catch (error) { console.log(error.name) }
console.log(JSON.stringify(await json.json()), json.bodyUsed);
const none = await fetch(base);
console.log(none.status, none.ok, await none.text());
const empty = await fetch(base);
console.log(empty.status, empty.body, JSON.stringify(await empty.text()));
console.log(new Uint8Array(await (await fetch(base)).arrayBuffer()).join());
let text = "";
for await (const chunk of (await fetch(base)).body) text += new TextDecoder().decode(chunk);
console.log(text);
const twice = await fetch(new URL(base));
console.log((await twice.bytes()).length);
try { await twice.text() } catch (error) { console.log(`${error}`) }
const one = await fetch(new Request(base));
const two = one.clone();
console.log(await one.text(), await two.text());
"#;
    run(&[], &[address], script).printed(&[
        "200 true OK true false basic",
        "application/json a=1|b=2 2",
        "TypeError",
        "{\"a\":[1,\"ü\"]} true",
        "404 false none",
        "204 null \"\"",
        "97,98,99",
        "abcde",
        "5",
        "TypeError: Body is unusable: Body has already been read",
        "cloned cloned",
    ]);
}

#[test]
fn requests_have_methods_headers_and_bodies() {
    let address = server((0..9).map(|_| echo()));
    let script = r#"
async function sent(options) {
  const [head, body] = (await (await fetch(`${base}/a`, options)).text()).split("\r\n\r\n");
  const [line, ...headers] = head.split("\r\n");
  const shown = headers.filter((one) => !/^(host|accept|user-agent):/i.test(one)).sort();
  console.log([line, ...shown, body].join(" ~ ").toLowerCase());
}
await sent();
await sent({ method: "delete", headers: [["X-Token", "a"], ["x-token", "b"]] });
await sent({ method: "POST", body: "tëxt" });
await sent({ method: "PUT", body: new Uint8Array([97, 98]).buffer });
await sent({ method: "PATCH", body: new Uint8Array([97, 98, 99]).subarray(1) });
await sent({ method: "POST", body: new URLSearchParams({ a: "b c" }) });
await sent({ method: "POST", body: JSON.stringify({}), headers: [["content-type", "application/json"]] });
await sent({ method: "POST", body: (async function* () { yield "a"; yield new Uint8Array([98]) })() });
await sent({ method: "POST", body: new Response("of a response").body });
"#;
    run(&[], &[address], script).printed(&[
        "get /a http/1.1 ~ ",
        "delete /a http/1.1 ~ x-token: a, b ~ ",
        "post /a http/1.1 ~ content-length: 5 ~ content-type: text/plain;charset=utf-8 ~ tëxt",
        "put /a http/1.1 ~ content-length: 2 ~ ab",
        "patch /a http/1.1 ~ content-length: 2 ~ bc",
        "post /a http/1.1 ~ content-length: 5 ~ content-type: application/x-www-form-urlencoded;charset=utf-8 ~ a=b+c",
        "post /a http/1.1 ~ content-length: 2 ~ content-type: application/json ~ {}",
        "post /a http/1.1 ~ content-length: 2 ~ ab",
        "post /a http/1.1 ~ content-length: 13 ~ of a response",
    ]);
}

#[test]
fn a_large_body_is_sent_and_received() {
    let address = serving([echo()]);
    let script = r#"
const body = "0123456789".repeat(300_000);
const text = await (await fetch(base, { method: "POST", body })).text();
console.log(text.endsWith(body));
"#;
    run(&[], &[address], script).printed(&["true"]);
}

#[test]
fn redirects_are_followed_returned_or_refused() {
    let address = server(
        [
            redirect(302, "/next?a=b"),
            echo(),
            // A POST becomes a GET, without its body.
            redirect(303, "/next"),
            echo(),
            // It stays one.
            redirect(307, "next"),
            echo(),
            redirect(302, "/next"),
            redirect(302, "/next"),
            redirect(302, "ftp://a/"),
            redirect(302, "http://:bad"),
            text(response("302 Found", "", "without a location")),
        ]
        .into_iter()
        .chain((0..21).map(|_| redirect(302, "/again"))),
    );
    let other = serving([echo()]);
    let script = r#"
const line = (text) => text.split("\r\n")[0];
const followed = await fetch(`${base}/begin`);
console.log(line(await followed.text()), followed.redirected, followed.url.slice(base.length));
const post = { method: "POST", body: "text", headers: { authorization: "secret" } };
const got = await (await fetch(base, post)).text();
console.log(line(got), /content-|text/i.test(got), /authorization: secret/i.test(got));
const again = await (await fetch(`${base}/a/b`, post)).text();
console.log(line(again), again.endsWith("text"));
const manual = await fetch(base, { redirect: "manual" });
console.log(manual.status, manual.headers.get("location"), await manual.text());
for (const options of [{ redirect: "error" }, {}, {}]) {
  await fetch(base, options).catch((error) => console.log(error.message, error.cause.message.replace(base, "")));
}
console.log(await (await fetch(base)).text());
await fetch(base).catch((error) => console.log(error.name, error.cause.message.replace(base, "")));
"#;
    run(&[], &[address, other], script).printed(&[
        "GET /next?a=b HTTP/1.1 true /next?a=b",
        "GET /next HTTP/1.1 false true",
        "POST /a/next HTTP/1.1 true",
        "302 /next elsewhere",
        "fetch failed /: the server redirects to /next",
        "fetch failed ftp://a/: the scheme is not http or https",
        "fetch failed /: the server redirects to http://:bad, which is no URL",
        "without a location",
        "TypeError /: there are more than 20 redirects",
    ]);

    let begins = serving([redirect(308, &format!("http://{other}/"))]);
    let script = r#"
const text = await (await fetch(base, { headers: { authorization: "secret", cookie: "a", "x-other": "b" } })).text();
console.log(/authorization|cookie/i.test(text), /x-other: b/i.test(text));
"#;
    run(&[], &[begins, other], script).printed(&["false true"]);
}

#[test]
fn failures_are_type_errors_whose_cause_names_the_address() {
    let address = serving([
        text("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf"),
        text("this is not HTTP at all\r\n\r\n"),
        Box::new(|client, _| {
            reset(client);
            None
        }),
        text(response("200 OK", "", "the script goes on")),
    ]);
    let (_kept, refusing) = refusing_address();
    let script = r#"
async function fails(url, options) {
  try {
    await (await fetch(url, options)).text();
    console.log(`${url} does not fail`);
  } catch (error) {
    const { name, message, cause } = error;
    console.log([name, message, cause?.code, cause?.message.includes(url)].join());
  }
}
await fails(`${base}/half`);
await fails(`${base}/garbage`);
await fails(`${base}/reset`);
await fails(`${other}/refused`);
await fails("http://name.invalid/");
await fails("http://denied.invalid/");
await fails("ftp://a/");
await fails(`${base}/`, { headers: { "transfer-encoding": "chunked" } });
for (const [url, options] of [
  ["/relative"],
  ["http://user:password@a/"],
  ["http://a/", { method: "B(D" }],
  ["http://a/", { method: "CONNECT" }],
  ["http://a/", { body: "text" }],
  ["http://a/", { headers: { "a b": "c" } }],
  ["http://a/", { headers: { a: "b\nc: d" } }],
  ["http://a/", { headers: { a: "\u{100}" } }],
  ["http://a/", { redirect: "perhaps" }],
  ["http://a/", { signal: {} }],
]) {
  await fetch(url, options).catch((error) => console.log(error.name));
}
console.log(await (await fetch(base)).text());
"#;
    let ended = run(&["--http=name.invalid"], &[address, refusing], script);
    let expected =
        ["", "EPROTO", "", "ECONNREFUSED", "ENOTFOUND", "EACCES", "ERR_INVALID_URL", "ERR_INVALID_ARG_VALUE"];
    for (line, code) in ended.stdout.iter().zip(expected) {
        assert!(line.starts_with("TypeError,fetch failed,"), "{ended:?}");
        assert!(line.ends_with(",true") && line.contains(code), "{line}: {ended:?}");
    }
    assert_eq!(ended.stdout[8..18], ["TypeError"; 10], "{ended:?}");
    assert_eq!((ended.code, &ended.stdout[18..]), (0, &["the script goes on".to_owned()][..]), "{ended:?}");
    assert!(ended.stderr.join("\n").contains("--http denied.invalid:80 would grant it"), "{ended:?}");
}

/// A server that keeps all connections, and tells when a client has closed one.
fn watching(answer: &'static str, connections: usize) -> (SocketAddr, mpsc::Receiver<()>) {
    let (listener, address) = listener();
    let (send, closed) = mpsc::channel();
    thread::spawn(move || {
        for _ in 0..connections {
            let mut client: TcpStream = accept(&listener);
            let send = send.clone();
            thread::spawn(move || {
                read_request(&mut client);
                let _ = client.write_all(answer.as_bytes());
                // The end or a reset.
                let _ = client.read_to_end(&mut Vec::new());
                let _ = send.send(());
            });
        }
    });
    (address, closed)
}

#[test]
fn a_signal_cancels_a_request_and_closes_its_connection() {
    let address = server([silence(), silence(), endless(), endless(), silence()]);
    let script = r#"
const show = (error) => console.log(error.name ?? error);
await fetch(base, { signal: AbortSignal.abort("before") }).catch(show);
await fetch(base, { signal: AbortSignal.timeout(5) }).catch(show);
const controller = new AbortController();
setTimeout(() => controller.abort(), 5);
await fetch(base, { signal: controller.signal }).catch(show);
await fetch(base, { signal: AbortSignal.timeout(100) }).then((response) => response.text()).catch(show);
const reading = new AbortController();
const response = await fetch(base, { signal: reading.signal });
for await (const chunk of response.body) { console.log(chunk.length > 0); reading.abort("while reading"); break; }
await response.text().catch(show);
const slow = (async function* () { yield "a"; await new Promise((resolve) => setTimeout(resolve, 1e9)) })();
await fetch(base, { method: "POST", body: slow, signal: AbortSignal.timeout(5) }).catch(show);
process.exit();
"#;
    run(&[], &[address], script).printed(&[
        "before",
        "TimeoutError",
        "AbortError",
        "TimeoutError",
        "true",
        "TypeError",
        "TimeoutError",
    ]);

    // More requests than the script may have handles at a time. The peer sees that each is closed.
    let (address, closed) = watching("", 60);
    let script = r#"
for (let n = 0; n < 20; n += 1) {
  const controller = new AbortController();
  const all = [1, 2, 3].map(() => fetch(base, { signal: controller.signal }).catch((error) => error.name));
  setTimeout(() => controller.abort(), 2);
  if ((await Promise.all(all)).join() !== "AbortError,AbortError,AbortError") throw new Error("not aborted");
}
console.log("all");
await new Promise((resolve) => setTimeout(resolve, 10));
"#;
    run(&["--max-handles=30"], &[address], script).printed(&["all"]);
    drop(closed);
}

#[test]
fn a_body_that_is_cancelled_or_dropped_closes_its_connection() {
    let (address, closed) = watching("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", 63);
    let script = r#"
const response = await fetch(base);
await response.body.cancel();
for await (const chunk of (await fetch(base)).body) { console.log(chunk.length); break; }
for (let n = 0; n < 60; n += 1) console.assert((await fetch(base)).ok);
const kept = await fetch(base);
const waits = setInterval(() => {}, 1000);
const ended = new Promise((resolve) => process.on("SIGTERM", resolve));
console.log("listens");
await ended;
clearInterval(waits);
console.log(kept.status);
"#;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("script.js");
    fs::write(&file, format!("const base = process.argv[2];\n{script}")).unwrap();
    let options = ["--signal=term", "--max-handles=30", &format!("--http={address}")];
    let mut command = JAVASCRIPT.uv_run_script(&options, &file);
    command.arg(format!("http://{address}"));
    let mut process = uv_handles_tests::process::Process::spawn(command);
    assert_eq!(process.stdout.next_line().as_deref(), Some("4"));
    // While the script runs. It may still refer to the last one of the loop.
    for _ in 0..61 {
        closed.recv_timeout(uv_handles_tests::PATIENCE).unwrap();
    }
    assert_eq!(process.stdout.next_line().as_deref(), Some("listens"));
    process.kill(libc::SIGTERM);
    assert_eq!(process.stdout.next_line().as_deref(), Some("200"));
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn a_body_without_end_is_bounded_by_the_memory() {
    let address = serving([endless()]);
    let ended = run(&["--max-memory=48M"], &[address], "await (await fetch(base)).bytes()");
    let stderr = ended.stderr.join("\n");
    assert!(ended.code == 1 && stderr.contains("InternalError: out of memory"), "{ended:?}");
}

#[test]
fn timers_and_many_requests_go_on_together() {
    let (listener, address) = listener();
    thread::spawn(move || {
        // Nothing is answered before all have come.
        let clients: Vec<_> = (0..20).map(|_| accept(&listener)).collect();
        for mut client in clients {
            read_request(&mut client);
            let _ = client.write_all(response("200 OK", "", "a").as_bytes());
        }
    });
    let script = r#"
let ticks = 0;
const interval = setInterval(() => { ticks += 1 }, 1);
const all = await Promise.all(Array.from({ length: 20 }, async () => (await fetch(base)).text()));
clearInterval(interval);
console.log(all.join(""), ticks > 0);
"#;
    run(&[], &[address], script).printed(&[&format!("{} true", "a".repeat(20))]);
}

/// The store of these instances grants no host.
#[test]
fn an_embedder_that_grants_no_host_denies_requests() {
    let script = "
try {
  await fetch('http://127.0.0.1:1/');
} catch ({ name, cause }) {
  console.log(name, cause.message);
}
";
    let (code, printed) = JAVASCRIPT.run_in_instance(script, 100).unwrap();
    assert_eq!((code, printed.as_str()), (0, "TypeError http://127.0.0.1:1/: the host does not grant it\n"));
}
