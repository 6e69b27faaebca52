// The part of a handle whose calls can be awaited.

import { Handle } from "runtime:uv/handle";

/** A handle whose calls can be awaited, one after the other. None is lost between two waits. */
export class Awaited extends Handle {
  #values = [];
  #waiting = [];
  #isAwaited = false;

  /** The next value, or undefined once the handle is closed. */
  _next() {
    this.#isAwaited = true;
    if (this.#values.length > 0) {
      return Promise.resolve(this.#values.shift());
    }
    return this.closing
      ? Promise.resolve(undefined)
      : new Promise((resolve) => this.#waiting.push(resolve));
  }

  get _isWaiting() {
    return this.#waiting.length > 0;
  }

  _put(value) {
    const resolve = this.#waiting.shift();
    if (resolve !== undefined) {
      resolve(value);
    } else if (this.#isAwaited) {
      this.#values.push(value);
    }
  }

  _ended() {
    for (const resolve of this.#waiting.splice(0)) {
      resolve(undefined);
    }
  }

  async *_iterate(next) {
    for (let value = await next(); value !== undefined; value = await next()) {
      yield value;
    }
  }
}
