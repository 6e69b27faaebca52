// Timer handles.

import native from "runtime:native";
import { outOfRange, wrongType } from "runtime:errors";
import { Handle } from "runtime:uv/handle";

function checkTime(name, value) {
  if (typeof value !== "number") {
    throw wrongType(name, "of type number", value);
  }
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) {
    throw outOfRange(name, ">= 0 and <= 9007199254740991", value);
  }
  return Math.ceil(value);
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
