// The globals of the web: events, abort, text, addresses, clones.

import { equal, rejects, sleep, test, throws } from "./support.mjs";

test("listeners are called in order, once each, and removed", () => {
  const target = new EventTarget();
  const calls = [];
  const listener = (event) => calls.push(event.type);
  target.addEventListener("x", listener);
  target.addEventListener("x", listener);
  target.addEventListener("x", { handleEvent: () => calls.push("object") });
  target.addEventListener("x", () => calls.push("once"), { once: true });
  equal(target.dispatchEvent(new Event("x")), true);
  target.dispatchEvent(new Event("x"));
  target.removeEventListener("x", listener);
  target.dispatchEvent(new Event("x"));
  equal(calls, ["x", "object", "once", "x", "object", "object"]);
});

test("an event can be canceled and stopped", () => {
  const target = new EventTarget();
  target.addEventListener("x", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
  });
  target.addEventListener("x", () => {
    throw new Error("not reached");
  });
  const event = new Event("x", { cancelable: true });
  equal(
    [target.dispatchEvent(event), event.defaultPrevented, event.target === target],
    [false, true, true],
  );
  equal(new CustomEvent("y", { detail: 3 }).detail, 3);
  throws(() => new Event(), "ERR_MISSING_ARGS");
  throws(() => target.dispatchEvent("x"), "ERR_INVALID_ARG_TYPE");
});

test("an error of a listener does not keep others from being called", async () => {
  const caught = new Promise((resolve) => process.once("uncaughtException", resolve));
  const target = new EventTarget();
  let called = false;
  target.addEventListener("x", () => {
    throw new Error("listener");
  });
  target.addEventListener("x", () => {
    called = true;
  });
  target.dispatchEvent(new Event("x"));
  equal(called, true);
  equal((await caught).message, "listener");
});

test("a controller aborts its signal once", () => {
  const controller = new AbortController();
  const { signal } = controller;
  const calls = [];
  signal.onabort = (event) => calls.push(event.type);
  signal.addEventListener("abort", () => calls.push("listener"));
  equal([signal.aborted, signal.reason], [false, undefined]);
  signal.throwIfAborted();
  controller.abort();
  controller.abort("again");
  equal(calls, ["abort", "listener"]);
  equal([signal.aborted, signal.reason.name, signal.reason.code], [true, "AbortError", 20]);
  throws(() => signal.throwIfAborted(), "AbortError");
  throws(() => new AbortSignal(), "Illegal constructor");
});

test("AbortSignal.abort, timeout and any", async () => {
  equal(AbortSignal.abort("reason").reason, "reason");
  const timeout = AbortSignal.timeout(2);
  const controller = new AbortController();
  const any = AbortSignal.any([controller.signal, timeout]);
  equal([timeout.aborted, any.aborted], [false, false]);
  await sleep(6);
  equal([timeout.reason.name, any.reason === timeout.reason], ["TimeoutError", true]);
  equal(AbortSignal.any([AbortSignal.abort(1), controller.signal]).reason, 1);
  throws(() => AbortSignal.timeout(-1), "ERR_OUT_OF_RANGE");
  throws(() => AbortSignal.timeout("1"), "ERR_INVALID_ARG_TYPE");
});

test("DOMException has names and codes", () => {
  const error = new DOMException("text", "NotFoundError");
  equal(
    [error.name, error.message, error.code, error instanceof Error],
    ["NotFoundError", "text", 8, true],
  );
  equal(DOMException.ABORT_ERR, 20);
});

test("text is encoded and decoded", () => {
  const encoder = new TextEncoder();
  equal(
    [...encoder.encode("aü€😀\ud800")],
    [97, 195, 188, 226, 130, 172, 240, 159, 152, 128, 239, 191, 189],
  );
  const array = new Uint8Array(4);
  equal(encoder.encodeInto("aü€", array), { read: 2, written: 3 });
  const decoder = new TextDecoder();
  equal(decoder.decode(encoder.encode("\ufeffaü€")), "aü€");
  equal(new TextDecoder("utf-8", { ignoreBOM: true }).decode(encoder.encode("\ufeffa")), "\ufeffa");
  equal(decoder.decode(new Uint8Array([0xff, 97])), "\ufffda");
  throws(
    () => new TextDecoder("utf8", { fatal: true }).decode(new Uint8Array([0xff])),
    "TypeError",
  );
  equal(new TextDecoder("utf-16le").decode(new Uint8Array([97, 0, 0x3d, 0xd8, 0, 0xde])), "a😀");
  equal(new TextDecoder("latin1").decode(new Uint8Array([0xe9, 0x80])), "é€");
  throws(() => new TextDecoder("no-such"), "RangeError");
});

