// A stream filter: it counts the lines, bytes and most frequent first words of what it reads, and
// prints a summary every second.
//
// It is examples/line-stats once more, in JavaScript, and prints the same for the same input; that
// one's README tells what, and which grants it can use.
//
//     seq 1 1000000 | uv-run --stdin examples/javascript/line_stats.js
//     uv-run --listen clients=127.0.0.1:7000 --signal hup,int,term examples/javascript/line_stats.js
//
// The script ends by itself when there is nothing more to read: only inputs keep the loop alive.
// The timer, the signals and the host's async handle do not.

import uv from "uv";

/** Milliseconds from one summary to the next. */
const SUMMARY_EVERY = 1000;
/** Milliseconds until accepting is tried again after it has failed. */
const RETRY = 100;
/** Bytes that are read at once, and counted before anything else runs. */
const CHUNK = 64 * 1024;
/** Bytes of a word that tell it from others. */
const WORD = 64;
/** Different words that are counted. Lines that begin with yet another one count as lines only. */
const WORDS = 10_000;
/** Words in a summary. */
const TOP = 5;

const NEWLINE = 10;
/** Tab, newline, form feed, carriage return, space. */
const BLANK = new Set([9, NEWLINE, 12, 13, 32]);

const NO_INPUT =
  "there is nothing to read. With uv-run, grant standard input by --stdin, " +
  "a socket for clients by --listen clients=127.0.0.1:0, or both";

/** The counts over all inputs. */
class Stats {
  lines = 0;
  bytes = 0;
  clients = 0;
  /** By the word, with a character for each byte. */
  words = new Map();

  addWord(word) {
    const count = this.words.get(word);
    if (count !== undefined) {
      this.words.set(word, count + 1);
    } else if (this.words.size < WORDS) {
      this.words.set(word, 1);
    }
  }

  /** `12 lines, 345 bytes, 2 clients, words: the 5, a 3`, always on one line. */
  toString() {
    const counts = `${this.lines} lines, ${this.bytes} bytes, ${this.clients} clients`;
    const byCount = ([word, count], [other, others]) => others - count || (word < other ? -1 : 1);
    const top = [...this.words].sort(byCount).slice(0, TOP);
    const words = top.map(([word, count]) => `${printable(word)} ${count}`).join(", ");
    return words === "" ? counts : `${counts}, words: ${words}`;
  }
}

/** A word as text. Its origin is untrusted, so it must not control a terminal or end the line. */
function printable(word) {
  const bytes = Uint8Array.from(word, (character) => character.charCodeAt(0));
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  return text.replace(/[\p{Cc}\p{White_Space}]/gu, "\ufffd");
}

/** The lines of one input, put together from chunks that end anywhere. */
class Lines {
  lines = 0;
  bytes = 0;
  /** Whether something has come since the last newline. */
  #isUnfinished = false;
  /** The beginning of the line's first word, and whether it is all. */
  #word = "";
  #isComplete = false;

  /** Counts the next chunk of the input. */
  feed(chunk, stats) {
    this.bytes += chunk.length;
    stats.bytes += chunk.length;
    for (let at = 0; at < chunk.length;) {
      const newline = chunk.indexOf(NEWLINE, at);
      const end = newline < 0 ? chunk.length : newline;
      this.#begin(chunk, at, end);
      if (newline >= 0) {
        this.#isUnfinished = true;
        this.end(stats);
      }
      at = end + 1;
    }
  }

  /** Takes in the next piece of a line. */
  #begin(chunk, start, end) {
    this.#isUnfinished ||= start < end;
    for (let at = start; at < end && !this.#isComplete; at += 1) {
      const byte = chunk[at];
      if (!BLANK.has(byte)) {
        this.#word += String.fromCharCode(byte);
        this.#isComplete = this.#word.length === WORD;
      } else if (this.#word !== "") {
        this.#isComplete = true;
      }
    }
  }

  /** Ends the line that has begun, if one has: also without a newline it is one. */
  end(stats) {
    if (this.#isUnfinished) {
      this.lines += 1;
      stats.lines += 1;
      if (this.#word !== "") {
        stats.addWord(this.#word);
      }
      this.#isUnfinished = this.#isComplete = false;
      this.#word = "";
    }
  }
}

