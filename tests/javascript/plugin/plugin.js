// A plugin for the tests of the plugin server: its `init` does what its configuration says.

import { answer } from "./data.mjs";
import uv from "uv";

const ways = {
  runs() {
    new uv.Async({ name: "mailbox", callback: (mailbox) => console.log(`length ${mailbox.receive().length}`) });
    new uv.Async({ name: "stop", callback: () => uv.Loop.default.closeAllHandles() });
    console.log(`the answer is ${answer}`);
  },
  throws() {
    throw new Error("the disk is on fire");
  },
  async rejects() {
    await null;
    undefined.member;
  },
  later() {
    setTimeout(() => Promise.reject(new Error("too late")), 1);
  },
  exits() {
    setTimeout(() => process.exit(0), 1);
  },
  memory() {
    setTimeout(() => {
      const all = [];
      for (;;) {
        all.push(new Uint8Array(1 << 20));
      }
    }, 1);
  },
};

export function init({ way }) {
  return ways[way]();
}
