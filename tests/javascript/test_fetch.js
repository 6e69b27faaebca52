// Headers, Request and Response, without a server.

import { equal, rejects, test, throws } from "./support.mjs";

test("headers are a list whose names have no case", () => {
  const headers = new Headers({ B: " 2 ", a: 1 });
  headers.append("b", "3");
  headers.append("Set-Cookie", "c=1");
  headers.append("set-cookie", "d=2");
  equal(
    [...headers],
    [
      ["a", "1"],
      ["b", "2, 3"],
      ["set-cookie", "c=1"],
      ["set-cookie", "d=2"],
    ],
  );
  equal([headers.get("B"), headers.has("C"), headers.get("c")], ["2, 3", false, null]);
  equal(headers.getSetCookie(), ["c=1", "d=2"]);
  headers.set("b", "4");
  headers.delete("SET-COOKIE");
  equal([...headers.keys()].join(), "a,b");
  const pairs = [];
  headers.forEach((value, name) => pairs.push(`${name}=${value}`));
  equal(pairs, ["a=1", "b=4"]);
  equal([...new Headers(headers)], [...new Headers([...headers])]);
});

test("headers that are not valid are refused", () => {
  for (const name of ["", "a b", "ä", "a:", "a\n", "a\0"]) {
    throws(() => new Headers([[name, "b"]]), "TypeError");
    throws(() => new Headers().get(name), "TypeError");
  }
  for (const value of ["a\nb", "a\rb", "a\0", "\u0100"]) {
    throws(() => new Headers({ a: value }), "TypeError");
  }
  for (const init of [null, 1, "text", [["a"]], [["a", "b", "c"]], ["ab"]]) {
    throws(() => new Headers(init), "TypeError");
  }
});

test("a request is made of an address and options, or of another one", async () => {
  const request = new Request("http://a/b c", {
    method: "post",
    body: "text",
    headers: { a: "b" },
    redirect: "manual",
  });
  equal([request.method, request.url, request.redirect], ["POST", "http://a/b%20c", "manual"]);
  equal(request.headers.get("content-type"), "text/plain;charset=UTF-8");
  const clone = request.clone();
  const other = new Request(request, { method: "PUT" });
  equal([request.bodyUsed, other.method, await other.text()], [true, "PUT", "text"]);
  equal([await clone.text(), clone.headers.get("a")], ["text", "b"]);
  await rejects(request.text(), "TypeError");
  throws(() => new Request(request), "TypeError");
  const controller = new AbortController();
  const signaled = new Request("http://a/", { signal: controller.signal });
  controller.abort();
  equal([signaled.signal.aborted, new Request("http://a/").signal.aborted], [true, false]);
  equal([new Request("http://a/", { method: "pAtch" }).method, signaled.body], ["pAtch", null]);
});

test("requests that are not valid are refused", () => {
  for (const args of [
    [],
    [""],
    ["/a"],
    ["http://a:b"],
    ["http://u:p@a/"],
    ["http://a/", null],
    ["http://a/", { method: "a b" }],
    ["http://a/", { method: "trace" }],
    ["http://a/", { method: "HEAD", body: "" }],
    ["http://a/", { signal: 1 }],
    ["http://a/", { redirect: "" }],
  ]) {
    throws(() => new Request(...args), "TypeError");
  }
});

test("a response can be made by a script", async () => {
  const response = new Response("a", { status: 201, statusText: "Made", headers: { b: "c" } });
  equal([response.status, response.ok, response.statusText], [201, true, "Made"]);
  equal([response.headers.get("b"), response.type, response.url], ["c", "default", ""]);
  const json = Response.json({ a: 1 }, { status: 400 });
  equal([json.ok, json.headers.get("content-type")], [false, "application/json"]);
  equal(await json.json(), { a: 1 });
  const redirect = Response.redirect("http://a/b", 301);
  equal([redirect.status, redirect.headers.get("location")], [301, "http://a/b"]);
  equal([Response.error().type, Response.error().status], ["error", 0]);
  throws(() => new Response("", { status: 199 }), "RangeError");
  throws(() => new Response("", { status: 600 }), "RangeError");
  throws(() => new Response("", { status: 204 }), "TypeError");
  throws(() => Response.redirect("http://a/", 200), "RangeError");
  throws(() => Response.json(undefined), "TypeError");
});

test("a body is read once, in one of its forms", async () => {
  equal(await new Response("\ufeffä").text(), "ä");
  equal(await new Response(new Uint8Array([1, 2, 3]).subarray(1)).bytes(), new Uint8Array([2, 3]));
  equal((await new Response(new ArrayBuffer(3)).arrayBuffer()).byteLength, 3);
  equal(await new Response(new URLSearchParams({ a: "ä" })).text(), "a=%C3%A4");
  equal(await new Response({ toString: () => "shown" }).text(), "shown");
  await rejects(new Response("{").json(), "SyntaxError");
  const response = new Response("text");
  equal([response.bodyUsed, response.body === response.body], [false, true]);
  const first = response.text();
  equal(response.bodyUsed, true);
  await rejects(response.bytes(), "TypeError");
  throws(() => response.clone(), "TypeError");
  equal(await first, "text");
  const none = new Response();
  equal([none.body, await none.text(), await none.text(), none.bodyUsed], [null, "", "", false]);
});

test("a body can be an async iterable", async () => {
  let ended = 0;
  async function* chunks(last) {
    try {
      yield "a";
      yield new Uint8Array([98]);
      yield last;
    } finally {
      ended += 1;
    }
  }
  equal(await new Response(chunks("c")).text(), "abc");
  await rejects(new Response(chunks(3)).text(), "TypeError");
  const one = new Response(chunks("c"));
  const other = one.clone();
  equal([await one.text(), await other.text(), ended], ["abc", "abc", 3]);
  for await (const chunk of new Response(chunks("c")).body) {
    equal(chunk, new Uint8Array([97]));
    break;
  }
  equal(ended, 4);
  const cancelled = new Response(chunks("c"));
  await cancelled.body.cancel();
  equal(cancelled.bodyUsed, true);
  async function* failing() {
    throw new RangeError("of the source");
  }
  await rejects(new Response(failing()).text(), "of the source");
});
