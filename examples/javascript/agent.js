// A tool for an agent: fetches addresses, with a time-out and retries, and prints what it did.
//
//   uv-run --http example.org examples/javascript/agent.js https://example.org/
//
// Options: --limit=5000 and --backoff=100, both in milliseconds, and --attempts=4. The result is a
// line of JSON for each address. The exit code is 1 if one of them failed.

import { setTimeout as sleep } from "node:timers/promises";

const options = { limit: 5000, attempts: 4, backoff: 100 };
const urls = [];
for (const arg of process.argv.slice(2)) {
  const option = /^--(limit|attempts|backoff)=(\d+)$/.exec(arg);
  if (option !== null) {
    options[option[1]] = Number(option[2]);
  } else {
    urls.push(arg);
  }
}
if (urls.length === 0) {
  console.error("usage: agent.js [--limit=MS] [--attempts=N] [--backoff=MS] URL...");
  process.exit(2);
}

/** An answer that may be better the next time. */
class Busy extends Error {}

/** Fetches an address once. */
async function attempt(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(options.limit) });
  if (response.status === 429 || response.status >= 500) {
    await response.body?.cancel();
    const seconds = Number(response.headers.get("retry-after") ?? 0);
    throw Object.assign(new Busy(`status ${response.status}`), { wait: seconds * 1000 });
  }
  return { status: response.status, text: await response.text() };
}

/** Whether another attempt makes sense: not if the address is wrong or the host denies it. */
function isTemporary(error) {
  const code = error.cause?.code;
  return error instanceof Busy || error.name === "TimeoutError" || !/^(ERR_|EACCES)/.test(code ?? "");
}

/** Fetches an address, each time with twice the pause before. */
async function get(url) {
  for (let number = 1; ; number += 1) {
    try {
      return { url, attempts: number, ...(await attempt(url)) };
    } catch (error) {
      const reason = error.cause?.message ?? error.message;
      console.error(`attempt ${number}: ${reason}`);
      if (number >= options.attempts || !isTemporary(error)) {
        return { url, attempts: number, error: reason };
      }
      await sleep(Math.max(options.backoff * 2 ** (number - 1), error.wait ?? 0));
    }
  }
}

for (const result of await Promise.all(urls.map(get))) {
  console.log(JSON.stringify(result));
  if (result.error !== undefined) {
    process.exitCode = 1;
  }
}
