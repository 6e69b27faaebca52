// Event loops.

import native from "runtime:native";

/** An event loop. A script has one already, which runs when the main module is evaluated. */
export class Loop {
  #number;
  #handles = new Set();

  constructor() {
    this.#number = main === undefined ? 0 : native.createLoop();
  }

  /** The loop of the script, which the runtime runs. */
  static get default() {
    return main;
  }

  /** Runs the loop: until nothing is active (`default`), or one iteration (`once`, `nowait`). */
  run(mode = "default") {
    return native.loopRun(this.#number, String(mode));
  }

  stop() {
    native.loopStop(this.#number);
  }

  close() {
    native.loopClose(this.#number);
  }

  get closed() {
    return native.loopIsClosed(this.#number);
  }

  get alive() {
    return native.loopIsAlive(this.#number);
  }

  /** The loop's time in milliseconds, from an arbitrary start. */
  get now() {
    return native.loopNow(this.#number);
  }

  updateTime() {
    native.loopUpdateTime(this.#number);
  }

  /** How long the loop would wait, in milliseconds: null is without a limit. */
  getTimeout() {
    return native.loopTimeout(this.#number) ?? null;
  }

  /** The handles of the module `uv` that are not closed. */
  get handles() {
    return [...this.#handles];
  }

  closeAllHandles() {
    for (const handle of this.#handles) {
      handle.close();
    }
  }

  static _number(loop) {
    return loop.#number;
  }

  static _handles(loop) {
    return loop.#handles;
  }
}

let main;
main = new Loop();
