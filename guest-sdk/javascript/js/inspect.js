// Values as text, in the form that Node's console shows them.

import native from "runtime:native";

/** The width of a line. */
const LINE = 80;
/** How many entries of a list are shown. */
const ENTRIES = 100;
/** How deep objects are shown. */
const DEPTH = 2;

const custom = Symbol.for("nodejs.util.inspect.custom");

/** Formats the arguments of `console.log`. */
export function format(...args) {
  let text = "";
  let next = 0;
  if (typeof args[0] === "string") {
    next = 1;
    text =
      args.length === 1
        ? args[0]
        : args[0].replace(/%[sdifjoOc%]/g, (placeholder) => {
            if (placeholder === "%%") {
              return "%";
            }
            if (next === args.length) {
              return placeholder;
            }
            return placed(placeholder, args[next++]);
          });
  }
  for (; next < args.length; next += 1) {
    const arg = args[next];
    text += (next === 0 ? "" : " ") + (typeof arg === "string" ? arg : inspect(arg));
  }
  return text;
}

function placed(placeholder, value) {
  switch (placeholder) {
    case "%s":
      if (typeof value === "bigint") {
        return `${value}n`;
      }
      if (typeof value === "object" && value !== null && !hasOwnToString(value)) {
        return inspect(value, { depth: 0 });
      }
      return Object.is(value, -0) ? "-0" : String(value);
    case "%d":
      return typeof value === "bigint"
        ? `${value}n`
        : typeof value === "symbol" || typeof value === "object"
          ? "NaN"
          : number(Number(value));
    case "%i":
      return typeof value === "bigint"
        ? `${value}n`
        : typeof value === "symbol" || typeof value === "object"
          ? "NaN"
          : number(parseInt(value));
    case "%f":
      return typeof value === "symbol" ? "NaN" : number(parseFloat(value));
    case "%j":
      try {
        return String(JSON.stringify(value));
      } catch {
        return "[Circular]";
      }
    case "%o":
      return inspect(value, { depth: 4 });
    case "%O":
      return inspect(value);
    default:
      return ""; // %c: there are no styles.
  }
}

function hasOwnToString(value) {
  return (
    value.toString !== Object.prototype.toString &&
    value.toString !== Error.prototype.toString &&
    typeof value.toString === "function" &&
    !Array.isArray(value)
  );
}

/** A value as text. */
export function inspect(value, options = {}) {
  const context = {
    depth: options?.depth === null ? Infinity : (options?.depth ?? DEPTH),
    path: [],
    circular: new Map(),
    /** The level of the object that was shown last. */
    deepest: 0,
  };
  return show(context, value, 0, 0);
}
inspect.custom = custom;

function show(context, value, level, indent) {
  switch (typeof value) {
    case "string":
      return quoted(value);
    case "number":
      return number(value);
    case "bigint":
      return `${value}n`;
    case "undefined":
    case "boolean":
      return String(value);
    case "symbol":
      return value.toString();
    default:
      return value === null ? "null" : object(context, value, level, indent);
  }
}

