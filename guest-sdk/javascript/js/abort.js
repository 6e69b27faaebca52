// AbortController and AbortSignal.

import { Event, EventTarget, defineHandler } from "runtime:events";
import { checkObject, outOfRange, wrongType } from "runtime:errors";
import { setUnreferencedTimeout } from "runtime:timers";

/** Only this file makes and aborts signals. */
const KEY = Symbol("key");

/** Whether something is to be aborted, and why. */
export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason = undefined;
  /** The signals of `AbortSignal.any` that follow this one. */
  #followers = new Set();

  constructor(key) {
    if (key !== KEY) {
      const error = new TypeError("Illegal constructor");
      error.code = "ERR_ILLEGAL_CONSTRUCTOR";
      throw error;
    }
    super();
  }

  get aborted() {
    return this.#aborted;
  }

  get reason() {
    return this.#reason;
  }

  throwIfAborted() {
    if (this.#aborted) {
      throw this.#reason;
    }
  }

  /** A signal that is aborted already. */
  static abort(reason = new DOMException("This operation was aborted", "AbortError")) {
    const signal = new AbortSignal(KEY);
    signal.#aborted = true;
    signal.#reason = reason;
    return signal;
  }

  /** A signal that is aborted after a time. It does not keep the loop alive. */
  static timeout(delay) {
    if (typeof delay !== "number") {
      throw wrongType("delay", "of type number", delay);
    }
    if (!(Number.isInteger(delay) && delay >= 0 && delay <= Number.MAX_SAFE_INTEGER)) {
      throw outOfRange("delay", "an integer >= 0 && <= 9007199254740991", delay);
    }
    const signal = new AbortSignal(KEY);
    setUnreferencedTimeout(() => {
      signal._abort(
        KEY,
        new DOMException("The operation was aborted due to timeout", "TimeoutError"),
      );
    }, delay);
    return signal;
  }

  /** A signal that is aborted with the first of some others. */
  static any(signals) {
    checkObject("signals", signals);
    const sources = [...signals];
    for (const source of sources) {
      if (!(source instanceof AbortSignal)) {
        throw wrongType("signals", "an instance of AbortSignal", source);
      }
    }
    const signal = new AbortSignal(KEY);
    const aborted = sources.find((source) => source.aborted);
    if (aborted !== undefined) {
      signal.#aborted = true;
      signal.#reason = aborted.reason;
    } else {
      for (const source of sources) {
        source.#followers.add(signal);
      }
    }
    return signal;
  }

  _abort(key, reason) {
    if (key !== KEY || this.#aborted) {
      return;
    }
    this.#aborted = true;
    this.#reason = reason;
    const followers = [...this.#followers];
    this.#followers.clear();
    this.dispatchEvent(new Event("abort"));
    for (const follower of followers) {
      follower._abort(KEY, reason);
    }
  }

  get [Symbol.toStringTag]() {
    return "AbortSignal";
  }
}
defineHandler(AbortSignal, "abort");

/** Aborts its signal. */
export class AbortController {
  #signal = new AbortSignal(KEY);

  get signal() {
    return this.#signal;
  }

  abort(reason = new DOMException("This operation was aborted", "AbortError")) {
    this.#signal._abort(KEY, reason);
  }

  get [Symbol.toStringTag]() {
    return "AbortController";
  }
}

/** The error with which functions of Node are aborted. */
export class AbortError extends Error {
  constructor(message = "The operation was aborted", options) {
    super(message, options);
    this.name = "AbortError";
    this.code = "ABORT_ERR";
  }
}
