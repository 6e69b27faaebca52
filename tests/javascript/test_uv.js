// The module uv: loops, handles and grants.

import uv, { Async, Check, Idle, Poll, PollEvent, Prepare, Signal, Timer } from "uv";
import { equal, rejects, sleep, test, throws } from "./support.mjs";

test("a timer is called with itself, once or again and again", async () => {
  const calls = [];
  const timer = new Timer();
  equal([timer.active, timer.referenced, timer.closing, timer.closed], [false, true, false, false]);
  timer.start(2, (handle) => calls.push(handle === timer));
  equal([timer.active, timer.dueIn > 0], [true, true]);
  await sleep(5);
  equal(calls, [true]);
  let count = 0;
  timer.start(
    1,
    () => {
      count += 1;
      if (count === 3) {
        timer.close();
      }
    },
    2,
  );
  equal(timer.repeat, 2);
  await sleep(10);
  equal([count, timer.closed], [3, true]);
  throws(() => timer.start(1), "HandleClosedError");
  throws(() => timer.repeat, "HandleClosedError");
  timer.close();
  timer.stop();
});

test("times are checked", () => {
  const timer = new Timer();
  for (const time of [-1, NaN, 2 ** 60, Infinity]) {
    throws(() => timer.start(time), "ERR_OUT_OF_RANGE");
  }
  throws(() => timer.start("1"), "ERR_INVALID_ARG_TYPE");
  throws(() => timer.start(1, 2), "ERR_INVALID_ARG_TYPE");
  throws(() => timer.again(), "EINVAL");
  timer.close();
});

test("close callbacks come later, and a handle closes at the end of its block", async () => {
  const order = [];
  {
    using timer = new Timer();
    timer.onClosed = (handle) => order.push(handle === timer, handle.closed);
  }
  order.push("after");
  await sleep(1);
  equal(order, ["after", true, false]);
  const idle = new Idle();
  await idle[Symbol.asyncDispose]();
  equal(idle.closed, true);
});

test("idle, prepare and check handles are called in their phases", async () => {
  const order = [];
  const handles = [new Check(), new Prepare(), new Idle()];
  await new Promise((resolve) => {
    for (const handle of handles) {
      handle.start(() => {
        order.push(handle.constructor.name);
        if (handle instanceof Check && order.length > 5) {
          resolve();
        }
      });
    }
  });
  for (const handle of handles) {
    handle.close();
  }
  const at = order.indexOf("Idle");
  equal(order.slice(at, at + 3), ["Idle", "Prepare", "Check"]);
});

test("an error of a callback is an uncaught exception", async () => {
  const caught = new Promise((resolve) => process.once("uncaughtException", resolve));
  const timer = new Timer();
  timer.start(1, () => {
    timer.close();
    throw new Error("of a callback");
  });
  equal((await caught).message, "of a callback");
});

test("another loop is run by hand", () => {
  const loop = new uv.Loop();
  const order = [];
  const timer = new Timer(loop);
  timer.start(5, () => {
    order.push("timer");
    Promise.resolve().then(() => order.push("job"));
    throws(() => loop.run(), "EBUSY");
    timer.close(() => order.push("closed"));
  });
  equal([loop.alive, loop.handles.length, timer.loop === loop], [true, 1, true]);
  equal(loop.run("nowait"), true);
  equal(loop.run(), false);
  equal(order, ["timer", "job", "closed"]);
  equal([loop.alive, loop.handles.length, loop.getTimeout()], [false, 0, 0]);
  throws(() => loop.run("often"), "RangeError");
  loop.close();
  equal(loop.closed, true);
  throws(() => new Timer(loop), "LoopClosedError");
  throws(() => loop.now, "LoopClosedError");
});

test("the script's own loop is running", () => {
  throws(() => uv.Loop.default.run(), "EBUSY");
  equal(uv.Loop.default.now >= 0, true);
});

test("an async handle coalesces sends", async () => {
  let calls = 0;
  const handle = new Async({ callback: () => (calls += 1) });
  handle.send();
  handle.send();
  await handle.sent();
  equal(calls, 1);
  throws(() => handle.receive(), "ENOTSUP");
  handle.close();
  throws(() => handle.send(), "HandleClosedError");
});

test("the host sends a named handle", async () => {
  throws(() => new Async({ name: "no-such" }), "ENOENT");
  const handle = new Async({ name: "poke" });
  console.log("kill 10");
  await handle.sent();
  handle.close();
});

test("signals are delivered to callbacks and to iterators", async () => {
  const signal = new Signal();
  throws(() => signal.start("SIGUSR2"), "EACCES");
  throws(() => signal.start("SIGNOTHING"), "ERR_INVALID_ARG_TYPE");
  throws(() => signal.start(9), "EINVAL");
  const calls = [];
  signal.start("SIGHUP", (handle, signum) => calls.push(signum));
  equal(signal.signum, uv.Signals.SIGHUP);
  console.log("kill 1");
  equal(await signal.delivered(), 1);
  let count = 0;
  console.log("kill 1");
  for await (const signum of signal) {
    equal(signum, 1);
    count += 1;
    if (count === 2) {
      break;
    }
    console.log("kill 1");
  }
  equal(calls, [1, 1, 1]);
  signal.close();
  equal(await signal.delivered(), undefined);
});

