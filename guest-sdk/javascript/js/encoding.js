// TextEncoder and TextDecoder. Decoders know UTF-8, UTF-16 and Latin-1.

import native from "runtime:native";
import { bytesOfBuffer } from "runtime:bytes";
import { wrongType } from "runtime:errors";

/** Text as UTF-8. */
export class TextEncoder {
  get encoding() {
    return "utf-8";
  }

  encode(text = "") {
    return native.encode(String(text).toWellFormed());
  }

  /** As many whole characters as the array has room for. */
  encodeInto(text, array) {
    if (!(array instanceof Uint8Array)) {
      throw wrongType("dest", "an instance of Uint8Array", array);
    }
    let read = 0;
    let written = 0;
    for (const character of String(text).toWellFormed()) {
      const bytes = native.encode(character);
      if (written + bytes.length > array.length) {
        break;
      }
      array.set(bytes, written);
      read += character.length;
      written += bytes.length;
    }
    return { read, written };
  }

  get [Symbol.toStringTag]() {
    return "TextEncoder";
  }
}

const LABELS = {
  "utf-8": [
    "utf8",
    "utf-8",
    "unicode-1-1-utf-8",
    "unicode11utf8",
    "unicode20utf8",
    "x-unicode20utf8",
  ],
  "utf-16le": [
    "utf-16",
    "utf-16le",
    "ucs-2",
    "csunicode",
    "iso-10646-ucs-2",
    "unicode",
    "unicodefeff",
  ],
  "utf-16be": ["utf-16be", "unicodefffe"],
  "windows-1252": [
    "ascii",
    "us-ascii",
    "latin1",
    "iso-8859-1",
    "iso8859-1",
    "l1",
    "windows-1252",
    "cp1252",
    "x-cp1252",
  ],
};

/** Where windows-1252 differs from Latin-1: the characters of the bytes 0x80 to 0x9f. */
const WINDOWS = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";

/** Bytes as text. */
export class TextDecoder {
  #encoding;
  #fatal;
  #ignoreBOM;
  /** Bytes of a character whose other bytes come with the next call. */
  #rest = new Uint8Array();
  #isFirst = true;

  constructor(label = "utf-8", options = {}) {
    const wanted = String(label).trim().toLowerCase();
    this.#encoding = Object.keys(LABELS).find((name) => LABELS[name].includes(wanted));
    if (this.#encoding === undefined) {
      const error = new RangeError(`The "${label}" encoding is not supported`);
      error.code = "ERR_ENCODING_NOT_SUPPORTED";
      throw error;
    }
    this.#fatal = Boolean(options?.fatal);
    this.#ignoreBOM = Boolean(options?.ignoreBOM);
  }

  get encoding() {
    return this.#encoding;
  }

  get fatal() {
    return this.#fatal;
  }

  get ignoreBOM() {
    return this.#ignoreBOM;
  }

  decode(input = new Uint8Array(), { stream = false } = {}) {
    let bytes = bytesOfBuffer(input);
    if (bytes === undefined) {
      throw wrongType("list", "an instance of ArrayBuffer or ArrayBufferView", input);
    }
    if (this.#rest.length > 0) {
      const both = new Uint8Array(this.#rest.length + bytes.length);
      both.set(this.#rest);
      both.set(bytes, this.#rest.length);
      bytes = both;
    }
    const end = stream ? this.#complete(bytes) : bytes.length;
    this.#rest = bytes.slice(end);
    let text = this.#text(bytes.subarray(0, end));
    if (this.#isFirst && text.length > 0) {
      this.#isFirst = false;
      if (!this.#ignoreBOM && text[0] === "\ufeff" && this.#encoding !== "windows-1252") {
        text = text.slice(1);
      }
    }
    if (!stream) {
      this.#isFirst = true;
    }
    return text;
  }

  /** How many of the bytes end with a whole character. */
  #complete(bytes) {
    if (this.#encoding === "utf-8") {
      for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
        const byte = bytes[bytes.length - back];
        if ((byte & 0xc0) !== 0x80) {
          const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
          return length > back ? bytes.length - back : bytes.length;
        }
      }
      return bytes.length;
    }
    if (this.#encoding === "windows-1252") {
      return bytes.length;
    }
    const even = bytes.length & ~1;
    const last = even >= 2 ? this.#unit(bytes, even - 2) : 0;
    return last >= 0xd800 && last <= 0xdbff ? even - 2 : even;
  }

  #unit(bytes, at) {
    return this.#encoding === "utf-16le"
      ? bytes[at] | (bytes[at + 1] << 8)
      : (bytes[at] << 8) | bytes[at + 1];
  }

  #text(bytes) {
    if (this.#encoding === "utf-8") {
      const text = native.decode(bytes, this.#fatal);
      if (text === undefined) {
        throw this.#invalid();
      }
      return text;
    }
    const parts = [];
    if (this.#encoding === "windows-1252") {
      for (const byte of bytes) {
        parts.push(byte >= 0x80 && byte <= 0x9f ? WINDOWS[byte - 0x80] : String.fromCharCode(byte));
      }
      return parts.join("");
    }
    for (let at = 0; at + 1 < bytes.length; at += 2) {
      parts.push(String.fromCharCode(this.#unit(bytes, at)));
    }
    if (bytes.length % 2 === 1) {
      parts.push("\ufffd");
    }
    const text = parts.join("");
    if (this.#fatal && (bytes.length % 2 === 1 || !text.isWellFormed())) {
      throw this.#invalid();
    }
    return text.toWellFormed();
  }

  #invalid() {
    this.#rest = new Uint8Array();
    const error = new TypeError(`The encoded data was not valid for encoding ${this.#encoding}`);
    error.code = "ERR_ENCODING_INVALID_ENCODED_DATA";
    return error;
  }

  get [Symbol.toStringTag]() {
    return "TextDecoder";
  }
}
