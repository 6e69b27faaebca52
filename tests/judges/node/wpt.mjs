// The functions of the Web Platform Tests' harness that their tests of timers use.

let pending = 0;
let failed = 0;
let isSingle = false;

function failure(name, error) {
  failed += 1;
  console.error(`${name}: ${error?.stack ?? error}`);
}

/** The end of a test. With the last one, the page is closed. */
function ended() {
  pending -= 1;
  if (pending === 0) {
    setImmediate(() => process.exit(failed === 0 ? 0 : 1));
  }
}

process.on("exit", (code) => {
  if (code === 0 && (pending > 0 || failed > 0)) {
    console.error(`${pending} tests did not end, ${failed} failed`);
    process.exitCode = 1;
  }
});

/** A test that ends by `done`. */
class Test {
  #name;
  #isDone = false;

  constructor(name) {
    this.#name = name;
    pending += 1;
  }

  done = () => {
    if (!this.#isDone) {
      this.#isDone = true;
      ended();
    }
  };

  step(action, ...args) {
    if (this.#isDone) {
      return undefined;
    }
    try {
      return action?.apply(this, args);
    } catch (error) {
      failure(this.#name, error);
      this.done();
      return undefined;
    }
  }

  step_func(action) {
    return (...args) => this.step(action, ...args);
  }

  step_func_done(action) {
    return (...args) => {
      this.step(action, ...args);
      this.done();
    };
  }

  step_timeout(action, delay) {
    return setTimeout(this.step_func(action), delay);
  }

  unreached_func(message) {
    return this.step_func(() => {
      throw new Error(message);
    });
  }
}

Object.assign(globalThis, {
  self: globalThis,
  setup(options) {
    if (options?.single_test) {
      isSingle = true;
      pending += 1;
    }
  },
  done() {
    if (isSingle) {
      isSingle = false;
      ended();
    }
  },
  test(action, name) {
    const one = new Test(name);
    one.step(action, one);
    one.done();
  },
  async_test(action, name) {
    const one = new Test(typeof action === "string" ? action : name);
    if (typeof action === "function") {
      one.step(action, one);
    }
    return one;
  },
  assert_equals(actual, expected, message) {
    if (!Object.is(actual, expected)) {
      throw new Error(`${message ?? ""}: ${actual} is not ${expected}`);
    }
  },
  assert_true(value, message) {
    assert_equals(value, true, message);
  },
  assert_unreached(message) {
    throw new Error(message);
  },
});
