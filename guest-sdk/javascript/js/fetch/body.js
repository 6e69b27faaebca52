// Bodies of requests and responses.

import { bytesOf } from "runtime:bytes";

/** Where the bytes of a body come from, and whether they have been read. */
export class Body {
  /** Bytes, or an async iterable of them, or null. */
  #source = null;
  #stream = null;
  #isUsed = false;

  _setBody(source) {
    this.#source = source;
    this.#stream = null;
  }

  /** An async iterable of the body's bytes, which can be read once. */
  get body() {
    if (this.#source === null) {
      return null;
    }
    this.#stream ??= new BodyStream(() => this._chunks());
    return this.#stream;
  }

  get bodyUsed() {
    return this.#isUsed;
  }

  async arrayBuffer() {
    const bytes = await this.bytes();
    return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
  }

  async bytes() {
    const chunks = [];
    for await (const chunk of this._chunks()) {
      chunks.push(chunk);
    }
    return joined(chunks);
  }

  async json() {
    return JSON.parse(await this.text());
  }

  async text() {
    return new TextDecoder().decode(await this.bytes());
  }

  /** The body for another object, after which both can be read. */
  _split() {
    this._checkUnused();
    if (this.#source === null || this.#source instanceof Uint8Array) {
      return this.#source;
    }
    const [one, other] = split(this.#source);
    this._setBody(one);
    return other;
  }

  /** The source for another object, after which this one has been used. */
  _take() {
    this._checkUnused();
    this.#isUsed = this.#source !== null;
    return this.#source;
  }

  _checkUnused() {
    if (this.#isUsed) {
      throw new TypeError("Body is unusable: Body has already been read");
    }
  }

  /** The chunks. Reading begins with this call. */
  _chunks() {
    const source = this._take();
    return source === null || source instanceof Uint8Array ? once(source) : checked(source);
  }
}

/** The member `body` of requests and responses. */
class BodyStream {
  #begin;
  #chunks;

  constructor(begin) {
    this.#begin = begin;
  }

  [Symbol.asyncIterator]() {
    this.#chunks = this.#begin();
    return this.#chunks;
  }

  /** Ends the reading. The connection of a response is closed. */
  async cancel() {
    this.#chunks ??= this.#begin();
    await this.#chunks.return();
  }

  get [Symbol.toStringTag]() {
    return "BodyStream";
  }
}

/** The source of a body and its type, from what a script passes as a body. */
export function extract(init) {
  if (init === null || init === undefined) {
    return [null, undefined];
  }
  if (typeof init === "object") {
    if (ArrayBuffer.isView(init)) {
      return [new Uint8Array(init.buffer, init.byteOffset, init.byteLength).slice(), undefined];
    }
    if (init instanceof ArrayBuffer) {
      return [new Uint8Array(init.slice()), undefined];
    }
    if (init instanceof URLSearchParams) {
      const type = "application/x-www-form-urlencoded;charset=UTF-8";
      return [new TextEncoder().encode(String(init)), type];
    }
    if (typeof init[Symbol.asyncIterator] === "function") {
      return [init, undefined];
    }
  }
  return [new TextEncoder().encode(String(init)), "text/plain;charset=UTF-8"];
}

function joined(chunks) {
  if (chunks.length === 1) {
    return chunks[0];
  }
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

async function* once(bytes) {
  if (bytes !== null && bytes.length > 0) {
    yield bytes.slice();
  }
}

/** Chunks of a script's iterable have to be bytes or text. */
function checked(source) {
  const iterator = source[Symbol.asyncIterator]();
  return {
    async next() {
      const { done, value } = await iterator.next();
      if (done) {
        return { done, value: undefined };
      }
      try {
        return { done: false, value: bytesOfChunk(value) };
      } catch (error) {
        await iterator.return?.();
        throw error;
      }
    },
    // A generator that has not begun would not pass this on.
    async return() {
      await iterator.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function bytesOfChunk(chunk) {
  const bytes = bytesOf(chunk);
  if (bytes === undefined) {
    throw new TypeError("The chunks of a body must be bytes or text");
  }
  return bytes;
}

/** Two iterables of the chunks of one. Chunks that only one has read are kept for the other. */
function split(source) {
  const iterator = checked(source);
  const queues = [[], []];
  let ended = 0;
  return queues.map((queue) =>
    (async function* () {
      try {
        for (;;) {
          if (queue.length === 0) {
            const next = iterator.next();
            queues.forEach((one) => one.push(next));
          }
          const { done, value } = await queue.shift();
          if (done) {
            return;
          }
          yield value.slice();
        }
      } finally {
        ended += 1;
        if (ended === queues.length) {
          await iterator.return();
        }
      }
    })(),
  );
}
