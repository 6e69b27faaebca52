// The module `url`.

const { URL, URLSearchParams } = globalThis;

export { URL, URLSearchParams };

/** The path of a `file:` address. */
export function fileURLToPath(url) {
  const { protocol, pathname } = new URL(url);
  if (protocol !== "file:") {
    throw new TypeError("The URL must be of scheme file");
  }
  return decodeURIComponent(pathname);
}

export default { URL, URLSearchParams, fileURLToPath };
