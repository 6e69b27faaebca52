// Uses of every declaration. `tsc` checks this file: the lines after @ts-expect-error have to be
// errors.

import uv, { Async, Descriptor, Loop, Poll, PollEvent, Signal, Timer, UVError } from "uv";
import { setTimeout as sleep, setInterval as every } from "node:timers/promises";
import { EventEmitter, once } from "events";
import { inspect, promisify } from "node:util";
import { fileURLToPath } from "url";

const timeout: Timeout = setTimeout((text: string) => console.log(text), 5, "text").unref();
clearTimeout(timeout.refresh());
clearTimeout(+timeout);
clearImmediate(setImmediate(() => {}).ref());
// @ts-expect-error
setTimeout("code", 5);
// @ts-expect-error
setTimeout((text: string) => console.log(text), 5, 6);
queueMicrotask(() => process.nextTick((a: number) => console.log(a), 1));

const controller = new AbortController();
const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(10)]);
signal.addEventListener("abort", (event) => console.log(event.type), { once: true });
const value: string = await sleep(1, "value", { signal });
for await (const tick of every(1, 2)) {
  console.log(tick.toFixed());
}

const url = new URL("a", "http://example.com/");
url.searchParams.append("k", value);
const text: string = new TextDecoder().decode(new TextEncoder().encode(url.href));
console.table([{ text }], ["text"]);
const copy: { a: number } = structuredClone({ a: 1 });
console.log(
  copy,
  performance.now(),
  fileURLToPath(import.meta.url),
  inspect(copy),
  promisify(setTimeout),
);
const emitter = new EventEmitter().on("x", () => {});
console.log(await once(emitter, "x"));
for await (const chunk of process.stdin.setEncoding("utf8")) {
  process.stdout.write(chunk);
}
process.on("SIGTERM", () => process.exit(0));

const timer: Timer = new uv.Timer();
timer.start(5, (handle) => handle.close((closed) => console.log(closed.closed)), 10);
// @ts-expect-error
timer.start("5");
{
  using check = new uv.Check();
  check.start((handle) => handle.stop());
}
const descriptor: Descriptor = uv.open("clients");
const poll = new Poll(descriptor, Loop.default);
poll.start(PollEvent.READABLE | PollEvent.DISCONNECT, (handle, status, events) => {
  console.log(handle.fileno(), status, events);
});
for await (const events of poll) {
  console.log(events & Poll.READABLE, descriptor.accept().read().length);
}
for await (const message of new Async({ name: "jobs" })) {
  console.log(message.byteLength);
}
for await (const signum of new Signal()) {
  console.log(signum.toFixed());
}
// @ts-expect-error
new Descriptor();
try {
  new uv.Loop().run("nowait");
} catch (error) {
  if (error instanceof UVError) {
    console.log(error.code.length, error.errno.toFixed());
  }
}

const made = new Request(url, { method: "POST", body: new URLSearchParams({ a: "b" }), redirect: "error" });
const answer: Response = await fetch(made, { signal: AbortSignal.timeout(5), headers: { a: "b" } });
if (answer.ok && answer.body !== null) {
  for await (const chunk of answer.body) {
    console.log(chunk.byteLength, answer.headers.get("a")?.length, [...answer.headers.keys()]);
  }
}
const bytes: Uint8Array = await Response.json({ a: 1 }, { status: 201 }).clone().bytes();
console.log(bytes, URL.parse("a", url)?.href);
// @ts-expect-error
await fetch(url, { redirect: "perhaps" });
// @ts-expect-error
new Response(5);

const server = uv.Server.open("clients");
for await (const stream of server) {
  const first: Uint8Array | null = await stream.read(10);
  for await (const line of stream.lines({ longest: 100 })) {
    await stream.write(line.trim());
  }
  await stream.end(first?.toString());
  console.log(stream.unwritten.toFixed(), stream.descriptor.peerAddress);
  console.log(stream.descriptor.read().toString("latin1"));
}
// @ts-expect-error
await server.read();