function number(value) {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** A string in the quotes that it does not contain. */
function quoted(text) {
  const quote = !text.includes("'")
    ? "'"
    : !text.includes('"')
      ? '"'
      : !text.includes("`") && !text.includes("${")
        ? "`"
        : "'";
  const escapes = {
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
    "\b": "\\b",
    "\f": "\\f",
    "\v": "\\v",
    "\\": "\\\\",
  };
  const escaped = text.replace(/[\x00-\x1f\x7f-\x9f\\'"`]|[\ud800-\udfff]/gu, (c) => {
    if (c === "'" || c === '"' || c === "`") {
      return c === quote ? `\\${c}` : c;
    }
    const code = c.charCodeAt(0);
    return (
      escapes[c] ??
      (code > 0xff
        ? `\\u${code.toString(16).toUpperCase()}`
        : `\\x${code.toString(16).toUpperCase().padStart(2, "0")}`)
    );
  });
  return quote + escaped + quote;
}

function object(context, value, level, indent) {
  if (context.path.includes(value)) {
    if (!context.circular.has(value)) {
      context.circular.set(value, context.circular.size + 1);
    }
    return `[Circular *${context.circular.get(value)}]`;
  }
  if (native.isProxy(value)) {
    return "[Proxy]";
  }
  const own = value[custom];
  if (typeof own === "function" && own !== inspect) {
    const shown = own.call(value, context.depth - level, { depth: context.depth - level }, inspect);
    if (shown !== value) {
      return typeof shown === "string"
        ? shown.replaceAll("\n", `\n${" ".repeat(indent)}`)
        : show(context, shown, level, indent);
    }
  }
  const { opening, entries, braces, isList } = parts(context, value, level, indent);
  if (level > context.depth) {
    return braces[0] === "["
      ? "[Array]"
      : braces.length === 0 && entries.length === 0
        ? opening
        : `[${opening.trim() || "Object"}]`;
  }
  context.deepest = level;
  context.path.push(value);
  const shown = entries.map((entry) => entry());
  context.path.pop();
  const mark = context.circular.has(value) ? `<ref *${context.circular.get(value)}> ` : "";
  if (braces.length === 0) {
    return (
      mark +
      (shown.length === 0
        ? opening
        : joined(context, shown, opening, ["{", "}"], level, indent, false, value))
    );
  }
  const around = [opening + braces[0], braces[1]];
  return (
    mark +
    (shown.length === 0
      ? around.join("")
      : joined(context, shown, "", around, level, indent, isList, value))
  );
}

/** On one line if it is short and not too deep, else on several. */
function joined(context, shown, base, braces, level, indent, isList, value) {
  const lines = isList && shown.length > 6 ? grouped(shown, indent, value) : shown;
  const start = base === "" ? braces[0] : `${base} ${braces[0]}`;
  if (context.deepest - level < 3 && lines.length === shown.length) {
    const length = shown.reduce((sum, entry) => sum + entry.length, 0);
    const line = `${start} ${shown.join(", ")} ${braces[1]}`;
    if (
      length + 2 * shown.length + indent + braces[0].length + base.length + 10 <= LINE &&
      !line.includes("\n")
    ) {
      return line;
    }
  }
  const margin = `\n${" ".repeat(indent)}`;
  return `${start}${margin}  ${lines.join(`,${margin}  `)}${margin}${braces[1]}`;
}

/** Several entries of a long list on each line, in columns. */
function grouped(shown, indent, value) {
  const hasMore = value.length > ENTRIES;
  const entries = hasMore ? shown.slice(0, -1) : shown;
  const lengths = entries.map((entry) => entry.length + 2);
  const longest = Math.max(...lengths);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (longest * 3 + indent >= LINE || !(total / longest > 5 || longest <= 8)) {
    return shown;
  }
  const bias = Math.max(longest - 2 - Math.sqrt(longest - total / entries.length), 1);
  const columns = Math.min(
    Math.round(Math.sqrt(2.5 * bias * entries.length) / bias),
    Math.floor((LINE - indent) / longest),
    12,
    15,
  );
  if (columns <= 1) {
    return shown;
  }
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...lengths.filter((_, at) => at % columns === column)),
  );
  const isNumeric = Array.from(value).every(
    (one) => typeof one === "number" || typeof one === "bigint",
  );
  const lines = [];
  for (let at = 0; at < entries.length; at += columns) {
    const row = entries.slice(at, at + columns);
    const cells = row.map((entry, column) => {
      const isLast = column === row.length - 1;
      if (isNumeric) {
        return (isLast ? entry : `${entry}, `).padStart(
          isLast ? widths[column] - 2 : widths[column],
        );
      }
      return isLast ? entry : `${entry}, `.padEnd(widths[column]);
    });
    lines.push(cells.join(""));
  }
  return hasMore ? [...lines, shown.at(-1)] : lines;
}

/** The name of the class of an object, or null if it has no prototype. */
function nameOf(value) {
  for (let owner = value; owner !== null; owner = Object.getPrototypeOf(owner)) {
    const descriptor = Object.getOwnPropertyDescriptor(owner, "constructor");
    if (
      descriptor !== undefined &&
      typeof descriptor.value === "function" &&
      descriptor.value.name !== ""
    ) {
      return descriptor.value.name;
    }
  }
  return null;
}

