// Makes the globals, and runs a script.

import native from "runtime:native";
import "runtime:stack";
import { Event, CustomEvent, EventTarget } from "runtime:events";
import { AbortController, AbortSignal } from "runtime:abort";
import { clearImmediate, setImmediate } from "runtime:immediates";
import { console } from "runtime:console";
import { beforeExit, beginProcess, endOfLoop, process, report } from "runtime:process";
import { drain, hooks, queueMicrotask } from "runtime:ticks";
import { clearInterval, clearTimeout, setInterval, setTimeout } from "runtime:timers";

function define(globals) {
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, {
      value,
      configurable: true,
      enumerable: false,
      writable: true,
    });
  }
}

/** Globals of a module that is loaded when one of them is used for the first time. */
function defineLazily(module, names) {
  for (const name of names) {
    Object.defineProperty(globalThis, name, {
      configurable: true,
      enumerable: false,
      get() {
        const value = native.load(module)[name];
        define({ [name]: value });
        return value;
      },
      set(value) {
        define({ [name]: value });
      },
    });
  }
}

/** The engine's own clock does not know virtual time. */
const performance = {
  now: native.milliseconds,
  timeOrigin: 0,
  toJSON() {
    return { timeOrigin: this.timeOrigin };
  },
};

define({
  AbortController,
  AbortSignal,
  CustomEvent,
  Event,
  EventTarget,
  clearImmediate,
  clearInterval,
  clearTimeout,
  console,
  global: globalThis,
  performance,
  process,
  queueMicrotask,
  setImmediate,
  setInterval,
  setTimeout,
});
defineLazily("runtime:encoding", ["TextDecoder", "TextEncoder"]);
defineLazily("runtime:fetch", ["Headers", "Request", "Response", "fetch"]);
defineLazily("runtime:url", ["URL", "URLSearchParams"]);
defineLazily("runtime:clone", ["structuredClone"]);

/** The engine's own numbers would be the same in all instances that begin with one image. */
Object.defineProperty(Math, "random", {
  value: native.random,
  configurable: true,
  enumerable: false,
  writable: true,
});

/** Sets up the state of this instance. The modules were evaluated once, for all instances. */
function begin() {
  performance.timeOrigin = Date.now() - native.milliseconds();
  beginProcess();
}

/** Runs the main module and the loop to their end. Does not return. */
export function run() {
  execute(() => {});
}

/**
 * Evaluates the main module of a plugin, and calls its export `init` with the configuration. Returns
 * the reason why it is refused, if something was thrown. The host runs the loop.
 */
export function init(config) {
  begin();
  let isRunning = false;
  let refused;
  const failed = (error) => {
    if (isRunning) {
      hooks.uncaught(error);
      return;
    }
    report(error);
    refused = error instanceof Error && error.name === "Error" ? error.message : String(error);
  };
  native.enqueueJob(() => {
    try {
      const [evaluated, exports] = native.evaluate();
      evaluated.then(() => exports.init?.(Object.fromEntries(config))).catch(failed);
    } catch (error) {
      failed(error);
    }
  });
  drain();
  isRunning = true;
  return refused;
}

/** Runs the main module and the loop, until `then` has been called with the module's exports. */
function execute(then) {
  begin();
  let isSettled = false;
  // Node evaluates a module in a promise job too, so promise jobs that it makes come before its
  // ticks.
  const failed = (error) => {
    isSettled = true;
    hooks.uncaught(error);
  };
  native.enqueueJob(() => {
    try {
      const [evaluated, exports] = native.evaluate();
      evaluated
        .then(() => then(exports))
        .then(() => {
          isSettled = true;
        })
        .catch(failed);
    } catch (error) {
      // The text is not JavaScript, or a module is missing.
      failed(error);
    }
  });
  drain();
  do {
    native.runLoop();
    beforeExit();
  } while (native.isAlive());
  endOfLoop(!isSettled);
}

/**
 * Runs the main module, calls one of its exports with the arguments of a JSON array, and passes the
 * result to `native.returned` or an error to `native.raised`. Does not return.
 */
export function call(name, args) {
  hooks.uncaught = raise;
  execute(async (exports) => {
    const called = exports[name];
    if (typeof called !== "function") {
      throw new TypeError(`${name} is not a function that the script exports`);
    }
    const result = await called(...JSON.parse(args));
    native.returned(JSON.stringify(result) ?? "null");
  });
}

function raise(error) {
  const isError = error instanceof Error;
  const kind = isError ? (error.name ?? "Error") : typeof error;
  native.raised(
    String(kind),
    isError ? String(error.message) : String(error),
    isError ? String(error.stack ?? "") : "",
  );
}
