// The module `uv`: loops, the seven kinds of handles, descriptors and async senders.
//
// The rules of handles and the order of callbacks are libuv's. After each callback, ticks and
// promise jobs run, as after every other callback of a script.

import native from "runtime:native";
import {
  HandleClosedError,
  LoopClosedError,
  UVError,
  checkFunction,
  outOfRange,
  wrongType,
} from "runtime:errors";
import { scoped } from "runtime:ticks";

export { HandleClosedError, LoopClosedError, UVError };

/** The numbers of libuv's status codes by their names. */
export const StatusCode = Object.freeze(native.statusCodes());
/** The numbers of signals by their names. */
export const Signals = Object.freeze(Object.fromEntries(native.signalNumbers()));
/** The events of a poll handle, as a set of bits. */
export const PollEvent = Object.freeze({ READABLE: 1, WRITABLE: 2, DISCONNECT: 4, PRIORITIZED: 8 });

function checkTime(name, value) {
  if (typeof value !== "number") {
    throw wrongType(name, "of type number", value);
  }
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) {
    throw outOfRange(name, ">= 0 and <= 9007199254740991", value);
  }
  return Math.ceil(value);
}

function bytesOf(data) {
  if (typeof data === "string") {
    return native.encode(data.toWellFormed());
  }
  if (data instanceof Uint8Array) {
    return data;
  }
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  if (data instanceof ArrayBuffer) {
    return new Uint8Array(data);
  }
  throw wrongType("data", "of type string or an instance of Uint8Array or ArrayBuffer", data);
}

/** An event loop. A script has one already, which runs when the main module is evaluated. */
export class Loop {
  #number;
  #handles = new Set();

  constructor() {
    this.#number = main === undefined ? 0 : native.createLoop();
  }

  /** The loop of the script, which the runtime runs. */
  static get default() {
    return main;
  }

