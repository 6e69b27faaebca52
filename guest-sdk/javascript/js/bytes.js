// Bytes of strings and buffers. Callers refuse other values in their own words.

import native from "runtime:native";

/** Bytes that were read: an array whose text is what the bytes say, as that of a Buffer in Node. */
class Bytes extends Uint8Array {
  toString(encoding = "utf8") {
    return new TextDecoder(encoding, { ignoreBOM: true }).decode(this);
  }
}
// It is shown as what it is.
Object.defineProperty(Bytes, "name", { value: "Uint8Array" });

/** Gives an array of bytes the text of what it contains. */
export function asRead(bytes) {
  return Object.setPrototypeOf(bytes, Bytes.prototype);
}

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
