// Signal handles.

import native from "runtime:native";
import { wrongType } from "runtime:errors";
import { Awaited } from "runtime:uv/awaited";
import { Signals } from "runtime:uv/constants";

/** Called when the process gets a signal. */
export class Signal extends Awaited {
  constructor(loop) {
    super((number, called) => native.createHandle("signal", number, called, undefined), loop);
  }

  /** Watches a signal, by name or number. */
  start(signal, callback) {
    this.#start(signal, callback, false);
  }

  /** Watches a signal for one delivery. */
  startOneshot(signal, callback) {
    this.#start(signal, callback, true);
  }

  #start(signal, callback, isOneshot) {
    const number = typeof signal === "string" ? Signals[signal] : signal;
    if (!Number.isInteger(number)) {
      throw wrongType("signal", "the name or the number of a signal", signal);
    }
    this._setCallback(callback);
    native.signalStart(this._open, number, isOneshot);
  }

  get signum() {
    return native.signalNumber(this._open);
  }

  /** The number of the next signal that is delivered. */
  delivered() {
    return this._next();
  }

  [Symbol.asyncIterator]() {
    return this._iterate(() => this.delivered());
  }

  _called(signum) {
    super._called(signum);
    this._put(signum);
  }
}