test("a pipe is polled, read and written", async () => {
  throws(() => uv.open("no-such"), "ENOENT");
  const pipe = uv.open("pipe");
  throws(() => uv.open("pipe"), "EBUSY");
  throws(() => pipe.read(), "EAGAIN");
  const poll = new Poll(pipe);
  equal(poll.fileno(), pipe.fileno());
  equal(await poll.ready(Poll.WRITABLE), PollEvent.WRITABLE);
  equal(pipe.write("hello ü"), 8);
  equal(await poll.ready(), PollEvent.READABLE);
  equal(new TextDecoder().decode(pipe.read()), "hello ü");
  const events = new Promise((resolve) => {
    poll.start(PollEvent.READABLE, (handle, status, events) => {
      handle.stop();
      resolve([status, events, pipe.read(3).length]);
    });
  });
  pipe.write(new Uint8Array([1, 2, 3, 4]));
  equal(await events, [0, 1, 3]);
  const waiting = poll.ready();
  pipe.read();
  poll.close();
  await rejects(waiting, "HandleClosedError");
  pipe.close();
  throws(() => pipe.read(), "EBADF");
  throws(() => new Poll(pipe), "EBADF");
});

test("connections are accepted, and end", async () => {
  const [server, client] = [uv.open("server"), uv.open("client")];
  const listening = new Poll(server);
  await listening.ready();
  const connection = server.accept();
  client.write("to the server");
  client.shutdown("write");
  const poll = new Poll(connection);
  const chunks = [];
  for await (const _ of poll) {
    const chunk = connection.read(5);
    if (chunk.length === 0) {
      break;
    }
    chunks.push(new TextDecoder().decode(chunk));
  }
  equal(chunks.join(""), "to the server");
  for (const one of [poll, listening, connection, server, client]) {
    one.close();
  }
});

test("streams are read and written by promises", async () => {
  const server = uv.Server.open("server");
  const client = uv.Stream.open("client");
  const accepted = server[Symbol.asyncIterator]();
  const { value: connection } = await accepted.next();
  // More than the other side has room for: the second write waits behind the first one.
  const long = "ü".repeat(1_000_000);
  const written = Promise.all([client.write(long), client.write("end")]);
  await sleep(1);
  equal(client.unwritten > 1_000_000, true);
  let text = "";
  const decoder = new TextDecoder();
  for (let bytes; !text.endsWith("end"); ) {
    bytes = await connection.read();
    text += decoder.decode(bytes, { stream: true });
  }
  equal(text === `${long}end`, true);
  await written;
  equal(client.unwritten, 0);

  const lines = client.lines();
  await connection.write("one\r\ntw");
  equal((await lines.next()).value, "one");
  const second = lines.next();
  await rejects(client.read(), "EBUSY");
  await connection.end("o\n\nthree");
  equal((await second).value, "two");
  equal([(await lines.next()).value, (await lines.next()).value], ["", "three"]);
  equal((await lines.next()).done, true);
  equal(await client.read(), null);

  const waiting = connection.read();
  connection.close();
  equal([await waiting, await connection.read(), connection.closed], [null, null, true]);
  await rejects(connection.write("a"), "HandleClosedError");
  await rejects(client.write(1), "ERR_INVALID_ARG_TYPE");
  await rejects(client.read(0), "ERR_OUT_OF_RANGE");
  throws(() => new uv.Stream("client"), "ERR_INVALID_ARG_TYPE");
  client.close();
  const next = accepted.next();
  server.close();
  equal((await next).done, true);
});

test("a stream tells why it has failed", async () => {
  using server = uv.Server.open("server");
  using client = uv.Stream.open("client");
  const { value: connection } = await server[Symbol.asyncIterator]().next();
  const long = client.write(new Uint8Array(10_000_000));
  await connection.write("hello\nmuch longer");
  const lines = client.lines({ longest: 5 });
  equal((await lines.next()).value, "hello");
  await rejects(lines.next(), "ERR_OUT_OF_RANGE");
  connection.close();
  const failed = (write) => write.catch((error) => ["EPIPE", "ECONNRESET"].includes(error.code));
  const writes = [long, client.write("a"), client.write("b")];
  equal(await Promise.all(writes.map(failed)), [true, true, true]);
});

test("datagrams have senders", async () => {
  const socket = uv.open("udp");
  const address = socket.localAddress;
  equal(socket.sendTo("ping", address), 4);
  const poll = new Poll(socket);
  await poll.ready();
  const datagram = socket.receiveFrom();
  equal([new TextDecoder().decode(datagram.data), datagram.address === address], ["ping", true]);
  socket.sendBufferSize = 8192;
  equal(socket.sendBufferSize, 8192);
  throws(() => socket.peerAddress, "ENOTCONN");
  poll.close();
  socket.close();
});

test("a reference decides whether the loop goes on", () => {
  const timer = new Timer();
  timer.dereference();
  equal(timer.referenced, false);
  timer.reference();
  equal(timer.referenced, true);
  timer.close();
  throws(() => new uv.AsyncSender("no-such"), "ENOENT");
  throws(() => new uv.Descriptor(0), "Descriptor.open");
  equal(uv.StatusCode.EBUSY, -16);
});