test("text is decoded from pieces", () => {
  for (const [label, bytes] of [
    ["utf-8", new TextEncoder().encode("aü€😀z")],
    ["utf-16le", new Uint8Array([97, 0, 0x3d, 0xd8, 0, 0xde, 122, 0])],
  ]) {
    const whole = new TextDecoder(label).decode(bytes);
    const decoder = new TextDecoder(label);
    let text = "";
    for (const byte of bytes) {
      text += decoder.decode(new Uint8Array([byte]), { stream: true });
    }
    equal(text + decoder.decode(), whole);
  }
});

test("addresses are parsed, resolved and changed", () => {
  const url = new URL("../x?y=1#z", "https://user:pw@example.com:8080/a/b/c");
  equal(url.href, "https://user:pw@example.com:8080/a/x?y=1#z");
  equal(
    [url.origin, url.host, url.port, url.pathname],
    ["https://example.com:8080", "example.com:8080", "8080", "/a/x"],
  );
  url.port = "443";
  url.searchParams.append("k", "a b&c");
  url.hash = "";
  equal(String(url), "https://user:pw@example.com/a/x?y=1&k=a+b%26c");
  url.search = "?q=2";
  equal(url.searchParams.get("q"), "2");
  equal(new URL("http://bücher.example/ü").href, "http://xn--bcher-kva.example/%C3%BC");
  equal(JSON.stringify({ url: new URL("data:x") }), '{"url":"data:x"}');
  equal([URL.canParse("x"), URL.canParse("x", "http://a/")], [false, true]);
  throws(() => new URL("no address"), "ERR_INVALID_URL");
});

test("search parameters are a list", () => {
  const params = new URLSearchParams([
    ["a", "1"],
    ["b", "2"],
    ["a", "3"],
  ]);
  equal(
    [params.get("a"), params.getAll("a"), params.has("c"), params.size],
    ["1", ["1", "3"], false, 3],
  );
  params.set("a", "x y");
  params.delete("b");
  equal([...params], [["a", "x y"]]);
  equal(String(new URLSearchParams({ z: "1", y: "ü" })), "z=1&y=%C3%BC");
  const sorted = new URLSearchParams("?b=1&a=2&b=0");
  sorted.sort();
  equal(String(sorted), "a=2&b=1&b=0");
});

test("structuredClone copies data and refuses functions", () => {
  const original = {
    text: "a",
    date: new Date(5),
    map: new Map([[1, { x: 1 }]]),
    set: new Set(["a"]),
    regexp: /a/g,
    error: new TypeError("bad"),
    bytes: new Uint8Array([1, 2, 3]).subarray(1),
    list: [1, , 3],
    big: 1n,
  };
  original.self = original;
  const copy = structuredClone(original);
  equal(copy !== original && copy.self === copy && copy.map !== original.map, true);
  equal(
    [copy.date.getTime(), copy.map.get(1).x, copy.set.has("a"), copy.regexp.flags],
    [5, 1, true, "g"],
  );
  equal(
    [copy.error instanceof TypeError, copy.error.message, [...copy.bytes]],
    [true, "bad", [2, 3]],
  );
  equal([copy.list.length, 1 in copy.list], [3, false]);
  const buffer = new ArrayBuffer(4);
  equal(structuredClone(buffer, { transfer: [buffer] }).byteLength, 4);
  equal(buffer.byteLength, 0);
  throws(() => structuredClone(() => {}), "DataCloneError");
  throws(() => structuredClone({ s: Symbol() }), "DataCloneError");
});

test("performance.now follows the loop", async () => {
  const start = performance.now();
  await sleep(10);
  const elapsed = performance.now() - start;
  equal(elapsed >= 9 && elapsed < 1000, true);
  await rejects(Promise.reject(new Error("shown")), "shown");
});
