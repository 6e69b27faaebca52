// The values that can be written and sent.

import { bytesOf } from "runtime:bytes";
import { wrongType } from "runtime:errors";

/** The bytes of a string or of a buffer. */
export function bytesToWrite(data) {
  const bytes = bytesOf(data);
  if (bytes === undefined) {
    throw wrongType("data", "of type string or an instance of Uint8Array or ArrayBuffer", data);
  }
  return bytes;
}