let stats = new Stats();
/** The poll handles that bring input. */
const inputs = new Set();
let isEnding = false;

function print(title) {
  console.log(`${title}: ${stats}`);
}

/** Reads an input to its end and counts it. Returns its lines, or null if it was cut off. */
async function count(descriptor) {
  const lines = new Lines();
  const poll = new uv.Poll(descriptor);
  inputs.add(poll);
  try {
    for await (const _ of poll) {
      // One chunk for each event: the inputs take turns, and a signal waits for one chunk at most.
      const chunk = descriptor.read(CHUNK);
      if (chunk.length === 0) {
        lines.end(stats);
        return lines;
      }
      lines.feed(chunk, stats);
    }
  } catch (error) {
    if (!(error instanceof uv.UVError)) {
      throw error;
    }
    // The connection was reset.
  } finally {
    inputs.delete(poll);
    poll.close();
  }
  lines.end(stats);
  return null;
}

/** Counts what a client sends, and tells it. */
async function serve(connection) {
  const lines = await count(connection);
  if (lines !== null && !isEnding) {
    const poll = new uv.Poll(connection);
    inputs.add(poll);
    try {
      let rest = new TextEncoder().encode(`you sent ${lines.lines} lines, ${lines.bytes} bytes\n`);
      while (rest.length > 0) {
        await poll.ready(uv.PollEvent.WRITABLE);
        rest = rest.subarray(connection.write(rest));
      }
    } catch (error) {
      if (!(error instanceof uv.UVError)) {
        throw error;
      }
      // The client does not want to know.
    } finally {
      inputs.delete(poll);
      poll.close();
    }
  }
  connection.close();
}

/** Accepts clients, one in each iteration. When that fails, most likely because the host's limit of
 * descriptors is reached, a timeout starts again later. */
function listen(socket) {
  const poll = new uv.Poll(socket);
  inputs.add(poll);
  const start = () => {
    if (!poll.closing) {
      poll.start(uv.PollEvent.READABLE, accept);
    }
  };
  const accept = () => {
    try {
      const connection = socket.accept();
      stats.clients += 1;
      serve(connection);
    } catch (error) {
      if (error.code !== "EAGAIN") {
        poll.stop();
        setTimeout(start, RETRY);
      }
    }
  };
  start();
}

/** Returns the grant, or null if there is none. */
function granted(open) {
  try {
    return open();
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "EACCES") {
      return null;
    }
    throw error;
  }
}

function watchSignal(name, action) {
  granted(() => process.on(name, action));
}

/** Stops reading from all inputs. Data that was read is still counted. */
function endInputs() {
  isEnding = true;
  for (const poll of inputs) {
    poll.close();
  }
}

const stdin = granted(() => uv.open("stdin"));
const clients = granted(() => uv.open("clients"));
if (stdin === null && clients === null) {
  console.error(`line-stats: ${NO_INPUT}`);
  process.exit(1);
}
if (stdin !== null) {
  count(stdin);
}
if (clients !== null) {
  listen(clients);
}

// It does not catch up: after a delay it prints one summary, not several.
setInterval(() => print("summary"), SUMMARY_EVERY).unref();

// The embedder may wake it at any time.
granted(() => new uv.Async({ name: "print", callback: () => print("summary") }))?.dereference();

// SIGHUP starts afresh, SIGINT and SIGTERM end the filter.
watchSignal("SIGHUP", () => {
  print("reset");
  stats = new Stats();
});
watchSignal("SIGINT", endInputs);
watchSignal("SIGTERM", endInputs);

process.on("exit", (code) => {
  if (code === 0) {
    print("final summary");
  }
});
