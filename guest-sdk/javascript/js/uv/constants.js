// Names of numbers: status codes, signals and the events of poll handles.

import native from "runtime:native";

/** The numbers of libuv's status codes by their names. */
export const StatusCode = Object.freeze(native.statusCodes());
/** The numbers of signals by their names. */
export const Signals = Object.freeze(Object.fromEntries(native.signalNumbers()));
/** The events of a poll handle, as a set of bits. */
export const PollEvent = Object.freeze({ READABLE: 1, WRITABLE: 2, DISCONNECT: 4, PRIORITIZED: 8 });
