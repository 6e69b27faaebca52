// The module `uv`: the handles of libuv, and what the host has granted.

import * as uv from "runtime:uv";

export * from "runtime:uv";
export default uv;
