// Poll handles.

import native from "runtime:native";
import { HandleClosedError, UVError, outOfRange, wrongType } from "runtime:errors";
import { Awaited } from "runtime:uv/awaited";
import { PollEvent, StatusCode } from "runtime:uv/constants";
import { Descriptor } from "runtime:uv/descriptor";

/** Called when a descriptor is ready. */
export class Poll extends Awaited {
  #descriptor;

  constructor(descriptor, loop) {
    if (!(descriptor instanceof Descriptor)) {
      throw wrongType("descriptor", "an instance of Descriptor", descriptor);
    }
    super(
      (number, called) => native.createPoll(number, called, Descriptor._number(descriptor)),
      loop,
    );
    this.#descriptor = descriptor;
  }

  get descriptor() {
    return this.#descriptor;
  }

  /** Watches for events: `callback(poll, status, events)`, where a status that is not 0 is an error. */
  start(events = PollEvent.READABLE, callback = undefined) {
    if (!Number.isInteger(events) || events < 0 || events > 15) {
      throw outOfRange("events", "a set of PollEvent", events);
    }
    this._setCallback(callback);
    native.pollStart(this._open, events);
  }

  /** The events of the next call. Starts watching for them, and stops then. */
  async ready(events = PollEvent.READABLE) {
    this.start(events);
    const called = await this._next();
    if (called === undefined) {
      throw new HandleClosedError();
    }
    const [status, ready] = called;
    if (status !== 0) {
      const name = Object.keys(StatusCode).find((one) => StatusCode[one] === status);
      const reason =
        name === "EBADF"
          ? "the connection was reset, or the descriptor was closed"
          : "the descriptor has failed";
      throw new UVError(`${name}: ${reason}`, name, status);
    }
    return ready;
  }

  /** The events of each call, until the handle is closed. */
  async *[Symbol.asyncIterator]() {
    while (!this.closing) {
      try {
        yield await this.ready();
      } catch (error) {
        if (error instanceof HandleClosedError) {
          return;
        }
        throw error;
      }
    }
  }

  _called(status, events) {
    super._called(status, events);
    if (this._isWaiting) {
      // It would be called again before the script has read anything.
      this.stop();
      this._put([status, events]);
    }
  }
}
Object.assign(Poll, PollEvent);
