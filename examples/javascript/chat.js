// A chat server: a line of one client goes to all others.
//
//   uv-run --listen clients=127.0.0.1:7000 --signal int,term examples/javascript/chat.js
//   nc 127.0.0.1 7000
//
// Each client has an async function of its own. A client that reads too slowly is let go.

import { Server } from "uv";

/** Characters of a line. A client that says more at once is let go. */
const LONGEST_LINE = 10_000;

/** Bytes that wait for a client, before it is let go. */
const MOST_UNREAD = 64 * 1024;

/** The clients that are connected, and their names. */
const clients = new Map();
let count = 0;

async function serve(client) {
  count += 1;
  const name = `guest ${count}`;
  tell(`${name} has come`);
  clients.set(client, name);
  write(client, `you are ${name}, with ${clients.size - 1} others`);
  try {
    for await (const line of client.lines({ longest: LONGEST_LINE })) {
      say(client, line);
    }
  } catch (error) {
    // It was reset, or has said too much.
    console.error(`${name}: ${error.message}`);
  } finally {
    leave(client);
  }
}

function say(speaker, line) {
  for (const client of clients.keys()) {
    if (client !== speaker) {
      write(client, `${clients.get(speaker)}: ${line}`);
    }
  }
}

function tell(text) {
  console.log(text);
  for (const client of clients.keys()) {
    write(client, text);
  }
}

function write(client, line) {
  if (client.unwritten > MOST_UNREAD) {
    client.close();
    return;
  }
  // The client's own function meets the same error.
  client.write(`${line}\n`).catch(() => client.close());
}

function leave(client) {
  const name = clients.get(client);
  clients.delete(client);
  client.close();
  if (name !== undefined) {
    tell(`${name} has left`);
  }
}

const server = Server.open("clients");

async function close() {
  server.close();
  tell("the server closes");
  const leaving = [...clients.keys()];
  clients.clear();
  // Until everything that was written is out.
  await Promise.allSettled(leaving.map((client) => client.end()));
  leaving.forEach((client) => client.close());
}

for (const name of ["SIGINT", "SIGTERM"]) {
  try {
    process.once(name, close);
  } catch (error) {
    if (error.code !== "EACCES") {
      throw error; // One that is not granted ends uv-run.
    }
  }
}

for await (const client of server) {
  serve(client);
}
