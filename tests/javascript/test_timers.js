// Timeouts, intervals and immediates.

import timers from "node:timers";
import * as promises from "timers/promises";
import { promisify } from "util";
import { equal, rejects, sleep, test, throws } from "./support.mjs";

test("a timeout is called once, with its arguments", async () => {
  const calls = [];
  setTimeout((...args) => calls.push(args), 5, "a", 1);
  await sleep(20);
  equal(calls, [["a", 1]]);
});

test("durations that are no number from 1 to 2**31 - 1 are 1 ms", async () => {
  const order = [];
  setTimeout(() => order.push("2"), 2);
  for (const duration of [undefined, null, NaN, -1, 0, "x", 0.5, {}]) {
    setTimeout(() => order.push(String(duration)), duration);
  }
  await sleep(5);
  equal(order, ["undefined", "null", "NaN", "-1", "0", "x", "0.5", "[object Object]", "2"]);
  equal(setTimeout(() => {}, "7.9")._duration, 7);
});

test("a duration that is too long is a warning", async () => {
  const warned = new Promise((resolve) => process.once("warning", resolve));
  clearTimeout(setTimeout(() => {}, 2 ** 31));
  equal((await warned).name, "TimeoutOverflowWarning");
});

test("timers of one duration are called in the order of their starts", async () => {
  const order = [];
  for (let n = 0; n < 5; n += 1) {
    setTimeout(() => order.push(n), 3);
  }
  await sleep(10);
  equal(order, [0, 1, 2, 3, 4]);
});

test("cleared timers are not called", async () => {
  const calls = [];
  const timeout = setTimeout(() => calls.push("object"), 1);
  const byNumber = setTimeout(() => calls.push("number"), 1);
  const byText = setTimeout(() => calls.push("text"), 1);
  clearTimeout(timeout);
  clearInterval(+byNumber);
  clearTimeout(String(Number(byText)));
  for (const nothing of [undefined, null, 0, -1, "x", {}, timeout]) {
    clearTimeout(nothing);
  }
  setTimeout(() => calls.push("closed"), 1).close();
  {
    using disposed = setTimeout(() => calls.push("disposed"), 1);
    equal(disposed.hasRef(), true);
  }
  await sleep(5);
  equal(calls, []);
});

test("a timer clears another one that is due at the same time", async () => {
  const calls = [];
  setTimeout(() => {
    calls.push("first");
    clearTimeout(second);
  }, 2);
  const second = setTimeout(() => calls.push("second"), 2);
  setTimeout(() => calls.push("third"), 2);
  await sleep(6);
  equal(calls, ["first", "third"]);
});

test("an interval is called until it is cleared, also by itself", async () => {
  let count = 0;
  const interval = setInterval(() => {
    count += 1;
    if (count === 3) {
      clearInterval(interval);
    }
  }, 2);
  await sleep(20);
  equal(count, 3);
});

test("refresh starts a timer anew", async () => {
  const start = performance.now();
  const timeout = setTimeout(() => {}, 10);
  const called = new Promise((resolve) => {
    timeout._onTimeout = () => resolve(performance.now() - start);
  });
  await sleep(6);
  equal(timeout.refresh() === timeout, true);
  const elapsed = await called;
  equal(elapsed >= 15, true);
});

test("refresh in its own callback calls a timer again, also without a reference", async () => {
  let count = 0;
  const timeout = setTimeout(() => {
    count += 1;
    if (count < 3) {
      timeout.refresh();
    }
  }, 1);
  await sleep(10);
  equal(count, 3);
  clearTimeout(timeout);
  timeout.refresh();
  await sleep(5);
  equal(count, 3);
});

