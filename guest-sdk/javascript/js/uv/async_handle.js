// Async handles.

import native from "runtime:native";
import { Awaited } from "runtime:uv/awaited";

/** Called after `send`, also by the host when the handle has a name. */
export class Async extends Awaited {
  /** The name of a handle that the host has granted, or nothing. */
  constructor({ name, loop, callback } = {}) {
    super((number, called) => native.createHandle("async", number, called, name), loop);
    this._setCallback(callback);
  }

  send(callback) {
    this._setCallback(callback);
    native.asyncSend(this._open);
  }

  /** Takes the oldest message of the host, null when there is none. */
  receive() {
    return native.asyncReceive(this._open) ?? null;
  }

  /** Settles with the next send. */
  async sent() {
    await this._next();
  }

  /** The next message of the host, or undefined once the handle is closed. */
  async message() {
    while (!this.closing) {
      const message = this.receive();
      if (message !== null) {
        return message;
      }
      await this._next();
    }
    return undefined;
  }

  /** The messages of the host, until the handle is closed. */
  [Symbol.asyncIterator]() {
    return this._iterate(() => this.message());
  }

  _called() {
    super._called();
    this._put(true);
  }
}
