// Responses.

import { Body, extract } from "runtime:fetch/body";
import { Headers } from "runtime:fetch/headers";

/** Statuses whose responses have no body. */
const NO_BODY = [101, 103, 204, 205, 304];
const REDIRECTS = [301, 302, 303, 307, 308];

/** A response, of a server or made by the script. */
export class Response extends Body {
  #status = 200;
  #statusText = "";
  #headers;
  #type = "default";
  #url = "";
  #isRedirected = false;

  constructor(body = null, init = {}) {
    super();
    if (init === null || typeof init !== "object") {
      throw new TypeError("The options of a response must be an object");
    }
    const status = init.status === undefined ? 200 : Math.trunc(Number(init.status));
    if (!(status >= 200 && status <= 599)) {
      throw new RangeError(`The status must be from 200 to 599, not ${init.status}`);
    }
    this.#status = status;
    this.#statusText = init.statusText === undefined ? "" : String(init.statusText);
    this.#headers = new Headers(init.headers);
    const [source, type] = extract(body);
    if (source !== null && NO_BODY.includes(status)) {
      throw new TypeError(`A response with the status ${status} has no body`);
    }
    this._setBody(source);
    if (type !== undefined && !this.#headers.has("content-type")) {
      this.#headers.append("content-type", type);
    }
  }

  /** The response of a server. Its status may be any. */
  static _received({ status, headers, url, isRedirected, source }) {
    const response = new Response();
    response.#status = status;
    response.#statusText = REASONS[status] ?? "";
    response.#headers = headers;
    response.#type = "basic";
    response.#url = url;
    response.#isRedirected = isRedirected;
    response._setBody(source);
    return response;
  }

  static error() {
    const response = new Response();
    response.#status = 0;
    response.#type = "error";
    return response;
  }

  static json(data, init = {}) {
    const text = JSON.stringify(data);
    if (text === undefined) {
      throw new TypeError("The value cannot be written as JSON");
    }
    const response = new Response(new TextEncoder().encode(text), init);
    if (!response.headers.has("content-type")) {
      response.headers.append("content-type", "application/json");
    }
    return response;
  }

  static redirect(url, status = 302) {
    const location = new URL(url).href;
    if (!REDIRECTS.includes(status)) {
      throw new RangeError(`The status of a redirect cannot be ${status}`);
    }
    return new Response(null, { status, headers: { location } });
  }

  get status() {
    return this.#status;
  }

  get ok() {
    return this.#status >= 200 && this.#status <= 299;
  }

  get statusText() {
    return this.#statusText;
  }

  get headers() {
    return this.#headers;
  }

  get type() {
    return this.#type;
  }

  get url() {
    return this.#url;
  }

  get redirected() {
    return this.#isRedirected;
  }

  clone() {
    const source = this._split();
    const clone = new Response();
    clone.#status = this.#status;
    clone.#statusText = this.#statusText;
    clone.#headers = new Headers(this.#headers);
    clone.#type = this.#type;
    clone.#url = this.#url;
    clone.#isRedirected = this.#isRedirected;
    clone._setBody(source);
    return clone;
  }

  [Symbol.for("nodejs.util.inspect.custom")](depth, options, inspect) {
    const { status, statusText, headers, body, bodyUsed, ok, redirected, type, url } = this;
    const shown = { status, statusText, headers, body, bodyUsed, ok, redirected, type, url };
    return `Response ${inspect(shown, options)}`;
  }

  get [Symbol.toStringTag]() {
    return "Response";
  }
}

/** Whether a status tells that the resource is elsewhere. */
export function isRedirect(status) {
  return REDIRECTS.includes(status);
}

/** Whether a response with this status has a body. */
export function hasBody(status) {
  return !NO_BODY.includes(status);
}

/** WASI does not pass the reason phrases of servers, so these are the registered ones. */
const REASONS = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  203: "Non-Authoritative Information",
  204: "No Content",
  205: "Reset Content",
  206: "Partial Content",
  300: "Multiple Choices",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  407: "Proxy Authentication Required",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Payload Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  421: "Misdirected Request",
  422: "Unprocessable Entity",
  425: "Too Early",
  426: "Upgrade Required",
  428: "Precondition Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  451: "Unavailable For Legal Reasons",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  507: "Insufficient Storage",
  508: "Loop Detected",
  511: "Network Authentication Required",
};
