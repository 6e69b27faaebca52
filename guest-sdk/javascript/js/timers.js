// setTimeout and setInterval, on one timer handle of the loop.
//
// Timers of one duration become due in the order of their starts, so they are kept in a list of
// that duration. The lists are in a heap, by the time of their first timer. This is how Node orders
// timers, and scripts can see that order: a list that is due runs to its end before the next list.

import native from "runtime:native";
import { checkFunction } from "runtime:errors";
import { drain, hooks } from "runtime:ticks";

/** The longest duration. A longer one is taken as 1 ms. */
const LONGEST = 2 ** 31 - 1;

/** The lists by duration. */
const lists = new Map();
/** The same lists as a binary heap. */
const heap = [];
/** Where the numbers of lists come from. Lists that are due at the same time run in this order. */
let listNumbers = 0;
/** Timers by the number that `Number(timer)` has given to a script. */
const byNumber = new Map();
let timerNumbers = 0;

/** When the loop's timer handle is due. */
let nextExpiry = Infinity;
/** How many active timers keep the loop alive. */
let references = 0;

/** A list of timers with the same duration: a ring that begins and ends with the list itself. */
class List {
  constructor(duration, expiry) {
    this.duration = duration;
    this.expiry = expiry;
    this.number = listNumbers++;
    this.position = 0;
    this._next = this;
    this._previous = this;
  }

  get first() {
    return this._next === this ? null : this._next;
  }

  append(timer) {
    timer._previous = this._previous;
    timer._next = this;
    this._previous._next = timer;
    this._previous = timer;
    timer._list = this;
  }
}

function unlink(timer) {
  timer._previous._next = timer._next;
  timer._next._previous = timer._previous;
  timer._next = timer._previous = timer._list = null;
}

function isBefore(one, other) {
  return one.expiry < other.expiry || (one.expiry === other.expiry && one.number < other.number);
}

function place(list, position) {
  heap[position] = list;
  list.position = position;
}

/** Moves a list to its place in the heap, after its expiry has changed. */
function settle(list) {
  let position = list.position;
  while (position > 0) {
    const parent = (position - 1) >> 1;
    if (!isBefore(list, heap[parent])) {
      break;
    }
    place(heap[parent], position);
    position = parent;
  }
  for (;;) {
    let child = 2 * position + 1;
    if (child >= heap.length) {
      break;
    }
    if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) {
      child += 1;
    }
    if (!isBefore(heap[child], list)) {
      break;
    }
    place(heap[child], position);
    position = child;
  }
  place(list, position);
}

function removeList(list) {
  lists.delete(list.duration);
  const last = heap.pop();
  if (last !== list) {
    place(last, list.position);
    settle(last);
  }
}

/** Starts a timer, at the loop's time or at the time that is given. */
function insert(timer, start = native.now()) {
  const duration = timer._duration;
  timer._start = start;
  let list = lists.get(duration);
  if (list === undefined) {
    list = new List(duration, start + duration);
    lists.set(duration, list);
    place(list, heap.length);
    settle(list);
    if (nextExpiry > list.expiry) {
      nextExpiry = list.expiry;
      native.startTimer(duration);
    }
  }
  list.append(timer);
}

/** Stops a timer that waits. */
function remove(timer) {
  const list = timer._list;
  if (list === null) {
    return;
  }
  unlink(timer);
  if (list.first === null) {
    removeList(list);
  }
}

function reference() {
  references += 1;
  if (references === 1) {
    native.referTimer(true);
  }
}

function dereference() {
  references -= 1;
  if (references === 0) {
    native.referTimer(false);
  }
}

/** Calls all timers that are due. The loop's timer handle calls it. */
function runTimers() {
  const now = native.now();
  nextExpiry = Infinity;
  let isFirst = true;
  while (heap.length > 0 && !hooks.isExiting()) {
    const list = heap[0];
    if (list.expiry > now) {
      nextExpiry = list.expiry;
      break;
    }
    if (!isFirst) {
      drain();
    }
    isFirst = false;
    if (list === heap[0]) {
      runList(list, now);
    }
  }
  if (nextExpiry !== Infinity) {
    native.startTimer(Math.max(1, nextExpiry - native.now()));
  }
  native.referTimer(references > 0);
  drain();
}

