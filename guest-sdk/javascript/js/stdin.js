// process.stdin: an async iterable of what the descriptor "stdin" gives.

import { EventEmitter } from "runtime:emitter";
import { HandleClosedError } from "runtime:errors";
import { Descriptor, Poll } from "runtime:uv";

const SIZE = 65536;

class Input extends EventEmitter {
  fd = 0;
  isTTY = false;
  #encoding;
  #decoder;
  #descriptor;
  #isFlowing = false;
  #isReferenced = true;
  #poll;

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
        if (!(await this.#readable(descriptor))) {
          return;
        }
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
    return name === "data" ? this.resume() : this;
  }

  async #flow() {
    try {
      for await (const chunk of this) {
        this.emit("data", chunk);
        if (!this.#isFlowing) {
          return;
        }
      }
      if (!this.#isFlowing) {
        return;
      }
      this.emit("end");
      this.emit("close");
    } catch (error) {
      this.emit("error", error);
    }
  }

  /** Lets the stream flow. */
  resume() {
    if (!this.#isFlowing) {
      this.#isFlowing = true;
      process.nextTick(() => this.#flow());
    }
    return this;
  }

  /** Ends the wait for input: the script may end. An iteration is over. */
  pause() {
    this.#isFlowing = false;
    this.#poll?.close();
    return this;
  }

  isPaused() {
    return !this.#isFlowing;
  }

  destroy() {
    this.pause();
    this.#descriptor?.close();
    return this;
  }

  /** Waiting for input keeps the script from ending, which is the default. */
  ref() {
    this.#isReferenced = true;
    this.#poll?.reference();
    return this;
  }

  unref() {
    this.#isReferenced = false;
    this.#poll?.dereference();
    return this;
  }

  /** Waits for something to read. Returns false if it was told to wait no more. */
  async #readable(descriptor) {
    const poll = new Poll(descriptor);
    this.#poll = poll;
    if (!this.#isReferenced) {
      poll.dereference();
    }
    try {
      await poll.ready();
      return true;
    } catch (error) {
      if (error instanceof HandleClosedError) {
        return false;
      }
      throw error;
    } finally {
      this.#poll = undefined;
      poll.close();
    }
  }

  get encoding() {
    return this.#encoding;
  }
}

export const stdin = new Input();
