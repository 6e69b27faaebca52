// setImmediate, on a check handle and an idle handle of the loop.
//
// The check handle calls the immediates, after the loop has polled. The idle handle keeps the loop
// from waiting, and alive, while there are any that are referenced.

import native from "runtime:native";
import { checkFunction } from "runtime:errors";
import { drain, hooks } from "runtime:ticks";

/** Immediates that wait for the next check phase. */
let waiting = [];
/** How many of all immediates keep the loop alive. */
let references = 0;

function reference() {
  references += 1;
  if (references === 1) {
    native.keepImmediates(true);
  }
}

function dereference() {
  references -= 1;
  if (references === 0) {
    native.keepImmediates(false);
  }
}

/** Calls the immediates that waited when the phase began. */
function runImmediates() {
  const due = waiting;
  if (due.length === 0) {
    return;
  }
  waiting = [];
  let isFirst = true;
  for (const immediate of due) {
    if (hooks.isExiting()) {
      return;
    }
    if (!isFirst) {
      drain();
    }
    // Cleared in the meantime, perhaps by a tick just now.
    if (immediate._destroyed) {
      continue;
    }
    isFirst = false;
    const callback = immediate._onImmediate;
    destroy(immediate);
    try {
      // The function may have a member `apply` of its own.
      Reflect.apply(callback, immediate, immediate._args ?? []);
    } catch (error) {
      hooks.uncaught(error);
    }
  }
  drain();
}

function destroy(immediate) {
  immediate._destroyed = true;
  immediate._onImmediate = null;
  if (immediate._refed) {
    dereference();
  }
  immediate._refed = null;
}

/** A callback of `setImmediate`. */
export class Immediate {
  constructor(callback, args) {
    this._onImmediate = callback;
    this._args = args;
    this._destroyed = false;
    this._refed = true;
    reference();
    waiting.push(this);
  }

  ref() {
    if (this._refed === false) {
      this._refed = true;
      reference();
    }
    return this;
  }

  unref() {
    if (this._refed === true) {
      this._refed = false;
      dereference();
    }
    return this;
  }

  hasRef() {
    return Boolean(this._refed);
  }
}
if (Symbol.dispose !== undefined) {
  Immediate.prototype[Symbol.dispose] = function () {
    clearImmediate(this);
  };
}

export function setImmediate(callback, ...args) {
  checkFunction("callback", callback);
  return new Immediate(callback, args.length === 0 ? undefined : args);
}

export function clearImmediate(immediate) {
  if (immediate instanceof Immediate && !immediate._destroyed) {
    destroy(immediate);
  }
}

native.onCheck(runImmediates);
