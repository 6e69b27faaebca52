// The part of a handle that does not depend on its kind.

import native from "runtime:native";
import { HandleClosedError, checkFunction, wrongType } from "runtime:errors";
import { scoped } from "runtime:ticks";
import { Loop } from "runtime:uv/loop";

/** The members of all kinds of handles. */
export class Handle {
  #number;
  #loop;
  #isClosed = false;
  #closing = [];

  /** Called with the handle, when it is due. */
  callback = null;
  /** Called with the handle, when it is closed. */
  onClosed = null;

  constructor(create, loop = Loop.default) {
    if (!(loop instanceof Loop)) {
      throw wrongType("loop", "an instance of Loop", loop);
    }
    this.#loop = loop;
    this.#number = create(
      Loop._number(loop),
      scoped((...args) => this._called(...args)),
    );
    Loop._handles(loop).add(this);
  }

  get loop() {
    return this.#loop;
  }

  get active() {
    return (this.#state & 1) !== 0;
  }

  get closing() {
    return this.#isClosed || (this.#state & 2) !== 0;
  }

  get closed() {
    return this.#isClosed;
  }

  get referenced() {
    return (this.#state & 4) !== 0;
  }

  get #state() {
    return this.#isClosed ? 0 : native.handleState(this.#number);
  }

  /** The loop goes on for this handle while it is active. */
  reference() {
    native.handleReference(this._open, true);
  }

  /** The loop does not go on for this handle alone. */
  dereference() {
    native.handleReference(this._open, false);
  }

  /** The number of the descriptor: of poll handles only. */
  fileno() {
    return native.handleFileno(this._open);
  }

  stop() {
    if (!this.#isClosed) {
      native.handleStop(this.#number);
    }
  }

  /** Closes the handle. Its close callback comes in a later phase of the loop. */
  close(onClosed) {
    if (this.closing) {
      return;
    }
    if (onClosed !== undefined) {
      checkFunction("onClosed", onClosed);
      this.onClosed = onClosed;
    }
    native.handleClose(
      this.#number,
      scoped(() => {
        Loop._handles(this.#loop).delete(this);
        try {
          this.onClosed?.(this);
        } finally {
          this.#isClosed = true;
          for (const settle of this.#closing) {
            settle();
          }
        }
      }),
    );
    this._ended();
  }

  /** Closes the handle at the end of a block with `await using`, and waits for its close callback. */
  [Symbol.asyncDispose]() {
    this.close();
    return this.#isClosed
      ? Promise.resolve()
      : new Promise((resolve) => this.#closing.push(resolve));
  }

  [Symbol.dispose]() {
    this.close();
  }

  [Symbol.for("nodejs.util.inspect.custom")]() {
    const state = this.closed
      ? "closed"
      : this.closing
        ? "closing"
        : this.active
          ? "active"
          : "stopped";
    return `${this.constructor.name} <${state}>`;
  }

  /** The number of the handle, if it is not closed. */
  get _open() {
    if (this.#isClosed) {
      throw new HandleClosedError();
    }
    return this.#number;
  }

  _setCallback(callback) {
    if (callback !== undefined) {
      checkFunction("callback", callback);
      this.callback = callback;
    }
  }

  _called(...args) {
    this.callback?.(this, ...args);
  }

  /** Wakes whatever waits for the handle. */
  _ended() {}
}
