// EventEmitter, which `process` is. `node:events` exports it.

import { UnhandledError, checkFunction } from "runtime:errors";

/** Calls listeners by the name of an event. */
export class EventEmitter {
  #listeners = new Map();

  on(name, listener) {
    return this.#add(name, listener, listener, false);
  }

  once(name, listener) {
    return this.#add(name, listener, this.#once(name, listener), false);
  }

  prependListener(name, listener) {
    return this.#add(name, listener, listener, true);
  }

  prependOnceListener(name, listener) {
    return this.#add(name, listener, this.#once(name, listener), true);
  }

  off(name, listener) {
    const known = this.#listeners.get(name) ?? [];
    const at = known.findLastIndex((one) => one === listener || one.listener === listener);
    if (at >= 0) {
      this.#set(name, known.toSpliced(at, 1));
      if (this.#listeners.has("removeListener")) {
        this.emit("removeListener", name, listener);
      }
    }
    return this;
  }

  removeAllListeners(name) {
    const names = name === undefined ? [...this.#listeners.keys()] : [name];
    for (const one of names) {
      for (const listener of this.listeners(one).reverse()) {
        this.off(one, listener);
      }
    }
    return this;
  }

  emit(name, ...args) {
    const listeners = this.#listeners.get(name);
    if (listeners === undefined) {
      if (name === "error") {
        throw args[0] instanceof Error
          ? args[0]
          : new UnhandledError(`Unhandled error. (${String(args[0])})`);
      }
      return false;
    }
    for (const listener of listeners) {
      listener.apply(this, args);
    }
    return true;
  }

  listeners(name) {
    return this.rawListeners(name).map((listener) => listener.listener ?? listener);
  }

  rawListeners(name) {
    return [...(this.#listeners.get(name) ?? [])];
  }

  listenerCount(name) {
    return this.#listeners.get(name)?.length ?? 0;
  }

  eventNames() {
    return [...this.#listeners.keys()];
  }

  setMaxListeners() {
    return this;
  }

  #add(name, listener, called, isFirst) {
    checkFunction("listener", listener);
    if (this.#listeners.has("newListener")) {
      this.emit("newListener", name, listener);
    }
    const known = this.#listeners.get(name) ?? [];
    this.#set(name, isFirst ? [called, ...known] : [...known, called]);
    return this;
  }

  #once(name, listener) {
    checkFunction("listener", listener);
    const called = (...args) => {
      this.off(name, called);
      return listener.apply(this, args);
    };
    called.listener = listener;
    return called;
  }

  #set(name, listeners) {
    if (listeners.length === 0) {
      this.#listeners.delete(name);
    } else {
      this.#listeners.set(name, listeners);
    }
  }
}
EventEmitter.prototype.addListener = EventEmitter.prototype.on;
EventEmitter.prototype.removeListener = EventEmitter.prototype.off;
EventEmitter.EventEmitter = EventEmitter;

/** A promise of the arguments of the next event. */
export function once(emitter, name, { signal } = {}) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    if (emitter instanceof EventTarget) {
      emitter.addEventListener(name, (event) => resolve([event]), { once: true, signal });
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      return;
    }
    const settle = (how) => (value) => {
      emitter.off(name, onEvent);
      emitter.off("error", onError);
      how(value);
    };
    const onEvent = (...args) => settle(resolve)(args);
    const onError = settle(reject);
    emitter.on(name, onEvent);
    if (name !== "error") {
      emitter.on("error", onError);
    }
    signal?.addEventListener("abort", () => onError(signal.reason), { once: true });
  });
}
