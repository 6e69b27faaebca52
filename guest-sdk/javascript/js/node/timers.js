// The module `timers`.

import { clearImmediate, setImmediate } from "runtime:immediates";
import { clearInterval, clearTimeout, setInterval, setTimeout } from "runtime:timers";
import promises from "node:timers/promises";

export {
  clearImmediate,
  clearInterval,
  clearTimeout,
  promises,
  setImmediate,
  setInterval,
  setTimeout,
};
export default {
  clearImmediate,
  clearInterval,
  clearTimeout,
  promises,
  setImmediate,
  setInterval,
  setTimeout,
};
