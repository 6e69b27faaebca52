// The values that can be written and sent.

import native from "runtime:native";
import { wrongType } from "runtime:errors";

/** The bytes of a string, in UTF-8, or of a buffer. */
export function bytesOf(data) {
  if (typeof data === "string") {
    return native.encode(data.toWellFormed());
  }
  if (data instanceof Uint8Array) {
    return data;
  }
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  if (data instanceof ArrayBuffer) {
    return new Uint8Array(data);
  }
  throw wrongType("data", "of type string or an instance of Uint8Array or ArrayBuffer", data);
}
