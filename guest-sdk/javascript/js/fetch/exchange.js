// An exchange with a server: a request, and the body of its response. The host speaks HTTP.

import native from "runtime:native";
import { scoped } from "runtime:ticks";

/** Closes the exchanges of responses that the script has dropped. */
const dropped = new FinalizationRegistry((exchange) => exchange.close());

/**
 * One request and its response. Aborting the signal, or `close`, ends it at any time: the host
 * closes the connection.
 */
export class Exchange {
  #url;
  #signal;
  #number;
  /** Rejects the promise that waits for the host. */
  #reject;
  /** Settles when the last read has ended: the host has one at a time. */
  #reading = Promise.resolve();

  constructor(url, signal) {
    this.#url = url;
    this.#signal = signal;
  }

  /** Sends the request. Returns the status and the headers of the response. */
  async send(method, headers, body) {
    this.#signal.throwIfAborted();
    this.#signal.addEventListener("abort", this.#onAbort);
    return this.#wait((settle) => {
      this.#number = native.httpSend(method, this.#url, headers, body, settle);
    });
  }

  /** The next bytes of the body, undefined at the end. */
  read() {
    const bytes = this.#reading.then(() => this.#read());
    this.#reading = bytes.catch(() => {});
    return bytes;
  }

  async #read() {
    this.#signal.throwIfAborted();
    if (this.#number === undefined) {
      return undefined;
    }
    const [bytes] = await this.#wait((settle) => native.httpRead(this.#number, settle));
    if (bytes === undefined) {
      this.#over();
    }
    return bytes;
  }

  /** Ends the exchange. Nothing happens if it is over. */
  close() {
    if (this.#number !== undefined) {
      native.httpClose(this.#number);
      this.#over();
    }
  }

  #onAbort = () => {
    const reject = this.#reject;
    this.close();
    reject?.(this.#signal.reason);
  };

  #over() {
    this.#number = undefined;
    this.#reject = undefined;
    this.#signal.removeEventListener("abort", this.#onAbort);
  }

  /** Calls a function of the host, and waits for what it passes on. */
  #wait(begin) {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      const settle = scoped((problem, code, ...values) => {
        this.#reject = undefined;
        if (problem === undefined) {
          resolve(values);
        } else {
          this.#over();
          reject(failed(problem, code));
        }
      });
      try {
        begin(settle);
      } catch (error) {
        this.close();
        this.#over();
        reject(error.name === "UVError" ? failed(`${this.#url}: ${error.message}`, error.code) : error);
      }
    });
  }
}

/** The body of an exchange, an async iterable. The exchange ends with it. */
export class ExchangeBody {
  #exchange;

  constructor(exchange) {
    this.#exchange = exchange;
    dropped.register(this, exchange);
  }

  [Symbol.asyncIterator]() {
    return {
      // These functions keep the body, and with it the exchange, for as long as it is read.
      next: async () => {
        const value = await this.#exchange.read();
        return { done: value === undefined, value };
      },
      return: async () => {
        this.#exchange.close();
        return { done: true, value: undefined };
      },
    };
  }
}

/** The error of a failed request, as Node's. The cause names the address. */
export function failed(problem, code) {
  const cause = new Error(problem);
  if (code !== undefined) {
    cause.code = code;
  }
  return new TypeError("fetch failed", { cause });
}
