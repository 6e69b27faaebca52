// `process`: arguments, environment, standard streams, signals, and how a script ends.

import native from "runtime:native";
import { EventEmitter } from "runtime:emitter";
import { UnhandledRejection, wrongType } from "runtime:errors";
import { inspect } from "runtime:inspect";
import { excerptFor } from "runtime:stack";
import { guarded, hooks, nextTick, scoped } from "runtime:ticks";

const SIGNALS = native.signalNumbers();

let isExiting = false;
let exitCode;

class Process extends EventEmitter {
  argv = [];
  argv0 = "uv-run";
  execArgv = [];
  execPath = "uv-run";
  env = {};
  title = "uv-run";
  pid = 1;
  ppid = 0;
  platform = "wasi";
  arch = "wasm32";
  version = "v20.0.0";
  versions = { node: "20.0.0", uv: native.version, quickjs: "ng" };
  release = { name: "uv-handles" };
  nextTick = nextTick;

  get exitCode() {
    return exitCode;
  }

  set exitCode(code) {
    if (code !== undefined && code !== null) {
      checkCode(code);
    }
    exitCode = code ?? undefined;
  }

  /** Ends the script at once. */
  exit(code) {
    if (code !== undefined) {
      this.exitCode = code;
    }
    finish();
  }

  reallyExit(code) {
    native.exit(Number(code ?? 0));
  }

  abort() {
    native.exit(134);
  }

  cwd() {
    return native.workingDirectory();
  }

  uptime() {
    return performance.now() / 1000;
  }

  /** Nanoseconds, as a pair of seconds and the rest. */
  hrtime(since) {
    const now = native.nanoseconds();
    let seconds = Math.floor(now / 1e9);
    let rest = Math.round(now % 1e9);
    if (since !== undefined) {
      seconds -= since[0];
      rest -= since[1];
      if (rest < 0) {
        seconds -= 1;
        rest += 1e9;
      }
    }
    return [seconds, rest];
  }

  memoryUsage() {
    const used = native.memoryUsed();
    return { rss: used, heapTotal: used, heapUsed: used, external: 0, arrayBuffers: 0 };
  }

  emitWarning(warning, type = "Warning", code = undefined) {
    if (type !== null && typeof type === "object") {
      ({ type = "Warning", code } = type);
    }
    let error = warning;
    if (!(error instanceof Error)) {
      error = new Error(String(warning));
      error.name = type;
      if (code !== undefined) {
        error.code = code;
      }
    }
    nextTick(() => {
      if (!this.emit("warning", error)) {
        const shownCode = error.code === undefined ? "" : `[${error.code}] `;
        native.write(2, `(uv-run) ${shownCode}${error.name}: ${error.message}\n`);
      }
    });
  }

  /** Writable streams, as far as a script needs them. */
  stdout = new Output(1);
  stderr = new Output(2);

  get stdin() {
    stdin ??= native.load("runtime:stdin").stdin;
    return stdin;
  }

  get [Symbol.toStringTag]() {
    return "process";
  }
}
Process.prototype.hrtime.bigint = () => BigInt(Math.round(native.nanoseconds()));

let stdin;

function environment() {
  const env = Object.fromEntries(native.environment());
  return new Proxy(env, {
    set(target, key, value) {
      return Reflect.set(target, key, String(value));
    },
    defineProperty(target, key, descriptor) {
      return Reflect.defineProperty(target, key, {
        ...descriptor,
        value: String(descriptor.value),
      });
    },
  });
}

function checkCode(code) {
  const number = typeof code === "string" && code.trim() !== "" ? Number(code) : code;
  if (typeof number !== "number" || !Number.isInteger(number)) {
    throw wrongType("code", "of type integer", code);
  }
}

class Output {
  constructor(descriptor) {
    this.fd = descriptor;
    this.isTTY = false;
    this.writable = true;
  }

