// What the tests share: assertions, and a list of tests that run one after the other.

import { inspect } from "node:util";

/** Throws unless both are shown the same. */
export function equal(actual, expected) {
  const [one, other] = [actual, expected].map((value) => inspect(value, { depth: 10 }));
  if (one !== other) {
    throw new Error(`${one} is not ${other}`);
  }
}

/** Throws unless the function throws an error whose name, code or message has this text. */
export function throws(action, expected) {
  let error;
  try {
    action();
  } catch (thrown) {
    error = thrown;
  }
  described(error, expected);
}

/** Throws unless the promise is rejected with such an error. */
export async function rejects(promise, expected) {
  let error;
  try {
    await promise;
  } catch (thrown) {
    error = thrown;
  }
  described(error, expected);
}

function described(error, expected) {
  const text = `${error?.name} ${error?.code} ${error?.message}`;
  if (error === undefined || !text.includes(expected)) {
    throw new Error(`${inspect(error)} is not the expected ${expected}`);
  }
}

const tests = [];

/** Adds a test. */
export function test(name, action) {
  tests.push([name, action]);
}

/** A promise that is settled after some milliseconds. */
export function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

// When the module of the tests has been evaluated.
setImmediate(async () => {
  let failed = 0;
  for (const [name, action] of tests) {
    try {
      await action();
      console.log(`ok ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED ${name}: ${inspect(error)}`);
    }
  }
  console.log(failed === 0 ? `all of ${tests.length} passed` : `${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
});
