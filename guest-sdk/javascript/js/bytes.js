// Bytes of strings and buffers. Callers refuse other values in their own words.

import native from "runtime:native";

/** The bytes of a buffer or of a view of one, or undefined. */
export function bytesOfBuffer(value) {
  if (value instanceof Uint8Array) {
    return value;
  }
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined;
}

/** The bytes of a string, in UTF-8, or of a buffer, or undefined. */
export function bytesOf(value) {
  return typeof value === "string" ? native.encode(value.toWellFormed()) : bytesOfBuffer(value);
}
