// The end of every callback: ticks, promise jobs, and the search for unhandled rejections.
//
// The order is Node's. If there are ticks, all of them run, and then the promise jobs; both again
// for as long as one of them has made another. Without ticks, promise jobs are first.

import native from "runtime:native";
import { checkFunction } from "runtime:errors";

/** Ticks that wait, from `next` on. */
let ticks = [];
let next = 0;

/** Rejected promises without a handler, and their reasons, in the order of their rejections. */
const unhandled = new Map();
/** Promises whose rejection has been reported and that have no handler yet. */
const reported = new WeakSet();
/** Promises that got a handler after their rejection was reported. */
let handledLate = [];

/** Handles errors and rejections. The process replaces it. */
export const hooks = {
  uncaught(error) {
    throw error;
  },
  unhandledRejection() {},
  rejectionHandled() {},
  isExiting: () => false,
};

/** Calls a function before the promise jobs that wait, as `process.nextTick`. */
export function nextTick(callback, ...args) {
  checkFunction("callback", callback);
  if (!hooks.isExiting()) {
    ticks.push(args.length === 0 ? callback : () => callback(...args));
  }
}

/** Calls a function as a promise job. */
export function queueMicrotask(callback) {
  checkFunction("callback", callback);
  native.enqueueJob(() => guarded(callback));
}

/** Calls a function. What it throws is an uncaught exception of the script. */
export function guarded(callback) {
  try {
    callback();
  } catch (error) {
    hooks.uncaught(error);
  }
}

/** Runs everything that has to run between two callbacks. */
export function drain() {
  if (next === ticks.length && unhandled.size === 0) {
    native.runJobs();
    if (next === ticks.length && unhandled.size === 0 && handledLate.length === 0) {
      return;
    }
  }
  do {
    do {
      while (next < ticks.length) {
        const tick = ticks[next];
        ticks[next] = undefined;
        next += 1;
        guarded(tick);
      }
      ticks = [];
      next = 0;
      native.runJobs();
    } while (next < ticks.length);
  } while (reportRejections());
}

/** A function for the loop to call: the callback, and then everything that has to follow it. */
export function scoped(callback) {
  return (...args) => {
    try {
      callback(...args);
    } catch (error) {
      hooks.uncaught(error);
    }
    drain();
  };
}

/** Reports rejections that nothing handles. Returns whether there were any. */
function reportRejections() {
  if (unhandled.size === 0 && handledLate.length === 0) {
    return false;
  }
  const late = handledLate;
  handledLate = [];
  for (const promise of late) {
    guarded(() => hooks.rejectionHandled(promise));
  }
  const rejections = [...unhandled];
  unhandled.clear();
  for (const [promise, reason] of rejections) {
    reported.add(promise);
    guarded(() => hooks.unhandledRejection(reason, promise));
  }
  return true;
}

native.trackRejections((promise, reason, isHandled) => {
  if (!isHandled) {
    unhandled.set(promise, reason);
  } else if (!unhandled.delete(promise) && reported.delete(promise)) {
    handledLate.push(promise);
  }
});
