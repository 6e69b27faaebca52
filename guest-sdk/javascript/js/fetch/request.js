// Requests.

import { AbortController, AbortSignal } from "runtime:abort";
import { Body, extract } from "runtime:fetch/body";
import { Headers, isToken } from "runtime:fetch/headers";

/** Methods that are written in capital letters, however a script writes them. */
const CAPITALS = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];
const FORBIDDEN = ["CONNECT", "TRACE", "TRACK"];
const REDIRECT = ["follow", "error", "manual"];

/** A request that can be sent. */
export class Request extends Body {
  #method = "GET";
  #url;
  #headers;
  #redirect = "follow";
  #signal;

  constructor(input, init = {}) {
    super();
    if (arguments.length === 0) {
      throw new TypeError("A request must have a URL");
    }
    if (init === null || typeof init !== "object") {
      throw new TypeError("The options of a request must be an object");
    }
    const other = input instanceof Request ? input : undefined;
    this.#url = other === undefined ? parse(input) : other.#url;
    this.#method = init.method === undefined ? (other?.method ?? "GET") : method(init.method);
    this.#headers = new Headers(init.headers ?? other?.headers);
    this.#redirect = init.redirect ?? other?.redirect ?? "follow";
    if (!REDIRECT.includes(this.#redirect)) {
      throw new TypeError(`"redirect" must be follow, error or manual, not ${this.#redirect}`);
    }
    const signal = init.signal === undefined ? other?.signal : init.signal;
    if (signal !== undefined && signal !== null && !(signal instanceof AbortSignal)) {
      throw new TypeError('"signal" must be an AbortSignal');
    }
    this.#signal = signal ?? new AbortController().signal;
    const body = init.body ?? null;
    const hasNone = ["GET", "HEAD"].includes(this.#method);
    if (hasNone && (body !== null || (other !== undefined && other.body !== null))) {
      throw new TypeError("Request with GET/HEAD method cannot have body.");
    }
    if (body !== null) {
      const [source, type] = extract(body);
      this._setBody(source);
      if (type !== undefined && !this.#headers.has("content-type")) {
        this.#headers.append("content-type", type);
      }
    } else if (other !== undefined) {
      this._setBody(other._take());
    }
  }

  get method() {
    return this.#method;
  }

  get url() {
    return this.#url;
  }

  get headers() {
    return this.#headers;
  }

  get redirect() {
    return this.#redirect;
  }

  get signal() {
    return this.#signal;
  }

  clone() {
    const source = this._split();
    const clone = new Request(this.#url, {
      method: this.#method,
      headers: this.#headers,
      redirect: this.#redirect,
      signal: this.#signal,
    });
    clone._setBody(source);
    return clone;
  }

  get [Symbol.toStringTag]() {
    return "Request";
  }
}

function parse(input) {
  let url;
  try {
    url = new URL(input);
  } catch (cause) {
    throw new TypeError(`Failed to parse URL from ${input}`, { cause });
  }
  if (url.username !== "" || url.password !== "") {
    throw new TypeError(`Request cannot be constructed from a URL that includes credentials: ${url}`);
  }
  return url.href;
}

function method(value) {
  const text = String(value);
  const upper = text.toUpperCase();
  if (!isToken(text) || FORBIDDEN.includes(upper)) {
    throw new TypeError(`${JSON.stringify(text)} is not a valid HTTP method.`);
  }
  return CAPITALS.includes(upper) ? upper : text;
}