  /** Writes at once. Returns true: there is nothing to wait for. */
  write(chunk, encoding, callback) {
    if (typeof chunk !== "string" && !(chunk instanceof Uint8Array)) {
      throw wrongType("chunk", "of type string or an instance of Buffer or Uint8Array", chunk);
    }
    native.write(this.fd, chunk);
    const called = typeof encoding === "function" ? encoding : callback;
    if (called !== undefined) {
      nextTick(called);
    }
    return true;
  }

  end(chunk) {
    if (chunk !== undefined) {
      this.write(chunk);
    }
    return this;
  }

  on() {
    return this;
  }

  once() {
    return this;
  }
}

export const process = new Process();

/** Sets what is known of a script when it begins. */
export function beginProcess() {
  process.argv = native.args();
  process.env = environment();
}

/** Ends the script with `process.exitCode`, after the listeners of `exit`. */
function finish() {
  if (!isExiting) {
    isExiting = true;
    guarded(() => process.emit("exit", Number(exitCode ?? 0)));
  }
  native.exit(Number(exitCode ?? 0));
}

/** With no memory even for an error object, the engine throws null. */
function isOutOfMemory(error) {
  return error === null && native.ranOutOfMemory();
}

/** Prints an uncaught error: the line of the script that threw it, and its stack. */
export function report(error) {
  if (isOutOfMemory(error)) {
    native.write(2, "InternalError: out of memory\n");
    return;
  }
  const shown = error instanceof Error ? inspect(error) : `Uncaught:\n${inspect(error)}`;
  native.write(2, `${excerptFor(error)}${shown}\n`);
}

hooks.isExiting = () => isExiting;

hooks.uncaught = (error, origin = "uncaughtException") => {
  if (isExiting) {
    // In a listener of `exit`.
    report(error);
    exitCode = 1;
    native.exit(1);
  }
  process.emit("uncaughtExceptionMonitor", error, origin);
  if (process.listenerCount("uncaughtException") > 0) {
    try {
      process.emit("uncaughtException", error, origin);
      return;
    } catch (another) {
      report(another);
      exitCode = 7;
      finish();
    }
  }
  report(error);
  exitCode = 1;
  finish();
};

hooks.unhandledRejection = (reason, promise) => {
  if (process.emit("unhandledRejection", reason, promise)) {
    return;
  }
  const error =
    reason instanceof Error || isOutOfMemory(reason)
      ? reason
      : new UnhandledRejection(
          "This error originated either by throwing inside of an async function without a catch block, or by rejecting " +
            `a promise which was not handled with .catch(). The promise rejected with the reason "${inspect(reason)}".`,
        );
  hooks.uncaught(error, "unhandledRejection");
};

hooks.rejectionHandled = (promise) => {
  process.emit("rejectionHandled", promise);
};

hooks.warn = (text, type) => process.emitWarning(text, type);

/** Emits `beforeExit`: a listener may make the loop alive again. */
export function beforeExit() {
  scoped(() => process.emit("beforeExit", Number(exitCode ?? 0)))();
}

/** The end of the script, when the loop has nothing more to do. */
export function endOfLoop(isUnsettled) {
  if (isUnsettled && exitCode === undefined) {
    exitCode = 13;
    native.write(2, `Warning: Detected unsettled top-level await in ${native.scriptName()}\n`);
  }
  finish();
}

// A signal is watched while there are listeners for it.
const watched = new Map();
process.on("newListener", (name) => {
  if (typeof name === "string" && SIGNALS.has(name) && !watched.has(name)) {
    watched.set(
      name,
      native.watchSignal(
        SIGNALS.get(name),
        scoped(() => process.emit(name, name, SIGNALS.get(name))),
      ),
    );
  }
});
process.on("removeListener", (name) => {
  if (watched.has(name) && process.listenerCount(name) === 0) {
    native.unwatchSignal(watched.get(name));
    watched.delete(name);
  }
});
