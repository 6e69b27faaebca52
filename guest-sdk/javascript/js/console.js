// console: standard output for what a script reports, standard error for its troubles.

import native from "runtime:native";
import { format, inspect } from "runtime:inspect";

const counts = new Map();
const times = new Map();
let margin = "";

function print(descriptor, text) {
  native.write(
    descriptor,
    margin === "" ? `${text}\n` : `${margin}${text.replaceAll("\n", `\n${margin}`)}\n`,
  );
}

const out = (...args) => print(1, format(...args));
const err = (...args) => print(2, format(...args));

/** Milliseconds in the unit that suits them. */
function duration(ms) {
  if (ms >= 60_000) {
    const minutes = Math.floor(ms / 60_000);
    const seconds = (ms % 60_000) / 1000;
    return `${minutes}:${seconds.toFixed(3).padStart(6, "0")} (m:ss.mmm)`;
  }
  return ms >= 1000 ? `${(ms / 1000).toFixed(3)}s` : `${Number(ms.toFixed(3))}ms`;
}

function elapsed(label) {
  const start = times.get(label);
  if (start === undefined) {
    err(`Warning: No such label '${label}' for console.time()`);
    return undefined;
  }
  return `${label}: ${duration(performance.now() - start)}`;
}

function table(data, columns) {
  if (data === null || typeof data !== "object") {
    out(data);
    return;
  }
  const isMap = data instanceof Map;
  const list = isMap
    ? [...data]
    : data instanceof Set
      ? [...data].map((one, at) => [at, one])
      : Object.entries(data);
  const index = data instanceof Map || data instanceof Set ? "(iteration index)" : "(index)";
  const keys = [];
  let hasValues = false;
  for (const [, row] of list) {
    if (row !== null && typeof row === "object") {
      for (const key of Object.keys(row)) {
        if (!keys.includes(key)) {
          keys.push(key);
        }
      }
    } else {
      hasValues = true;
    }
  }
  const shownKeys = columns ?? keys;
  const cell = (value) => inspect(value, { depth: 0 });
  const rows = list.map(([key, row]) => {
    const isObject = row !== null && typeof row === "object";
    const cells = shownKeys.map((name) =>
      isObject && Object.hasOwn(row, name) ? cell(row[name]) : "",
    );
    return [String(key), ...cells, ...(hasValues ? [isObject ? "" : cell(row)] : [])];
  });
  const head = [index, ...shownKeys, ...(hasValues ? ["Values"] : [])];
  const widths = head.map(
    (name, at) => Math.max(name.length, ...rows.map((row) => row[at].length)) + 2,
  );
  const line = (cells) => `│${cells.map((text, at) => ` ${text}`.padEnd(widths[at])).join("│")}│`;
  const rule = (left, middle, right) =>
    left + widths.map((width) => "─".repeat(width)).join(middle) + right;
  out(
    [
      rule("┌", "┬", "┐"),
      line(head),
      rule("├", "┼", "┤"),
      ...rows.map(line),
      rule("└", "┴", "┘"),
    ].join("\n"),
  );
}

export const console = {
  log: out,
  info: out,
  debug: out,
  error: err,
  warn: err,
  dir: (value, options) => print(1, inspect(value, options)),
  table,
  trace(...args) {
    const { stack } = new Error();
    err(
      `Trace${args.length > 0 ? `: ${format(...args)}` : ""}\n${stack.slice(stack.indexOf("\n") + 1)}`,
    );
  },
  assert(isTrue, ...args) {
    if (!isTrue) {
      if (typeof args[0] === "string") {
        args[0] = `Assertion failed: ${args[0]}`;
        err(...args);
      } else {
        err("Assertion failed", ...args);
      }
    }
  },
  count(label = "default") {
    label = `${label}`;
    counts.set(label, (counts.get(label) ?? 0) + 1);
    out(`${label}: ${counts.get(label)}`);
  },
  countReset(label = "default") {
    if (!counts.delete(`${label}`)) {
      err(`Warning: Count for '${label}' does not exist`);
    }
  },
  time(label = "default") {
    label = `${label}`;
    if (times.has(label)) {
      err(`Warning: Label '${label}' already exists for console.time()`);
    } else {
      times.set(label, performance.now());
    }
  },
  timeLog(label = "default", ...args) {
    const text = elapsed(`${label}`);
    if (text !== undefined) {
      out(text, ...args);
    }
  },
  timeEnd(label = "default") {
    const text = elapsed(`${label}`);
    if (text !== undefined) {
      out(text);
      times.delete(`${label}`);
    }
  },
  group(...label) {
    if (label.length > 0) {
      out(...label);
    }
    margin += "  ";
  },
  groupEnd() {
    margin = margin.slice(2);
  },
};
console.groupCollapsed = console.group;
console.dirxml = console.log;
