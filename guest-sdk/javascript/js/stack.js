// Stacks of errors, in the form of V8, without the frames of the runtime itself.

import native from "runtime:native";

/** Files of the runtime, and places inside a text that is no file. */
const INTERNAL = /^(runtime:|node:|uv$|<input>$)/;

Error.stackTraceLimit = 20;
Error.prepareStackTrace = (error, sites) => {
  const lines = [headOf(error)];
  for (const site of sites) {
    const file = site.getFileName();
    if (file !== null && !INTERNAL.test(file)) {
      const place = site.isNative()
        ? "<anonymous>"
        : `${file}:${site.getLineNumber()}:${site.getColumnNumber()}`;
      const name = site.getFunctionName();
      const isNamed = name && name !== "<anonymous>" && name !== "<eval>";
      lines.push(isNamed ? `    at ${name} (${place})` : `    at ${place}`);
    }
  }
  return lines.join("\n");
};

function headOf(error) {
  try {
    const { name, code } = error;
    const isCoded = typeof code === "string" && code.startsWith("ERR_");
    return isCoded && error.message !== ""
      ? `${name} [${code}]: ${error.message}`
      : Error.prototype.toString.call(error);
  } catch {
    return "Error";
  }
}

/** The line of the script that an error comes from, with a mark under it, or nothing. */
export function excerptFor(error) {
  const stack = error instanceof Error && typeof error.stack === "string" ? error.stack : "";
  const place = /^ {4}at (?:.* \()?(.+):(\d+):(\d+)\)?$/m.exec(stack);
  if (place === null) {
    return "";
  }
  const [, file, line, column] = place;
  const text = native.sourceLine(file, Number(line));
  if (text === undefined || text.length > 500) {
    return "";
  }
  const margin = text.slice(0, Number(column) - 1).replace(/[^\t]/g, " ");
  return `${file}:${line}\n${text}\n${margin}^\n\n`;
}
