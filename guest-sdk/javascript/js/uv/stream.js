// Connections and other descriptors as streams, whose reads and writes are promises.

import { HandleClosedError, UVError, outOfRange, wrongType } from "runtime:errors";
import { bytesToWrite } from "runtime:uv/bytes";
import { PollEvent, StatusCode } from "runtime:uv/constants";
import { Descriptor, open } from "runtime:uv/descriptor";
import { Poll } from "runtime:uv/poll";

/** The longest line, in characters, unless a caller says otherwise. */
const LONGEST_LINE = 1 << 20;

/** Errors of `accept` after which the next connection may be there. */
const PASSING = new Set(["EAGAIN", "ECONNABORTED", "ECONNRESET", "EINTR", "EPROTO"]);

/** Errors of `accept` for which there have to be fewer descriptors first. */
const EXHAUSTED = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);

/** Milliseconds before the next `accept` then. */
const PAUSE = 100;

/** A descriptor that is read and written by promises. It has the descriptor to itself. */
export class Stream {
  #descriptor;
  #poll;
  // The functions that the next events call. Undefined: there is no wait.
  #reader;
  #writer;
  // The write before the next one.
  #last = Promise.resolve();
  #unwritten = 0;
  #isClosed = false;

  constructor(descriptor) {
    if (!(descriptor instanceof Descriptor)) {
      throw wrongType("descriptor", "an instance of Descriptor", descriptor);
    }
    this.#poll = new Poll(descriptor);
    this.#descriptor = descriptor;
  }

  /** Opens what the host granted under this name. */
  static open(name) {
    return new Stream(open(name));
  }

  get descriptor() {
    return this.#descriptor;
  }

  /** The bytes that `write` has been given, and the other side has had no room for yet. */
  get unwritten() {
    return this.#unwritten;
  }

  get closed() {
    return this.#isClosed;
  }

  /** The next bytes, as soon as there are any. Null is the end: of the input, or of a closed stream. */
  async read(size = 65536) {
    if (!Number.isInteger(size) || size < 1) {
      throw outOfRange("size", "a number of bytes above 0", size);
    }
    if (this.#reader !== undefined) {
      throw new UVError("EBUSY: another read waits", "EBUSY", StatusCode.EBUSY);
    }
    while (!this.#isClosed) {
      try {
        const bytes = this.#descriptor.read(size);
        return bytes.length === 0 ? null : bytes;
      } catch (error) {
        if (error.code !== "EAGAIN") {
          throw error;
        }
      }
      await new Promise((resolve) => {
        this.#reader = resolve;
        this.#watch();
      });
    }
    return null;
  }

  /** Writes all of it, behind what was written before. Fulfilled when the system has taken it. */
  async write(data) {
    const bytes = bytesToWrite(data);
    this.#unwritten += bytes.length;
    const written = this.#last.then(() => this.#writeAll(bytes));
    // The next write fails by itself.
    this.#last = written.catch(() => {});
    try {
      await written;
    } finally {
      this.#unwritten -= bytes.length;
    }
  }

  async #writeAll(bytes) {
    for (let done = 0; done < bytes.length; ) {
      if (this.#isClosed) {
        throw new HandleClosedError("the stream is closed");
      }
      try {
        done += this.#descriptor.write(bytes.subarray(done));
      } catch (error) {
        if (error.code !== "EAGAIN") {
          throw error;
        }
        await new Promise((resolve) => {
          this.#writer = resolve;
          this.#watch();
        });
      }
    }
  }

  /** Ends the output, behind what was written before. The input goes on. */
  async end(data) {
    if (data !== undefined) {
      await this.write(data);
    }
    await this.#last;
    if (!this.#isClosed) {
      this.#descriptor.shutdown("write");
    }
  }

  /** Closes the descriptor at once: what was not written yet is lost. */
  close() {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#poll.close();
      this.#descriptor.close();
      this.#goOn(true, true);
    }
  }

  [Symbol.dispose]() {
    this.close();
  }

  /** All that is read, to its end. */
  async *[Symbol.asyncIterator]() {
    for (let bytes = await this.read(); bytes !== null; bytes = await this.read()) {
      yield bytes;
    }
  }

  /** The lines of the text that is read, without their ends. A longer one is a RangeError. */
  async *lines({ longest = LONGEST_LINE } = {}) {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of this) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        yield checked(line.endsWith("\r") ? line.slice(0, -1) : line, longest);
      }
      checked(rest, longest);
    }
    rest += decoder.decode();
    if (rest !== "") {
      yield checked(rest, longest);
    }
  }

  /** Polls for the events that something waits for. */
  #watch() {
    const events =
      (this.#reader === undefined ? 0 : PollEvent.READABLE) |
      (this.#writer === undefined ? 0 : PollEvent.WRITABLE);
    if (events === 0) {
      this.#poll.stop();
      return;
    }
    this.#poll.start(events, (poll, status, ready) => {
      // After an error the call that waits meets the reason.
      this.#goOn(
        status !== 0 || (ready & PollEvent.READABLE) !== 0,
        status !== 0 || (ready & PollEvent.WRITABLE) !== 0,
      );
      if (!this.#isClosed) {
        this.#watch();
      }
    });
  }

  #goOn(reads, writes) {
    const reader = this.#reader;
    const writer = this.#writer;
    if (reads && reader !== undefined) {
      this.#reader = undefined;
      reader();
    }
    if (writes && writer !== undefined) {
      this.#writer = undefined;
      writer();
    }
  }
}

function checked(line, longest) {
  if (line.length > longest) {
    throw outOfRange("line", `at most ${longest} characters long`, "a longer line");
  }
  return line;
}

/** A listening socket, whose connections are streams. */
export class Server {
  #descriptor;
  #poll;

  constructor(descriptor) {
    this.#poll = new Poll(descriptor);
    this.#descriptor = descriptor;
  }

  /** Opens what the host granted under this name. */
  static open(name) {
    return new Server(open(name));
  }

  get descriptor() {
    return this.#descriptor;
  }

  get closed() {
    return this.#poll.closing;
  }

  /** Listens no longer. An iteration ends. */
  close() {
    if (!this.closed) {
      this.#poll.close();
      this.#descriptor.close();
    }
  }

  [Symbol.dispose]() {
    this.close();
  }

  /** The connections that come, until the server is closed. */
  async *[Symbol.asyncIterator]() {
    for await (const _ of this.#poll) {
      let connection;
      try {
        connection = this.#descriptor.accept();
      } catch (error) {
        if (EXHAUSTED.has(error.code)) {
          await new Promise((resolve) => setTimeout(resolve, PAUSE));
        } else if (!PASSING.has(error.code)) {
          throw error;
        }
        continue;
      }
      yield new Stream(connection);
    }
  }
}
