// The modules that Node's tests of timers require, as far as they use them.

import * as events from "node:events";
import timers from "node:timers";
import * as promises from "node:timers/promises";
import * as util from "node:util";
import uv from "uv";

class AssertionError extends Error {}

function fail(message) {
  throw new AssertionError(message ?? "failed");
}

/** Throws unless an error is the expected one: a class, a check, or properties. */
function matches(error, expected) {
  if (expected === undefined) {
    return;
  }
  if (typeof expected === "function") {
    if (expected.prototype !== undefined && error instanceof expected) {
      return;
    }
    if (Error.isPrototypeOf(expected) || expected(error) !== true) {
      fail(`${util.inspect(error)} is not as expected`);
    }
  } else if (expected instanceof RegExp) {
    assert(expected.test(String(error)), `${util.inspect(error)} does not match ${expected}`);
  } else {
    for (const [key, value] of Object.entries(expected)) {
      if (value instanceof RegExp && typeof error[key] === "string") {
        assert(value.test(error[key]), `${error[key]} does not match ${value}`);
      } else {
        assert.deepStrictEqual(error[key], value);
      }
    }
  }
}

function assert(isTrue, message) {
  if (!isTrue) {
    fail(message);
  }
}

Object.assign(assert, {
  ok: assert,
  fail,
  strictEqual(actual, expected, message) {
    assert(
      Object.is(actual, expected),
      message ?? `${util.inspect(actual)} is not ${util.inspect(expected)}`,
    );
  },
  notStrictEqual(actual, expected, message) {
    assert(!Object.is(actual, expected), message ?? `both are ${util.inspect(actual)}`);
  },
  deepStrictEqual(actual, expected, message) {
    const [one, other] = [actual, expected].map((value) => util.inspect(value, { depth: 20 }));
    assert(one === other, message ?? `${one} is not ${other}`);
  },
  throws(action, expected) {
    let error;
    try {
      action();
    } catch (thrown) {
      error = { thrown };
    }
    assert(error !== undefined, "nothing was thrown");
    matches(error.thrown, expected);
  },
  async rejects(promise, expected) {
    let error;
    try {
      await (typeof promise === "function" ? promise() : promise);
    } catch (thrown) {
      error = { thrown };
    }
    assert(error !== undefined, "nothing was rejected");
    matches(error.thrown, expected);
  },
});

/** Functions that have to be called so many times: they are checked at the end. */
const expectedCalls = [];
process.on("exit", (code) => {
  for (const { stack, least, most, calls } of code === 0 ? expectedCalls : []) {
    if (calls < least || calls > most) {
      console.error(`called ${calls} times, and not ${least} to ${most}:\n${stack}`);
      process.exitCode = 1;
    }
  }
});

function counted(callback, least, most) {
  const expected = { stack: new Error().stack, least, most, calls: 0 };
  expectedCalls.push(expected);
  return function (...args) {
    expected.calls += 1;
    return callback?.apply(this, args);
  };
}

const common = {
  isMainThread: true,
  isWindows: false,
  mustCall: (callback, exact = 1) =>
    typeof callback === "number"
      ? counted(undefined, callback, callback)
      : counted(callback, exact, exact),
  mustCallAtLeast: (callback, least = 1) => counted(callback, least, Infinity),
  mustNotCall: (message) => () => fail(message ?? "it must not be called"),
  mustSucceed: (callback, exact) =>
    common.mustCall((error, ...args) => {
      assert.strictEqual(error ?? null, null);
      return callback?.(...args);
    }, exact),
  platformTimeout: (milliseconds) => milliseconds,
  expectsError: (expected, exact) =>
    common.mustCall((error) => {
      matches(error, expected);
      return true;
    }, exact),
  expectWarning(name, messages) {
    const wanted = typeof name === "object" ? Object.entries(name) : [[name, messages]];
    process.on(
      "warning",
      common.mustCall((warning) => {
        assert(
          wanted.some(([kind]) => kind === warning.name),
          warning.name,
        );
      }, wanted.length),
    );
  },
  skip(reason) {
    console.log(`skipped: ${reason}`);
    process.exit(0);
  },
};

/** Calls a function when it has been counted down. */
class Countdown {
  constructor(limit, callback) {
    this.remaining = limit;
    this.callback = common.mustCall(callback);
  }

  dec() {
    this.remaining -= 1;
    if (this.remaining === 0) {
      this.callback();
    }
    return this.remaining;
  }
}

const modules = {
  "../common": common,
  "../common/countdown": Countdown,
  assert,
  "internal/util": {
    /** Keeps the loop from going on. */
    sleep(milliseconds) {
      const end = performance.now() + milliseconds;
      while (performance.now() < end);
    },
  },
  "internal/test/binding": {
    internalBinding: () => ({
      getLibuvNow() {
        uv.Loop.default.updateTime();
        return uv.Loop.default.now;
      },
    }),
  },
  "internal/timers": { setUnrefTimeout: (callback, delay) => setTimeout(callback, delay).unref() },
  events: Object.assign(events.EventEmitter, events),
  timers,
  "timers/promises": promises,
  util,
};

/** A module by the name that the tests use. */
export function require(name) {
  const module = modules[name.replace(/^node:/, "")];
  if (module === undefined) {
    throw new Error(`the adapter has no module ${name}`);
  }
  return module;
}
