// The module `timers/promises`.

import { AbortError } from "runtime:abort";
import { checkBoolean, checkObject, checkSignal } from "runtime:errors";
import { clearImmediate, setImmediate as startImmediate } from "runtime:immediates";
import {
  clearInterval,
  clearTimeout,
  setInterval as startInterval,
  setTimeout as startTimeout,
} from "runtime:timers";

function check(options) {
  checkObject("options", options);
  const { signal, ref = true } = options;
  checkSignal("options.signal", signal);
  checkBoolean("options.ref", ref);
  return { signal, ref };
}

/** A promise that a callback fulfills, and that a signal rejects. */
function promised(value, options, start, clear) {
  return new Promise((resolve, reject) => {
    const { signal, ref } = check(options);
    const aborted = () => new AbortError(undefined, { cause: signal.reason });
    if (signal?.aborted) {
      throw aborted();
    }
    const onAbort = () => {
      clear(handle);
      reject(aborted());
    };
    const handle = start(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve(value);
    });
    if (!ref) {
      handle.unref();
    }
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

export function setTimeout(delay, value, options = {}) {
  return promised(value, options, (callback) => startTimeout(callback, delay), clearTimeout);
}

export function setImmediate(value, options = {}) {
  return promised(value, options, startImmediate, clearImmediate);
}

/** Yields the value once for each time that has passed, also if the consumer is late. */
export async function* setInterval(delay, value, options = {}) {
  const { signal, ref } = check(options);
  if (signal?.aborted) {
    throw new AbortError(undefined, { cause: signal.reason });
  }
  let wake;
  let due = 0;
  const interval = startInterval(() => {
    due += 1;
    wake?.();
  }, delay);
  if (!ref) {
    interval.unref();
  }
  const onAbort = () => {
    clearInterval(interval);
    wake?.();
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    while (!signal?.aborted) {
      if (due === 0) {
        await new Promise((resolve) => {
          wake = resolve;
        });
      }
      for (; due > 0; due -= 1) {
        yield value;
      }
    }
    throw new AbortError(undefined, { cause: signal.reason });
  } finally {
    clearInterval(interval);
    signal?.removeEventListener("abort", onAbort);
  }
}

export const scheduler = {
  wait: (delay, options) => setTimeout(delay, undefined, options),
  yield: () => setImmediate(),
};

export default { setTimeout, setImmediate, setInterval, scheduler };
