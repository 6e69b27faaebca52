// A plugin for the plugin server: it counts the words of messages, and prints the most frequent ones.
//
// | key of `[config]` | |
// | --- | --- |
// | `every` | milliseconds from one summary to the next; 1000 unless set |
// | `most` | how many words a summary has; 3 unless set |

import uv from "uv";

const counts = new Map();

export function init({ every = "1000", most = "3" }) {
  const mailbox = new uv.Async({ name: "mailbox", callback: readMessages });
  const summary = setInterval(() => summarize(number("most", most)), number("every", every));
  const stop = new uv.Async({
    name: "stop",
    callback() {
      clearInterval(summary);
      mailbox.close();
      stop.close();
    },
  });
}

/** A message of what is thrown here is the reason why the server does not start the plugin. */
function number(key, text) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`the configuration needs a number for ${key} instead of ${text}`);
  }
  return value;
}

function readMessages(mailbox) {
  for (let bytes = mailbox.receive(); bytes !== null; bytes = mailbox.receive()) {
    for (const word of new TextDecoder().decode(bytes).match(/\w+/g) ?? []) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
}

function summarize(most) {
  if (counts.size > 0) {
    const frequent = [...counts].sort(([, one], [, other]) => other - one).slice(0, most);
    console.log(frequent.map(([word, count]) => `${word}: ${count}`).join(", "));
    counts.clear();
  }
}
