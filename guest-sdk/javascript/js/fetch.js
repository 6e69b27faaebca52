// fetch: requests to servers, by the host.

import { Exchange, ExchangeBody, failed } from "runtime:fetch/exchange";
import { Headers } from "runtime:fetch/headers";
import { Request } from "runtime:fetch/request";
import { Response, hasBody, isRedirect } from "runtime:fetch/response";

export { Headers, Request, Response };

/** How many redirects are followed. */
const REDIRECTS = 20;
/** Headers of a body, which do not go to where a POST is redirected as a GET. */
const OF_BODY = ["content-encoding", "content-language", "content-length", "content-location", "content-type"];
/** Headers that are for one origin. */
const OF_ORIGIN = ["authorization", "cookie", "host", "proxy-authorization"];

/** Sends a request, and waits for the head of its response. */
export async function fetch(input, init = undefined) {
  const request = new Request(input, init);
  const { signal, redirect } = request;
  signal.throwIfAborted();
  let { method } = request;
  const headers = new Headers(request.headers);
  for (const [name, value] of [["accept", "*/*"], ["user-agent", "uv-handles"]]) {
    if (!headers.has(name)) {
      headers.append(name, value);
    }
  }
  let body = request.body === null ? undefined : await abortable(request.bytes(), signal);
  let url = new URL(request.url);
  for (let followed = 0; ; followed += 1) {
    url.hash = "";
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      throw failed(`${url}: the scheme is not http or https`, "ERR_INVALID_URL");
    }
    const exchange = new Exchange(url.href, signal);
    const [status, list] = await exchange.send(method, headers._flat(), body);
    const received = Headers._received(list);
    const location = isRedirect(status) && redirect !== "manual" ? received.get("location") : null;
    if (location === null) {
      const isEmpty = !hasBody(status) || method === "HEAD";
      if (isEmpty) {
        exchange.close();
      }
      const source = isEmpty ? null : new ExchangeBody(exchange);
      const isRedirected = followed > 0;
      return Response._received({ status, headers: received, url: url.href, isRedirected, source });
    }
    exchange.close();
    if (redirect === "error") {
      throw failed(`${url}: the server redirects to ${location}`);
    }
    if (followed === REDIRECTS) {
      throw failed(`${request.url}: there are more than ${REDIRECTS} redirects`);
    }
    const next = URL.parse(location, url);
    if (next === null) {
      throw failed(`${url}: the server redirects to ${location}, which is no URL`, "ERR_INVALID_URL");
    }
    const isPost = (status === 301 || status === 302) && method === "POST";
    if (isPost || (status === 303 && method !== "GET" && method !== "HEAD")) {
      method = "GET";
      body = undefined;
      OF_BODY.forEach((name) => headers.delete(name));
    }
    if (next.origin !== url.origin) {
      OF_ORIGIN.forEach((name) => headers.delete(name));
    }
    url = next;
  }
}

/** The promise, or the signal's reason if that comes first. */
function abortable(promise, signal) {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(signal.reason);
    signal.addEventListener("abort", aborted);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", aborted));
  });
}
