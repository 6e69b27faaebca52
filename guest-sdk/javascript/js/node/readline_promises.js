// The module `readline/promises`: questions that are awaited.

import { checkSignal } from "runtime:errors";
import { Interface as Lines } from "runtime:readline";

export class Interface extends Lines {
  /** Writes a question. The promise is for the next line. */
  question(query, { signal } = {}) {
    checkSignal("options.signal", signal);
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      let isOver = false;
      const abort = () => {
        isOver = true;
        reject(signal.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
      const answer = (line) => {
        signal?.removeEventListener("abort", abort);
        if (isOver) {
          // The line is for the one that asks next.
          this._return(line);
        }
        resolve(line);
      };
      this._ask(query, answer);
    });
  }
}

/** Reads lines of `{ input, output }`, or of an input. */
export function createInterface(input, output) {
  return new Interface(input, output);
}

export default { Interface, createInterface };
