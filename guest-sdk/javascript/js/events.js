// Event and EventTarget, as the DOM standard has them for targets without parents.

import { InvalidThis, MissingArguments, wrongType } from "runtime:errors";
import { nextTick } from "runtime:ticks";

/** An event: what happened to a target. */
export class Event {
  #type;
  #bubbles;
  #cancelable;
  #composed;
  #timeStamp = performance.now();
  #isCanceled = false;
  #isPassive = false;
  _target = null;
  _isDispatched = false;
  _isStopped = false;
  _isStoppedAtOnce = false;

  constructor(type, options) {
    if (arguments.length === 0) {
      throw new MissingArguments('The "type" argument must be specified');
    }
    if (options !== undefined && options !== null && typeof options !== "object") {
      throw wrongType("options", "of type object", options);
    }
    this.#type = String(type);
    this.#bubbles = Boolean(options?.bubbles);
    this.#cancelable = Boolean(options?.cancelable);
    this.#composed = Boolean(options?.composed);
  }

  get type() {
    return this.#type;
  }

  get target() {
    return this._target;
  }

  get currentTarget() {
    return this._isDispatched ? this._target : null;
  }

  get srcElement() {
    return this._target;
  }

  get bubbles() {
    return this.#bubbles;
  }

  get cancelable() {
    return this.#cancelable;
  }

  get composed() {
    return this.#composed;
  }

  get defaultPrevented() {
    return this.#isCanceled;
  }

  get returnValue() {
    return !this.#isCanceled;
  }

  get timeStamp() {
    return this.#timeStamp;
  }

  get isTrusted() {
    return false;
  }

  get eventPhase() {
    return this._isDispatched ? Event.AT_TARGET : Event.NONE;
  }

  get cancelBubble() {
    return this._isStopped;
  }

  set cancelBubble(isStopped) {
    if (isStopped) {
      this._isStopped = true;
    }
  }

  composedPath() {
    return this._isDispatched ? [this._target] : [];
  }

  preventDefault() {
    if (this.#cancelable && !this.#isPassive) {
      this.#isCanceled = true;
    }
  }

  stopPropagation() {
    this._isStopped = true;
  }

  stopImmediatePropagation() {
    this._isStopped = true;
    this._isStoppedAtOnce = true;
  }

  /** Within a passive listener, the event cannot be canceled. */
  static _setPassive(event, isPassive) {
    event.#isPassive = isPassive;
  }

  get [Symbol.toStringTag]() {
    return "Event";
  }
}
for (const [phase, number] of Object.entries({
  NONE: 0,
  CAPTURING_PHASE: 1,
  AT_TARGET: 2,
  BUBBLING_PHASE: 3,
})) {
  for (const owner of [Event, Event.prototype]) {
    Object.defineProperty(owner, phase, { value: number, enumerable: true });
  }
}

/** An event with a value of the script's. */
export class CustomEvent extends Event {
  #detail;

  constructor(type, options) {
    super(...arguments);
    this.#detail = options?.detail ?? null;
  }

  get detail() {
    return this.#detail;
  }

  get [Symbol.toStringTag]() {
    return "CustomEvent";
  }
}

/** Something that events happen to. */
export class EventTarget {
  /** Listeners by the type of event. */
  #listeners = new Map();

  addEventListener(type, callback, options) {
    EventTarget.#check(this, arguments.length, 2);
    if (callback === null || callback === undefined) {
      return;
    }
    if (typeof callback !== "function" && typeof callback !== "object") {
      throw wrongType("listener", "an instance of EventListener", callback);
    }
    const { capture, once, passive, signal } = optionsOf(options);
    if (signal !== undefined && !(signal instanceof EventTarget)) {
      throw wrongType("options.signal", "an instance of AbortSignal", signal);
    }
    if (signal?.aborted) {
      return;
    }
    type = String(type);
    const listeners = this.#listeners.get(type) ?? [];
    if (listeners.some((known) => known.callback === callback && known.capture === capture)) {
      return;
    }
    const listener = { callback, capture, once, passive, isRemoved: false };
    // A dispatch in progress goes on with the listeners that it has begun with.
    this.#listeners.set(type, [...listeners, listener]);
    signal?.addEventListener("abort", () => this.removeEventListener(type, callback, { capture }), {
      once: true,
    });
  }

  removeEventListener(type, callback, options) {
    EventTarget.#check(this, arguments.length, 2);
    const { capture } = optionsOf(options);
    this.#remove(String(type), (known) => known.callback === callback && known.capture === capture);
  }

  dispatchEvent(event) {
    EventTarget.#check(this, arguments.length, 1);
    if (!(event instanceof Event)) {
      throw wrongType("event", "an instance of Event", event);
    }
    if (event._isDispatched) {
      throw new DOMException("The event is already being dispatched", "InvalidStateError");
    }
    event._target = this;
    event._isDispatched = true;
    try {
      for (const listener of this.#listeners.get(event.type) ?? []) {
        if (!listener.isRemoved) {
          this.#call(listener, event);
        }
        if (event._isStoppedAtOnce) {
          break;
        }
      }
    } finally {
      event._isDispatched = false;
      event._isStopped = event._isStoppedAtOnce = false;
    }
    return !event.defaultPrevented;
  }

  #call(listener, event) {
    if (listener.once) {
      this.#remove(event.type, (known) => known === listener);
    }
    Event._setPassive(event, listener.passive);
    try {
      const { callback } = listener;
      const result =
        typeof callback === "function" ? callback.call(this, event) : callback.handleEvent(event);
      if (result instanceof Promise) {
        result.then(undefined, reportLater);
      }
    } catch (error) {
      // The other listeners are called nevertheless.
      reportLater(error);
    } finally {
      Event._setPassive(event, false);
    }
  }

  #remove(type, isWanted) {
    const listeners = this.#listeners.get(type) ?? [];
    const kept = listeners.filter((listener) => !isWanted(listener));
    for (const listener of listeners.filter(isWanted)) {
      listener.isRemoved = true;
    }
    if (kept.length === 0) {
      this.#listeners.delete(type);
    } else {
      this.#listeners.set(type, kept);
    }
  }

  static #check(target, count, least) {
    if (!(target instanceof EventTarget)) {
      throw new InvalidThis('Value of "this" must be of type EventTarget');
    }
    if (count < least) {
      throw new MissingArguments(
        least === 1
          ? 'The "event" argument must be specified'
          : 'The "type" and "listener" arguments must be specified',
      );
    }
  }

  get [Symbol.toStringTag]() {
    return "EventTarget";
  }
}

function optionsOf(options) {
  if (typeof options === "boolean") {
    return { capture: options, once: false, passive: false };
  }
  return {
    capture: Boolean(options?.capture),
    once: Boolean(options?.once),
    passive: Boolean(options?.passive),
    signal: options?.signal,
  };
}

/** An error of a listener is an uncaught exception, once the caller of `dispatchEvent` is done. */
function reportLater(error) {
  nextTick(() => {
    throw error;
  });
}

/** Defines `onNAME` of a target's class: a listener that is a property. */
export function defineHandler(Class, name) {
  const current = new WeakMap();
  Object.defineProperty(Class.prototype, `on${name}`, {
    configurable: true,
    enumerable: true,
    get() {
      return current.get(this)?.callback ?? null;
    },
    set(callback) {
      const known = current.get(this);
      if (known !== undefined) {
        known.callback = callback;
      } else if (typeof callback === "function") {
        const holder = { callback };
        current.set(this, holder);
        this.addEventListener(name, (event) => {
          if (typeof holder.callback === "function") {
            return holder.callback.call(this, event);
          }
        });
      }
    },
  });
}