function runList(list, now) {
  let isFirst = true;
  for (let timer = list.first; timer !== null; timer = list.first) {
    if (now - timer._start < list.duration) {
      // It was started later than the first one.
      list.expiry = Math.max(timer._start + list.duration, now + 1);
      list.number = listNumbers++;
      settle(list);
      return;
    }
    if (!isFirst) {
      drain();
      if (hooks.isExiting()) {
        return;
      }
      if (timer !== list.first) {
        continue;
      }
    }
    isFirst = false;
    unlink(timer);
    call(timer);
  }
  // A list that a callback has emptied is removed already.
  if (lists.get(list.duration) === list) {
    removeList(list);
  }
}

function call(timer) {
  const start = timer._repeat === null ? undefined : native.now();
  try {
    if (timer._args === undefined) {
      timer._onTimeout();
    } else {
      timer._onTimeout(...timer._args);
    }
  } catch (error) {
    hooks.uncaught(error);
  } finally {
    if (timer._destroyed) {
      // Cleared by its own callback.
    } else if (timer._repeat !== null) {
      remove(timer);
      timer._duration = timer._repeat;
      insert(timer, start);
    } else if (timer._list === null) {
      destroy(timer);
    }
  }
}

function destroy(timer) {
  timer._destroyed = true;
  if (timer._number !== undefined) {
    byNumber.delete(timer._number);
  }
  if (timer._refed) {
    dereference();
  }
}

/** A timer of `setTimeout` or `setInterval`. */
export class Timeout {
  constructor(callback, duration, args, isRepeat) {
    duration *= 1;
    if (!(duration >= 1 && duration <= LONGEST)) {
      if (duration > LONGEST) {
        hooks.warn?.(
          `${duration} does not fit into a 32-bit signed integer.\nTimeout duration was set to 1.`,
          "TimeoutOverflowWarning",
        );
      }
      duration = 1;
    }
    this._duration = Math.trunc(duration);
    this._start = null;
    this._onTimeout = callback;
    this._args = args;
    this._repeat = isRepeat ? this._duration : null;
    this._refed = true;
    this._destroyed = false;
    this._list = null;
    this._next = null;
    this._previous = null;
  }

  /** Starts the timer anew, with the duration that it has. */
  refresh() {
    if (!this._destroyed || this._list !== null) {
      remove(this);
      insert(this);
    } else if (this._onTimeout !== null) {
      this._destroyed = false;
      if (this._refed) {
        reference();
      }
      insert(this);
    }
    return this;
  }

  /** The loop goes on for this timer. */
  ref() {
    if (!this._refed) {
      this._refed = true;
      if (!this._destroyed) {
        reference();
      }
    }
    return this;
  }

  /** The loop does not go on for this timer alone. */
  unref() {
    if (this._refed) {
      this._refed = false;
      if (!this._destroyed) {
        dereference();
      }
    }
    return this;
  }

  hasRef() {
    return this._refed;
  }

  close() {
    clearTimeout(this);
    return this;
  }

  [Symbol.toPrimitive]() {
    if (this._number === undefined) {
      this._number = ++timerNumbers;
      if (!this._destroyed) {
        byNumber.set(this._number, this);
      }
    }
    return this._number;
  }
}
if (Symbol.dispose !== undefined) {
  Timeout.prototype[Symbol.dispose] = function () {
    clearTimeout(this);
  };
}

function start(callback, duration, args, isRepeat) {
  checkFunction("callback", callback);
  const timer = new Timeout(callback, duration, args.length === 0 ? undefined : args, isRepeat);
  reference();
  insert(timer);
  return timer;
}

export function setTimeout(callback, duration, ...args) {
  return start(callback, duration, args, false);
}

export function setInterval(callback, duration, ...args) {
  return start(callback, duration, args, true);
}

/** A timer that does not keep the loop alive, for timeouts of the runtime itself. */
export function setUnreferencedTimeout(callback, duration) {
  const timer = new Timeout(callback, duration, undefined, false);
  timer._refed = false;
  insert(timer);
  return timer;
}

export function clearTimeout(timer) {
  if (typeof timer === "number" || typeof timer === "string") {
    timer = byNumber.get(Number(timer));
  }
  if (!(timer instanceof Timeout) || timer._destroyed) {
    if (timer instanceof Timeout) {
      timer._onTimeout = null;
    }
    return;
  }
  remove(timer);
  timer._onTimeout = null;
  destroy(timer);
}

export const clearInterval = clearTimeout;

native.onTimer(runTimers);