test("ref, unref and hasRef", () => {
  const timeout = setTimeout(() => {}, 1000);
  equal(timeout.hasRef(), true);
  equal(timeout.unref() === timeout && !timeout.hasRef(), true);
  equal(timeout.unref().ref().ref().hasRef(), true);
  clearTimeout(timeout);
  const immediate = setImmediate(() => {});
  equal(
    [immediate.hasRef(), immediate.unref().hasRef(), immediate.ref().hasRef()],
    [true, false, true],
  );
  clearImmediate(immediate);
  equal(immediate.hasRef(), false);
});

test("callbacks have to be functions", () => {
  for (const start of [setTimeout, setInterval, setImmediate, queueMicrotask, process.nextTick]) {
    for (const callback of [undefined, null, "code", {}]) {
      throws(() => start(callback), "ERR_INVALID_ARG_TYPE");
    }
  }
});

test("an immediate of an immediate is called in the next iteration", async () => {
  const order = [];
  await new Promise((resolve) => {
    setImmediate(() => {
      order.push("first");
      setImmediate(() => {
        order.push("inner");
        resolve();
      });
    });
    setImmediate(() => order.push("second"));
    const cleared = setImmediate(() => order.push("cleared"));
    setImmediate(() => clearImmediate(never));
    const never = setImmediate(() => order.push("never"));
    clearImmediate(cleared);
  });
  equal(order, ["first", "second", "inner"]);
});

test("ticks come before promise jobs, and both between callbacks", async () => {
  const order = [];
  await new Promise((resolve) => {
    const callback = (name) => () => {
      order.push(name);
      Promise.resolve().then(() => order.push(`${name} job`));
      process.nextTick(() => order.push(`${name} tick`));
    };
    setImmediate(callback("one"));
    setImmediate(callback("two"));
    setImmediate(() => setImmediate(resolve));
  });
  equal(order, ["one", "one tick", "one job", "two", "two tick", "two job"]);
});

test("nextTick passes arguments", async () => {
  equal(await new Promise((resolve) => process.nextTick((...args) => resolve(args), 1, 2)), [1, 2]);
});

test("this is the timer", async () => {
  await new Promise((resolve) => {
    const timeout = setTimeout(function () {
      equal(this === timeout, true);
      resolve();
    }, 1);
  });
});

test("the module timers has the same functions", () => {
  equal(timers.setTimeout === setTimeout && timers.clearImmediate === clearImmediate, true);
  equal(timers.promises === promises.default, true);
  equal(promisify(setTimeout) === promises.setTimeout, true);
});

test("promises of timers are fulfilled with their values", async () => {
  equal(await promises.setTimeout(1, "value"), "value");
  equal(await promises.setImmediate("value"), "value");
  await promises.scheduler.wait(1);
  await promises.scheduler.yield();
  let count = 0;
  for await (const value of promises.setInterval(1, "tick")) {
    equal(value, "tick");
    count += 1;
    if (count === 3) {
      break;
    }
  }
  equal(count, 3);
});

test("a signal rejects promises of timers", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  setTimeout(() => controller.abort("why"), 2);
  await rejects(promises.setTimeout(1000, undefined, { signal }), "AbortError ABORT_ERR");
  await rejects(promises.setTimeout(1000, undefined, { signal }), "AbortError ABORT_ERR");
  await rejects(promises.setImmediate(undefined, { signal }), "AbortError ABORT_ERR");
  await rejects(promises.setInterval(1, undefined, { signal }).next(), "AbortError ABORT_ERR");
  await rejects(promises.setTimeout(1, undefined, { signal: "no" }), "ERR_INVALID_ARG_TYPE");
  await rejects(promises.setTimeout(1, undefined, { ref: 1 }), "ERR_INVALID_ARG_TYPE");
  await rejects(promises.setTimeout(1, undefined, 3), "ERR_INVALID_ARG_TYPE");
  const signalOnce = AbortSignal.timeout(3);
  await rejects(
    (async () => {
      for await (const _ of promises.setInterval(1, undefined, { signal: signalOnce })) {
        // Until it is aborted.
      }
    })(),
    "AbortError",
  );
});