  /** Runs the loop: until nothing is active (`default`), or one iteration (`once`, `nowait`). */
  run(mode = "default") {
    return native.loopRun(this.#number, String(mode));
  }

  stop() {
    native.loopStop(this.#number);
  }

  close() {
    native.loopClose(this.#number);
  }

  get closed() {
    return native.loopIsClosed(this.#number);
  }

  get alive() {
    return native.loopIsAlive(this.#number);
  }

  /** The loop's time in milliseconds, from an arbitrary start. */
  get now() {
    return native.loopNow(this.#number);
  }

  updateTime() {
    native.loopUpdateTime(this.#number);
  }

  /** How long the loop would wait, in milliseconds: null is without a limit. */
  getTimeout() {
    return native.loopTimeout(this.#number) ?? null;
  }

  /** The handles of the module `uv` that are not closed. */
  get handles() {
    return [...this.#handles];
  }

  closeAllHandles() {
    for (const handle of this.#handles) {
      handle.close();
    }
  }

  static _number(loop) {
    return loop.#number;
  }

  static _handles(loop) {
    return loop.#handles;
  }
}

let main;
main = new Loop();

/** What all kinds of handles have. */
export class Handle {
  #number;
  #loop;
  #isClosed = false;
  #closing = [];

  /** Called with the handle, when it is due. */
  callback = null;
  /** Called with the handle, when it is closed. */
  onClosed = null;

  constructor(create, loop = main) {
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

/** Called when its time has come, once or again and again. */
export class Timer extends Handle {
  constructor(loop) {
    super((number, called) => native.createHandle("timer", number, called, undefined), loop);
  }

  /** Starts the timer: due in `timeout` milliseconds, and then every `repeat` unless that is 0. */
  start(timeout, callback, repeat = 0) {
    const times = [checkTime("timeout", timeout), checkTime("repeat", repeat)];
    this._setCallback(callback);
    native.timerStart(this._open, ...times);
  }

  again() {
    native.timerAgain(this._open);
  }

  get repeat() {
    return native.timerRepeat(this._open);
  }

  set repeat(repeat) {
    native.timerSetRepeat(this._open, checkTime("repeat", repeat));
  }

  get dueIn() {
    return native.timerDueIn(this._open);
  }
}

/** What idle, prepare and check handles share: they are called in every iteration of the loop. */
class Watcher extends Handle {
  start(callback) {
    this._setCallback(callback);
    native.handleStart(this._open);
  }
}

/** Called in every iteration, and keeps the loop from waiting. */
export class Idle extends Watcher {
  constructor(loop) {
    super((number, called) => native.createHandle("idle", number, called, undefined), loop);
  }
}

/** Called in every iteration, before the loop waits. */
export class Prepare extends Watcher {
  constructor(loop) {
    super((number, called) => native.createHandle("prepare", number, called, undefined), loop);
  }
}

/** Called in every iteration, after the loop has waited. */
export class Check extends Watcher {
  constructor(loop) {
    super((number, called) => native.createHandle("check", number, called, undefined), loop);
  }
}

/** A handle whose calls can be awaited, one after the other. None is lost between two waits. */
class Awaited extends Handle {
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
      throw new UVError(`${name}: the descriptor has failed`, name, status);
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

/** What the host has granted: a socket, a connection, a pipe. */
export class Descriptor {
  #number;

  constructor(number, key) {
    if (key !== KEY) {
      throw new TypeError("A descriptor is opened with Descriptor.open");
    }
    this.#number = number;
  }

  /** Opens what the host granted under this name. */
  static open(name) {
    return new Descriptor(native.openDescriptor(String(name)), KEY);
  }

  /** At most so many bytes. No bytes are the end of the input. */
  read(size = 65536) {
    return native.descriptorRead(this.#number, size);
  }

  /** Writes what fits now, and returns how many bytes that were. */
  write(data) {
    return native.descriptorWrite(this.#number, bytesOf(data));
  }

  /** A datagram: its bytes and the address of its sender. */
  receiveFrom(size = 65536) {
    return native.descriptorReceiveFrom(this.#number, size);
  }

  sendTo(data, address) {
    return native.descriptorSendTo(this.#number, bytesOf(data), String(address));
  }

  /** A connection that waits at a listening socket. */
  accept() {
    return new Descriptor(native.descriptorAccept(this.#number), KEY);
  }

  /** Shuts down one side of a connection, `read` or `write`, or `both`. */
  shutdown(how = "both") {
    native.descriptorShutdown(this.#number, String(how));
  }

  get localAddress() {
    return native.descriptorLocalAddress(this.#number);
  }

  get peerAddress() {
    return native.descriptorPeerAddress(this.#number);
  }

  get sendBufferSize() {
    return native.descriptorBufferSize(this.#number, true);
  }

  set sendBufferSize(size) {
    native.descriptorSetBufferSize(this.#number, true, size);
  }

  get receiveBufferSize() {
    return native.descriptorBufferSize(this.#number, false);
  }

  set receiveBufferSize(size) {
    native.descriptorSetBufferSize(this.#number, false, size);
  }

  fileno() {
    return native.descriptorFileno(this.#number);
  }

  close() {
    native.descriptorClose(this.#number);
    // A number that is used again must not reach another descriptor.
    this.#number = CLOSED;
  }

  [Symbol.dispose]() {
    this.close();
  }

  static _number(descriptor) {
    return descriptor.#number;
  }
}
const KEY = Symbol("key");
const CLOSED = 2 ** 32 - 1;

/** Opens what the host granted under this name. */
export function open(name) {
  return Descriptor.open(name);
}

/** Sends the named async handle of another guest, which the host has connected. */
export class AsyncSender {
  #number;

  constructor(name) {
    this.#number = native.openSender(String(name));
  }

  send() {
    native.senderSend(this.#number, undefined);
  }

  sendMessage(data) {
    native.senderSend(this.#number, bytesOf(data));
  }
}
