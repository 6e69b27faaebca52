// process, console and how values are shown.

import nodeProcess, { argv } from "node:process";
import { EventEmitter, once } from "node:events";
import { format, inspect } from "node:util";
import data from "./data.json" with { type: "json" };
import { equal, rejects, test, throws } from "./support.mjs";

test("process has arguments and environment", () => {
  equal(nodeProcess === process && argv === process.argv, true);
  equal(process.argv.slice(2), ["one", "two"]);
  equal([process.env.GREETING, process.env.MISSING], ["hello", undefined]);
  process.env.NUMBER = 3;
  equal(process.env.NUMBER, "3");
  equal("GREETING" in process.env && Object.keys(process.env).includes("NUMBER"), true);
});

test("hrtime and uptime", () => {
  const [seconds, nanoseconds] = process.hrtime(process.hrtime());
  equal(seconds === 0 && nanoseconds >= 0 && nanoseconds < 1e9, true);
  equal(typeof process.hrtime.bigint(), "bigint");
  equal(process.uptime() >= 0, true);
});

test("exit codes are whole numbers", () => {
  throws(() => (process.exitCode = "x"), "ERR_INVALID_ARG_TYPE");
  throws(() => (process.exitCode = 1.5), "ERR_INVALID_ARG_TYPE");
  process.exitCode = 0;
});

test("a signal that is not granted is an error", () => {
  throws(() => process.on("SIGUSR2", () => {}), "EACCES");
});

test("emitters", async () => {
  const emitter = new EventEmitter();
  const calls = [];
  const listener = (value) => calls.push(value);
  emitter
    .on("x", listener)
    .once("x", () => calls.push("once"))
    .prependListener("x", () => calls.push("first"));
  equal([emitter.emit("x", 1), emitter.emit("x", 2), emitter.emit("y")], [true, true, false]);
  emitter.off("x", listener);
  emitter.emit("x", 3);
  equal(calls, ["first", 1, "once", "first", 2, "first"]);
  equal([emitter.listenerCount("x"), emitter.eventNames()], [1, ["x"]]);
  throws(() => emitter.emit("error", new Error("boom")), "boom");
  setTimeout(() => emitter.emit("later", 1, 2), 1);
  equal(await once(emitter, "later"), [1, 2]);
  setTimeout(() => emitter.emit("error", new Error("instead")), 1);
  await rejects(once(emitter, "later"), "instead");
});

test("unhandled rejections have an event", async () => {
  const seen = new Promise((resolve) =>
    process.once("unhandledRejection", (reason) => resolve(reason)),
  );
  const late = new Promise((resolve) =>
    process.once("rejectionHandled", (promise) => resolve([promise])),
  );
  const promise = Promise.reject("why");
  equal(await seen, "why");
  promise.catch(() => {});
  equal((await late)[0] === promise, true);
  // Handled in time.
  const handled = Promise.reject("never seen");
  process.nextTick(() => handled.catch(() => {}));
});

test("uncaught exceptions have an event", async () => {
  const seen = new Promise((resolve) => process.once("uncaughtException", resolve));
  const order = [];
  setTimeout(() => {
    throw new Error("thrown");
  }, 1);
  setTimeout(() => order.push("next"), 1);
  equal((await seen).message, "thrown");
  await new Promise((resolve) => setTimeout(resolve, 2));
  equal(order, ["next"]);
});

test("values are shown as Node shows them", () => {
  class Foo {
    x = 1;
  }
  const circular = { name: "c" };
  circular.self = circular;
  for (const [value, shown] of [
    ["a'b", '"a\'b"'],
    [-0, "-0"],
    [[1, , "x"], "[ 1, <1 empty item>, 'x' ]"],
    [{ a: 1, "b-c": undefined, [Symbol("s")]: 1n }, "{ a: 1, 'b-c': undefined, [Symbol(s)]: 1n }"],
    [new Foo(), "Foo { x: 1 }"],
    [Object.create(null), "[Object: null prototype] {}"],
    [new Map([["k", { v: 1 }]]), "Map(1) { 'k' => { v: 1 } }"],
    [new Set(), "Set(0) {}"],
    [new Uint8Array(2), "Uint8Array(2) [ 0, 0 ]"],
    [Promise.resolve(4), "Promise { 4 }"],
    [new Promise(() => {}), "Promise { <pending> }"],
    [function f() {}, "[Function: f]"],
    [class A extends Foo {}, "[class A extends Foo]"],
    [{ a: { b: { c: { d: 1 } } } }, "{ a: { b: { c: [Object] } } }"],
    [circular, "<ref *1> { name: 'c', self: [Circular *1] }"],
    [
      {
        get x() {
          return 1;
        },
        set y(_) {},
      },
      "{ x: [Getter], y: [Setter] }",
    ],
    [[1, 2, 3, 4, 5, 6, 7], "[\n  1, 2, 3, 4,\n  5, 6, 7\n]"],
    [new Date(0), "1970-01-01T00:00:00.000Z"],
    [/x/g, "/x/g"],
    ["a\n\x01", "'a\\n\\x01'"],
    [new Proxy({}, {}), "[Proxy]"],
  ]) {
    equal(inspect(value) === shown || inspect(value), true);
  }
  equal(inspect("x".repeat(3)), "'xxx'");
  equal(
    format("%s %d %i %j %o%%", "a", 1.5, 1.5, { x: 1 }, null, "more"),
    'a 1.5 1 {"x":1} null% more',
  );
});

test("errors are shown with their stacks", () => {
  function thrower() {
    throw new RangeError("deep", { cause: "reason" });
  }
  let error;
  try {
    thrower();
  } catch (thrown) {
    error = thrown;
  }
  const [head, first] = error.stack.split("\n");
  equal(head, "RangeError: deep");
  equal(/^ {4}at thrower \(.*test_process\.js:\d+:\d+\)$/.test(first) || first, true);
  equal(inspect(error).endsWith("{\n  [cause]: 'reason'\n}"), true);
  equal(error.stack.includes("runtime:"), false);
});

test("JSON and the module's own place can be imported", async () => {
  equal(data, { answer: 42, __proto__: 1 }["answer"] === 42 ? data : null);
  equal(Object.hasOwn(data, "__proto__"), true);
  equal(import.meta.url.endsWith("/tests/javascript/test_process.js"), true);
  equal(import.meta.filename, import.meta.url.slice("file://".length));
  equal((await import("./data.mjs")).answer, 42);
  await rejects(import("./missing.mjs"), "ERR_MODULE_NOT_FOUND");
  await rejects(import("lodash"), "ERR_MODULE_NOT_FOUND");
  await rejects(import("node:fs"), "ERR_UNKNOWN_BUILTIN_MODULE");
  await rejects(import("runtime:timers"), "ERR_MODULE_NOT_FOUND");
  await rejects(import("./data.json"), "ERR_IMPORT_ATTRIBUTE_MISSING");
});
