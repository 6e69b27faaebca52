// Errors with Node's codes and messages.

import native from "runtime:native";

/** An error class whose instances have a code, as Node's internal errors have. */
function withCode(Base, code) {
  return class extends Base {
    constructor(message) {
      super(message);
      this.code = code;
      // Its first line shows the code.
      Error.captureStackTrace(this, new.target);
    }

    get name() {
      return Base.name;
    }

    toString() {
      return `${this.name} [${code}]: ${this.message}`;
    }
  };
}

const InvalidArgumentType = withCode(TypeError, "ERR_INVALID_ARG_TYPE");
const InvalidArgumentValue = withCode(TypeError, "ERR_INVALID_ARG_VALUE");
const OutOfRange = withCode(RangeError, "ERR_OUT_OF_RANGE");
export const InvalidThis = withCode(TypeError, "ERR_INVALID_THIS");
export const MissingArguments = withCode(TypeError, "ERR_MISSING_ARGS");
export const InvalidUrl = withCode(TypeError, "ERR_INVALID_URL");
export const UnhandledRejection = withCode(Error, "ERR_UNHANDLED_REJECTION");
export const UseAfterClose = withCode(Error, "ERR_USE_AFTER_CLOSE");
export const UnhandledError = withCode(Error, "ERR_UNHANDLED_ERROR");

/** How a message describes a value that was not expected. */
export function received(value) {
  if (value === null || value === undefined) {
    return ` Received ${value}`;
  }
  if (typeof value === "function") {
    return value.name ? ` Received function ${value.name}` : " Received function ";
  }
  if (typeof value === "object") {
    const name = value.constructor?.name;
    return name ? ` Received an instance of ${name}` : " Received [Object: null prototype] {}";
  }
  let shown = typeof value === "string" ? `'${value}'` : String(value);
  if (typeof value === "bigint") {
    shown += "n";
  }
  if (shown.length > 28) {
    shown = `${shown.slice(0, 25)}...${typeof value === "string" ? "'" : ""}`;
  }
  return ` Received type ${typeof value} (${shown})`;
}

/** The error of an argument of a wrong type. */
export function wrongType(name, expected, value) {
  const kind = name.includes(".") ? "property" : "argument";
  return new InvalidArgumentType(`The "${name}" ${kind} must be ${expected}.${received(value)}`);
}

/** The error of an argument of the right type that is not allowed. */
export function wrongValue(name, reason, value) {
  const kind = name.includes(".") ? "property" : "argument";
  const shown = typeof value === "string" ? `'${value}'` : String(value);
  return new InvalidArgumentValue(`The ${kind} '${name}' ${reason}. Received ${shown}`);
}

/** The error of a number that is too small or too large. */
export function outOfRange(name, range, value) {
  return new OutOfRange(
    `The value of "${name}" is out of range. It must be ${range}. Received ${value}`,
  );
}

/** Throws unless the value is a function. */
export function checkFunction(name, value) {
  if (typeof value !== "function") {
    throw wrongType(name, "of type function", value);
  }
}

/** Throws unless the value is an object. */
export function checkObject(name, value) {
  if (value === null || typeof value !== "object") {
    throw wrongType(name, "of type object", value);
  }
}

/** Throws unless the value is a boolean. */
export function checkBoolean(name, value) {
  if (typeof value !== "boolean") {
    throw wrongType(name, "of type boolean", value);
  }
}

/** Throws unless the value is an AbortSignal, or undefined. */
export function checkSignal(name, value) {
  if (
    value !== undefined &&
    (value === null || typeof value !== "object" || !("aborted" in value))
  ) {
    throw wrongType(name, "an instance of AbortSignal", value);
  }
}

/** A call that the loop has refused: `code` is the name of libuv's status, `errno` its number. */
export class UVError extends Error {
  constructor(message, code, errno) {
    super(message);
    this.code = code;
    this.errno = errno;
  }
}

/** A call on a handle that is closing or closed. */
export class HandleClosedError extends UVError {
  constructor(message = "the handle is closing or closed") {
    super(message, "EHANDLECLOSED", 0);
  }
}

/** A call on a loop that is closed. */
export class LoopClosedError extends UVError {
  constructor(message = "the loop is closed") {
    super(message, "ELOOPCLOSED", 0);
  }
}

for (const Class of [UVError, HandleClosedError, LoopClosedError]) {
  Object.defineProperty(Class.prototype, "name", {
    value: Class.name,
    configurable: true,
    writable: true,
  });
}

native.onError((kind, name, number, message) => {
  switch (kind) {
    case "handle":
      return new HandleClosedError(message);
    case "loop":
      return new LoopClosedError(message);
    default:
      return new UVError(message, name, number);
  }
});
