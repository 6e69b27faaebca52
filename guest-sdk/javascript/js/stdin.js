// process.stdin: an async iterable of what the descriptor "stdin" gives.

import { EventEmitter } from "runtime:emitter";
import { Descriptor, Poll } from "runtime:uv";

const SIZE = 65536;

class Input extends EventEmitter {
  fd = 0;
  isTTY = false;
  #encoding;
  #decoder;
  #descriptor;
  #isFlowing = false;

  setEncoding(encoding = "utf8") {
    this.#decoder = new TextDecoder(encoding);
    this.#encoding = encoding;
    return this;
  }

  /** Chunks of bytes, or of text after `setEncoding`. Without a grant there are none. */
  async *[Symbol.asyncIterator]() {
    if (this.#descriptor === undefined) {
      try {
        this.#descriptor = Descriptor.open("stdin");
      } catch (error) {
        if (error.code === "ENOENT" || error.code === "EACCES") {
          return;
        }
        throw error;
      }
    }
    const descriptor = this.#descriptor;
    for (;;) {
      let bytes;
      try {
        bytes = descriptor.read(SIZE);
      } catch (error) {
        if (error.code !== "EAGAIN") {
          throw error;
        }
        await readable(descriptor);
        continue;
      }
      const isEnd = bytes.length === 0;
      if (this.#decoder === undefined) {
        if (!isEnd) {
          yield bytes;
        }
      } else {
        const text = this.#decoder.decode(bytes, { stream: !isEnd });
        if (text !== "") {
          yield text;
        }
      }
      if (isEnd) {
        return;
      }
    }
  }

  /** With a listener for `data`, the stream flows, as in Node. */
  on(name, listener) {
    super.on(name, listener);
    if (name === "data" && !this.#isFlowing) {
      this.#isFlowing = true;
      process.nextTick(() => this.#flow());
    }
    return this;
  }

  async #flow() {
    try {
      for await (const chunk of this) {
        this.emit("data", chunk);
      }
      this.emit("end");
      this.emit("close");
    } catch (error) {
      this.emit("error", error);
    }
  }

  resume() {
    return this;
  }

  get encoding() {
    return this.#encoding;
  }
}

/** Settles when there is something to read. */
async function readable(descriptor) {
  const poll = new Poll(descriptor);
  try {
    await poll.ready();
  } finally {
    poll.close();
  }
}

export const stdin = new Input();
