// The module `readline`: lines of standard input, and questions.

import { Interface } from "runtime:readline";
import promises from "node:readline/promises";

/** Reads lines of `{ input, output }`, or of an input. */
export function createInterface(input, output) {
  return new Interface(input, output);
}

export { Interface, promises };

export default { Interface, createInterface, promises };