/** The parts of an object: the text before its entries, the entries, and the braces around them. */
function parts(context, value, level, indent) {
  const name = nameOf(value);
  const tag = value[Symbol.toStringTag];
  const suffix = typeof tag === "string" && tag !== "" && tag !== name ? ` [${tag}]` : "";
  const prefix = (fallback, size) => {
    const shown = name === null ? `[${fallback}${size}: null prototype]` : `${name}${size}`;
    return `${shown}${suffix} `;
  };
  const inner = (one) => show(context, one, level + 1, indent + 2);
  const properties = (skip) =>
    keysOf(value, skip).map((key) => () => property(context, value, key, level, indent));

  if (Array.isArray(value)) {
    const opening = name === "Array" && suffix === "" ? "" : prefix("Array", `(${value.length})`);
    return {
      opening,
      braces: ["[", "]"],
      isList: true,
      entries: [...elements(value, inner), ...properties(isIndex)],
    };
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return {
      opening: prefix(name, `(${value.length})`),
      braces: ["[", "]"],
      isList: true,
      entries: [...elements(value, inner), ...properties(isIndex)],
    };
  }
  if (value instanceof Set) {
    const entries = [...value].map((one) => () => inner(one));
    return {
      opening: prefix("Set", `(${value.size})`),
      braces: ["{", "}"],
      entries: [...entries, ...properties()],
    };
  }
  if (value instanceof Map) {
    const entries = [...value].map(
      ([key, one]) =>
        () =>
          `${inner(key)} => ${inner(one)}`,
    );
    return {
      opening: prefix("Map", `(${value.size})`),
      braces: ["{", "}"],
      entries: [...entries, ...properties()],
    };
  }
  if (typeof value === "function") {
    return { opening: functionHead(value, name), braces: [], entries: properties() };
  }
  if (value instanceof Error) {
    return {
      opening: errorText(value, indent),
      braces: [],
      entries: errorEntries(context, value, level, indent),
    };
  }
  if (value instanceof RegExp || value instanceof Date) {
    const text =
      value instanceof RegExp
        ? RegExp.prototype.toString.call(value)
        : Number.isNaN(value.getTime())
          ? "Invalid Date"
          : value.toISOString();
    return { opening: text, braces: [], entries: properties() };
  }
  if (value instanceof Promise) {
    const [state, result] = native.promiseState(value);
    const entry =
      state === "pending"
        ? () => "<pending>"
        : () => (state === "rejected" ? `<rejected> ${inner(result)}` : inner(result));
    return {
      opening: prefix("Promise", ""),
      braces: ["{", "}"],
      entries: [entry, ...properties()],
    };
  }
  if (value instanceof WeakMap || value instanceof WeakSet) {
    return { opening: prefix("", ""), braces: ["{", "}"], entries: [() => "<items unknown>"] };
  }
  if (value instanceof ArrayBuffer) {
    const bytes = [...new Uint8Array(value, 0, Math.min(50, value.byteLength))].map((byte) =>
      byte.toString(16).padStart(2, "0"),
    );
    const entries = [
      () => `[Uint8Contents]: <${bytes.join(" ")}>`,
      () => `byteLength: ${value.byteLength}`,
    ];
    return { opening: prefix("ArrayBuffer", ""), braces: ["{", "}"], entries };
  }
  for (const Class of [Number, String, Boolean, Symbol, BigInt]) {
    if (value instanceof Class) {
      const shown = show(context, value.valueOf(), level, indent);
      return {
        opening: `[${Class.name}: ${shown}]`,
        braces: [],
        entries: properties(value instanceof String ? isIndex : undefined),
      };
    }
  }
  const opening = name === "Object" && suffix === "" ? "" : prefix("Object", "");
  return { opening, braces: ["{", "}"], entries: properties() };
}

function isIndex(key) {
  return typeof key === "string" && /^(0|[1-9]\d*)$/.test(key);
}

function keysOf(value, skip) {
  const symbols = Object.getOwnPropertySymbols(value).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key),
  );
  const keys = [...Object.keys(value), ...symbols];
  return skip === undefined ? keys : keys.filter((key) => !skip(key));
}

function elements(list, inner) {
  const entries = [];
  let holes = 0;
  const endHoles = () => {
    if (holes > 0) {
      const text = `<${holes} empty item${holes === 1 ? "" : "s"}>`;
      entries.push(() => text);
      holes = 0;
    }
  };
  let at = 0;
  for (; at < list.length && entries.length < ENTRIES; at += 1) {
    if (at in list) {
      endHoles();
      const one = list[at];
      entries.push(() => inner(one));
    } else {
      holes += 1;
    }
  }
  endHoles();
  const more = list.length - at;
  if (more > 0) {
    entries.push(() => `... ${more} more item${more === 1 ? "" : "s"}`);
  }
  return entries;
}

function property(context, value, key, level, indent) {
  const descriptor = Object.getOwnPropertyDescriptor(value, key);
  const shown =
    descriptor.get !== undefined
      ? descriptor.set !== undefined
        ? "[Getter/Setter]"
        : "[Getter]"
      : descriptor.set !== undefined
        ? "[Setter]"
        : show(context, descriptor.value, level + 1, indent + 2);
  const name =
    typeof key === "symbol"
      ? `[${key.toString()}]`
      : /^[a-zA-Z_$][\w$]*$/.test(key)
        ? key
        : quoted(key);
  return `${name}: ${shown}`;
}

function functionHead(value, name) {
  const text = Function.prototype.toString.call(value);
  if (text.startsWith("class")) {
    const parent = Object.getPrototypeOf(value).name;
    return `[class ${value.name || "(anonymous)"}${parent ? ` extends ${parent}` : ""}]`;
  }
  const kind = name ?? "Function (null prototype)";
  return value.name === "" ? `[${kind} (anonymous)]` : `[${kind}: ${value.name}]`;
}

/** The error's stack, which begins with its name and message. */
export function errorText(error, indent = 0) {
  let text;
  try {
    const { stack } = error;
    text =
      typeof stack === "string" && stack !== ""
        ? stack
        : `[${Error.prototype.toString.call(error)}]`;
  } catch {
    text = "[Error]";
  }
  return indent === 0 ? text : text.replaceAll("\n", `\n${" ".repeat(indent)}`);
}

function errorEntries(context, error, level, indent) {
  const entries = keysOf(error, (key) => key === "stack" || key === "message").map(
    (key) => () => property(context, error, key, level, indent),
  );
  for (const key of ["cause", "errors"]) {
    if (Object.hasOwn(error, key) && !Object.prototype.propertyIsEnumerable.call(error, key)) {
      entries.push(() => `[${key}]: ${show(context, error[key], level + 1, indent + 2)}`);
    }
  }
  return entries;
}
