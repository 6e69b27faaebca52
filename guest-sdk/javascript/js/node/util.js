// The module `util`: how values are shown, and promises of functions with callbacks.

import { checkFunction } from "runtime:errors";
import { format, inspect } from "runtime:inspect";
import { setImmediate } from "runtime:immediates";
import { setTimeout } from "runtime:timers";
import promises from "node:timers/promises";

const custom = Symbol.for("nodejs.util.promisify.custom");

setTimeout[custom] ??= promises.setTimeout;
setImmediate[custom] ??= promises.setImmediate;

export { format, inspect };

/** A function that returns a promise of what the callback of another function gets. */
export function promisify(original) {
  checkFunction("original", original);
  if (typeof original[custom] === "function") {
    return original[custom];
  }
  return function (...args) {
    return new Promise((resolve, reject) => {
      original.call(this, ...args, (error, value) => (error ? reject(error) : resolve(value)));
    });
  };
}
promisify.custom = custom;

export const { TextDecoder, TextEncoder } = globalThis;

export default { TextDecoder, TextEncoder, format, inspect, promisify };
