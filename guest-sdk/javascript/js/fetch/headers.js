// Headers of requests and responses.

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** A list of headers. Names are in lower case; values of one name are joined when they are read. */
export class Headers {
  #list = [];
  #isImmutable = false;

  constructor(init = undefined) {
    if (init === undefined) {
      return;
    }
    if (init === null || (typeof init !== "object" && typeof init !== "function")) {
      throw new TypeError("Headers must be made of an object, or of pairs of names and values");
    }
    if (typeof init[Symbol.iterator] !== "function") {
      for (const [name, value] of Object.entries(init)) {
        this.append(name, value);
      }
      return;
    }
    for (const pair of init) {
      const both = typeof pair === "object" && pair !== null ? [...pair] : [];
      if (both.length !== 2) {
        throw new TypeError("Each header must be a pair of a name and a value");
      }
      this.append(both[0], both[1]);
    }
  }

  /** Headers of a response, which the script cannot change. */
  static _received(list) {
    const headers = new Headers();
    for (let at = 0; at < list.length; at += 2) {
      headers.#list.push([list[at].toLowerCase(), list[at + 1]]);
    }
    headers.#isImmutable = true;
    return headers;
  }

  /** Names and values in turn, as the host wants them. */
  _flat() {
    return this.#list.flat();
  }

  append(name, value) {
    const pair = [checkName(name), checkValue(value)];
    this.#checkMutable();
    this.#list.push(pair);
  }

  delete(name) {
    const wanted = checkName(name);
    this.#checkMutable();
    this.#list = this.#list.filter(([one]) => one !== wanted);
  }

  get(name) {
    const wanted = checkName(name);
    const values = this.#list.filter(([one]) => one === wanted).map(([, value]) => value);
    return values.length === 0 ? null : values.join(", ");
  }

  getSetCookie() {
    return this.#list.filter(([name]) => name === "set-cookie").map(([, value]) => value);
  }

  has(name) {
    const wanted = checkName(name);
    return this.#list.some(([one]) => one === wanted);
  }

  set(name, value) {
    const pair = [checkName(name), checkValue(value)];
    this.#checkMutable();
    const first = this.#list.findIndex(([one]) => one === pair[0]);
    if (first < 0) {
      this.#list.push(pair);
    } else {
      this.#list[first] = pair;
      this.#list = this.#list.filter(([one], at) => one !== pair[0] || at === first);
    }
  }

  forEach(callback, self) {
    for (const [name, value] of this) {
      callback.call(self, value, name, this);
    }
  }

  /** Sorted by name. Cookies are not joined. */
  *entries() {
    for (const name of [...new Set(this.#list.map(([one]) => one))].sort()) {
      if (name === "set-cookie") {
        for (const value of this.getSetCookie()) {
          yield [name, value];
        }
      } else {
        yield [name, this.get(name)];
      }
    }
  }

  *keys() {
    for (const [name] of this.entries()) {
      yield name;
    }
  }

  *values() {
    for (const [, value] of this.entries()) {
      yield value;
    }
  }

  #checkMutable() {
    if (this.#isImmutable) {
      throw new TypeError("The headers of a response cannot be changed");
    }
  }

  [Symbol.for("nodejs.util.inspect.custom")](depth, options, inspect) {
    return `Headers ${inspect(Object.fromEntries(this), options)}`;
  }

  get [Symbol.toStringTag]() {
    return "Headers";
  }
}
Headers.prototype[Symbol.iterator] = Headers.prototype.entries;

/** Whether a text can be the name of a header or of a method. */
export function isToken(text) {
  return TOKEN.test(text);
}

function checkName(name) {
  const text = String(name);
  if (!isToken(text)) {
    throw new TypeError(`${JSON.stringify(text)} is not a valid name of a header`);
  }
  return text.toLowerCase();
}

function checkValue(value) {
  const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
  if (/[\0\n\r]|[^\0-\xff]/.test(text)) {
    throw new TypeError(`${JSON.stringify(text)} is not a valid value of a header`);
  }
  return text;
}
