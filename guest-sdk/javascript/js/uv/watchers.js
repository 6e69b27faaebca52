// Idle, prepare and check handles.

import native from "runtime:native";
import { Handle } from "runtime:uv/handle";

/** The base of idle, prepare and check handles, which are called in every iteration of the loop. */
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
