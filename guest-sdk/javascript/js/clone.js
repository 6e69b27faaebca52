// structuredClone: a deep copy of data.

const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

function refuse(value) {
  let shown;
  try {
    shown =
      typeof value === "function" || typeof value === "symbol"
        ? String(value)
        : Object.prototype.toString.call(value);
  } catch {
    shown = "The object";
  }
  throw new DOMException(`${shown} could not be cloned.`, "DataCloneError");
}

/** A deep copy of a value. Buffers in `transfer` are moved instead of copied. */
export function structuredClone(value, options) {
  if (arguments.length === 0) {
    throw new TypeError('The "value" argument must be specified');
  }
  const copies = new Map();
  const transferred = [...(options?.transfer ?? [])];
  for (const buffer of transferred) {
    if (!(buffer instanceof ArrayBuffer) || buffer.detached) {
      throw new DOMException("Found invalid object in transferList", "DataCloneError");
    }
  }
  const result = clone(value, copies, new Set(transferred));
  // Only when nothing was refused.
  for (const buffer of transferred) {
    buffer.transfer();
  }
  return result;
}

function clone(value, copies, transferred) {
  if (typeof value === "function" || typeof value === "symbol") {
    refuse(value);
  }
  if (value === null || typeof value !== "object") {
    return value;
  }
  if (copies.has(value)) {
    return copies.get(value);
  }
  const inner = (one) => clone(one, copies, transferred);
  const known = (copy) => {
    copies.set(value, copy);
    return copy;
  };
  const properties = (copy, keys = Object.keys(value)) => {
    for (const key of keys) {
      Object.defineProperty(copy, key, {
        value: inner(value[key]),
        configurable: true,
        enumerable: true,
        writable: true,
      });
    }
    return copy;
  };

  if (Array.isArray(value)) {
    const copy = known([]);
    copy.length = value.length;
    return properties(copy);
  }
  if (value instanceof Date) {
    return known(new Date(value.getTime()));
  }
  if (value instanceof RegExp) {
    return known(new RegExp(value.source, value.flags));
  }
  for (const Class of [Boolean, Number, String, BigInt]) {
    if (value instanceof Class) {
      return known(Object(value.valueOf()));
    }
  }
  if (value instanceof ArrayBuffer) {
    if (value.detached) {
      refuse(value);
    }
    return known(value.slice());
  }
  if (ArrayBuffer.isView(value)) {
    const buffer = inner(value.buffer);
    const Class = value instanceof DataView ? DataView : globalThis[value[Symbol.toStringTag]];
    return known(
      new Class(
        buffer,
        value.byteOffset,
        value instanceof DataView ? value.byteLength : value.length,
      ),
    );
  }
  if (value instanceof Map) {
    const copy = known(new Map());
    for (const [key, one] of [...value]) {
      copy.set(inner(key), inner(one));
    }
    return copy;
  }
  if (value instanceof Set) {
    const copy = known(new Set());
    for (const one of [...value]) {
      copy.add(inner(one));
    }
    return copy;
  }
  if (value instanceof Error) {
    const Class = ERRORS[value.name] ?? Error;
    const copy = known(new Class(value.message));
    Object.defineProperty(copy, "stack", {
      value: String(value.stack),
      configurable: true,
      writable: true,
    });
    if (Object.hasOwn(value, "cause")) {
      Object.defineProperty(copy, "cause", {
        value: inner(value.cause),
        configurable: true,
        writable: true,
      });
    }
    return copy;
  }
  if (
    value instanceof Promise ||
    value instanceof WeakMap ||
    value instanceof WeakSet ||
    value instanceof WeakRef
  ) {
    refuse(value);
  }
  return properties(known({}));
}
