// Lines of a stream, and questions: what `node:readline` and `node:readline/promises` share.

import { EventEmitter } from "runtime:emitter";
import { UseAfterClose, checkFunction, checkSignal, wrongType } from "runtime:errors";
import { guarded, nextTick } from "runtime:ticks";

/** Lines that wait to be taken. Reading goes on when they are. */
const MOST_LINES = 100;

/** Reads lines. */
export class Interface extends EventEmitter {
  terminal = false;
  #input;
  #output;
  #prompt;
  #isClosed = false;
  #lines = [];
  /** Functions that get the next lines, and those that get undefined at the end instead. */
  #takers = [];
  #iterators = new Set();
  #drained;

  /** Of an input and an output, or of an object that has them. */
  constructor(options, output) {
    super();
    const given =
      typeof options?.[Symbol.asyncIterator] === "function" ? { input: options, output } : options;
    if (typeof given?.input?.[Symbol.asyncIterator] !== "function") {
      throw wrongType("input", "an async iterable", given?.input);
    }
    checkSignal("options.signal", given.signal);
    this.#input = given.input;
    this.#output = given.output;
    this.#prompt = given.prompt ?? "> ";
    given.signal?.addEventListener("abort", () => this.close(), { once: true });
    nextTick(() => {
      if (given.signal?.aborted) {
        this.close();
      }
      this.#read();
    });
  }

  get closed() {
    return this.#isClosed;
  }

  getPrompt() {
    return this.#prompt;
  }

  setPrompt(prompt) {
    this.#prompt = String(prompt);
  }

  /** Writes the prompt. */
  prompt() {
    this.#checkOpen();
    this.#output?.write(this.#prompt);
  }

  /** Writes a question. The callback gets the next line. */
  question(query, options, callback = options) {
    checkFunction("callback", callback);
    this._ask(query, callback);
  }

  _ask(query, callback) {
    this.#checkOpen();
    this.#output?.write(String(query));
    this.#take((line) => guarded(() => callback(line)));
  }

  /** Gives back a line that was not taken. */
  _return(line) {
    this.#line(line);
  }

  pause() {
    return this;
  }

  resume() {
    return this;
  }

  /** Stops reading. */
  close() {
    if (this.#isClosed) {
      return;
    }
    this.#isClosed = true;
    this.#input.pause?.();
    this.#drained?.();
    for (const taker of this.#iterators) {
      taker(undefined);
    }
    guarded(() => this.emit("close"));
  }

  [Symbol.dispose]() {
    this.close();
  }

  /** The lines, until the input has ended. */
  async *[Symbol.asyncIterator]() {
    try {
      for (;;) {
        const line = await new Promise((resolve) => {
          if (this.#isClosed && this.#lines.length === 0) {
            resolve(undefined);
            return;
          }
          const taker = (next) => {
            this.#iterators.delete(taker);
            resolve(next);
          };
          this.#iterators.add(taker);
          this.#take(taker);
        });
        if (line === undefined) {
          return;
        }
        yield line;
      }
    } finally {
      this.close();
    }
  }

  #checkOpen() {
    if (this.#isClosed) {
      throw new UseAfterClose("readline was closed");
    }
  }

  /** Passes the next line to a function. */
  #take(taker) {
    if (this.#lines.length === 0) {
      this.#takers.push(taker);
      return;
    }
    const line = this.#lines.shift();
    if (this.#lines.length === 0) {
      this.#drained?.();
    }
    nextTick(() => taker(line));
  }

  #line(line) {
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      taker(text);
    } else if (this.listenerCount("line") > 0) {
      guarded(() => this.emit("line", text));
    } else {
      // For the next question or iteration.
      this.#lines.push(text);
    }
  }

  async #read() {
    const decoder = new TextDecoder();
    let rest = "";
    try {
      for await (const chunk of this.#input) {
        const text = typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
        const [first, ...others] = text.split("\n");
        rest += first;
        for (const next of others) {
          if (this.#isClosed) {
            return;
          }
          this.#line(rest);
          rest = next;
        }
        while (this.#lines.length > MOST_LINES && !this.#isClosed) {
          await new Promise((resolve) => {
            this.#drained = resolve;
          });
        }
        if (this.#isClosed) {
          return;
        }
      }
    } catch (error) {
      if (!this.#isClosed) {
        guarded(() => this.emit("error", error));
      }
      return;
    }
    if (rest !== "" && !this.#isClosed) {
      this.#line(rest);
    }
    this.close();
  }
}
