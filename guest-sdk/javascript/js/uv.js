// The module `uv`: loops, the seven kinds of handles, descriptors and async senders.
//
// The rules of handles and the order of callbacks are libuv's. After each callback, ticks and
// promise jobs run, as after every other callback of a script.

export { HandleClosedError, LoopClosedError, UVError } from "runtime:errors";
export { Async } from "runtime:uv/async_handle";
export { AsyncSender } from "runtime:uv/async_sender";
export { PollEvent, Signals, StatusCode } from "runtime:uv/constants";
export { Descriptor, open } from "runtime:uv/descriptor";
export { Handle } from "runtime:uv/handle";
export { Loop } from "runtime:uv/loop";
export { Poll } from "runtime:uv/poll";
export { Signal } from "runtime:uv/signal";
export { Server, Stream } from "runtime:uv/stream";
export { Timer } from "runtime:uv/timer";
export { Check, Idle, Prepare } from "runtime:uv/watchers";
