// URL and URLSearchParams. Parsing is the crate `url`.

import native from "runtime:native";
import { InvalidUrl, wrongType } from "runtime:errors";

/** The parts, in the order in which the parser returns them. */
const PARTS = [
  "href",
  "origin",
  "protocol",
  "username",
  "password",
  "host",
  "hostname",
  "port",
  "pathname",
  "search",
  "hash",
];
const READ_ONLY = ["origin"];

/** An address of the web. */
export class URL {
  #parts;
  #searchParams;

  constructor(url, base) {
    if (arguments.length === 0) {
      throw wrongType("url", "specified", url);
    }
    const text = String(url).toWellFormed();
    const parts = native.parseUrl(
      text,
      base === undefined ? undefined : String(base).toWellFormed(),
    );
    if (parts === undefined) {
      const error = new InvalidUrl("Invalid URL");
      error.input = text;
      if (base !== undefined) {
        error.base = String(base);
      }
      throw error;
    }
    this.#parts = parts;
  }

  /** The address, or null if the text is none. */
  static parse(url, base) {
    return URL.canParse(url, base) ? new URL(url, base) : null;
  }

  static canParse(url, base) {
    return (
      native.parseUrl(
        String(url).toWellFormed(),
        base === undefined ? undefined : String(base).toWellFormed(),
      ) !== undefined
    );
  }

  get searchParams() {
    this.#searchParams ??= URLSearchParams._of(this.search, (search) =>
      this._set("search", search),
    );
    return this.#searchParams;
  }

  _get(at) {
    return this.#parts[at];
  }

  _set(name, value) {
    const parts = native.setUrl(this.#parts[0], name, String(value).toWellFormed());
    if (parts !== undefined) {
      this.#parts = parts;
    } else if (name === "href") {
      throw new InvalidUrl("Invalid URL");
    }
  }

  _updateSearchParams() {
    this.#searchParams?._replace(this.search);
  }

  toString() {
    return this.href;
  }

  toJSON() {
    return this.href;
  }

  [Symbol.for("nodejs.util.inspect.custom")](depth, options, inspect) {
    const shown = Object.fromEntries(
      [...PARTS.slice(0, -1), "searchParams", "hash"].map((name) => [name, this[name]]),
    );
    return `URL ${inspect(shown)}`;
  }

  get [Symbol.toStringTag]() {
    return "URL";
  }
}

PARTS.forEach((name, at) => {
  Object.defineProperty(URL.prototype, name, {
    configurable: true,
    enumerable: true,
    get() {
      return this._get(at);
    },
    set: READ_ONLY.includes(name)
      ? undefined
      : function (value) {
          this._set(name, value);
          if (name === "search" || name === "href") {
            this._updateSearchParams();
          }
        },
  });
});

/** The parameters after the question mark of an address. */
export class URLSearchParams {
  #list = [];
  #changed = () => {};

  constructor(init = "") {
    if (init === null || (typeof init !== "object" && typeof init !== "function")) {
      this._replace(String(init));
    } else if (typeof init[Symbol.iterator] === "function") {
      for (const pair of init) {
        const both = pair !== null && typeof pair === "object" ? [...pair] : [];
        if (both.length !== 2) {
          const error = new TypeError("Each query pair must be an iterable [name, value] tuple");
          error.code = "ERR_INVALID_TUPLE";
          throw error;
        }
        this.#list.push(both.map((one) => String(one).toWellFormed()));
      }
    } else {
      this.#list = Object.entries(init).map((pair) =>
        pair.map((one) => String(one).toWellFormed()),
      );
    }
  }

  /** The parameters of an address, which is told about changes. */
  static _of(search, changed) {
    const params = new URLSearchParams(search);
    params.#changed = changed;
    return params;
  }

  _replace(text) {
    const pairs = native.parseQuery(text.startsWith("?") ? text.slice(1) : text);
    this.#list = [];
    for (let at = 0; at < pairs.length; at += 2) {
      this.#list.push([pairs[at], pairs[at + 1]]);
    }
  }

  #update() {
    this.#changed(this.toString());
  }

  get size() {
    return this.#list.length;
  }

  append(name, value) {
    this.#list.push([String(name).toWellFormed(), String(value).toWellFormed()]);
    this.#update();
  }

  delete(name, value) {
    this.#list = this.#list.filter(
      ([key, one]) => key !== String(name) || (value !== undefined && one !== String(value)),
    );
    this.#update();
  }

  get(name) {
    return this.#list.find(([key]) => key === String(name))?.[1] ?? null;
  }

  getAll(name) {
    return this.#list.filter(([key]) => key === String(name)).map(([, value]) => value);
  }

  has(name, value) {
    return this.#list.some(
      ([key, one]) => key === String(name) && (value === undefined || one === String(value)),
    );
  }

  set(name, value) {
    const key = String(name).toWellFormed();
    const first = this.#list.findIndex(([one]) => one === key);
    if (first < 0) {
      this.append(key, value);
      return;
    }
    this.#list[first][1] = String(value).toWellFormed();
    this.#list = this.#list.filter(([one], at) => one !== key || at === first);
    this.#update();
  }

  sort() {
    this.#list.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
    this.#update();
  }

  forEach(callback, self) {
    for (const [name, value] of this) {
      callback.call(self, value, name, this);
    }
  }

  *entries() {
    for (let at = 0; at < this.#list.length; at += 1) {
      yield [...this.#list[at]];
    }
  }

  *keys() {
    for (const [name] of this) {
      yield name;
    }
  }

  *values() {
    for (const [, value] of this) {
      yield value;
    }
  }

  toString() {
    return native.formatQuery(this.#list.flat());
  }

  [Symbol.for("nodejs.util.inspect.custom")](depth, options, inspect) {
    const shown = this.#list.map(([name, value]) => `${inspect(name)} => ${inspect(value)}`);
    return shown.length === 0 ? "URLSearchParams {}" : `URLSearchParams { ${shown.join(", ")} }`;
  }

  get [Symbol.toStringTag]() {
    return "URLSearchParams";
  }
}
URLSearchParams.prototype[Symbol.iterator] = URLSearchParams.prototype.entries;
