// The modules with Node's names. Each can be imported without `node:` too.

declare module "node:timers" {
  const timers: {
    setTimeout: typeof setTimeout;
    setInterval: typeof setInterval;
    setImmediate: typeof setImmediate;
    clearTimeout: typeof clearTimeout;
    clearInterval: typeof clearInterval;
    clearImmediate: typeof clearImmediate;
  };
  export default timers;
}

declare module "node:timers/promises" {
  export interface Options {
    signal?: AbortSignal;
    ref?: boolean;
  }
  export function setTimeout<T = void>(delay?: number, value?: T, options?: Options): Promise<T>;
  export function setImmediate<T = void>(value?: T, options?: Options): Promise<T>;
  export function setInterval<T = void>(
    delay?: number,
    value?: T,
    options?: Options,
  ): AsyncGenerator<T>;
  export const scheduler: {
    wait(delay: number, options?: Options): Promise<void>;
    yield(): Promise<void>;
  };
}

declare module "node:events" {
  export class EventEmitter {
    on(name: string | symbol, listener: (...args: any[]) => void): this;
    once(name: string | symbol, listener: (...args: any[]) => void): this;
    off(name: string | symbol, listener: (...args: any[]) => void): this;
    prependListener(name: string | symbol, listener: (...args: any[]) => void): this;
    removeAllListeners(name?: string | symbol): this;
    emit(name: string | symbol, ...args: unknown[]): boolean;
    listeners(name: string | symbol): ((...args: any[]) => void)[];
    listenerCount(name: string | symbol): number;
    eventNames(): (string | symbol)[];
  }
  export function once(
    emitter: EventEmitter | EventTarget,
    name: string,
    options?: { signal?: AbortSignal },
  ): Promise<any[]>;
  export default EventEmitter;
}

declare module "node:process" {
  const value: typeof process;
  export default value;
}

declare module "node:readline/promises" {
  import { EventEmitter } from "node:events";
  export interface InterfaceOptions {
    input: AsyncIterable<string | Uint8Array>;
    output?: { write(text: string): unknown };
    prompt?: string;
    signal?: AbortSignal;
  }
  class Lines extends EventEmitter implements AsyncIterable<string>, Disposable {
    readonly closed: boolean;
    readonly terminal: boolean;
    prompt(): void;
    getPrompt(): string;
    setPrompt(prompt: string): void;
    pause(): this;
    resume(): this;
    close(): void;
    [Symbol.asyncIterator](): AsyncIterator<string>;
    [Symbol.dispose](): void;
  }
  export class Interface extends Lines {
    question(query: string, options?: { signal?: AbortSignal }): Promise<string>;
  }
  export { Lines };
  export function createInterface(
    input: InterfaceOptions | AsyncIterable<string | Uint8Array>,
    output?: { write(text: string): unknown },
  ): Interface;
}

declare module "node:readline" {
  import * as promises from "node:readline/promises";
  export class Interface extends promises.Lines {
    question(query: string, callback: (answer: string) => void): void;
    question(query: string, options: object, callback: (answer: string) => void): void;
  }
  export function createInterface(
    input: promises.InterfaceOptions | AsyncIterable<string | Uint8Array>,
    output?: { write(text: string): unknown },
  ): Interface;
  export { promises };
}

declare module "node:url" {
  const URLClass: typeof URL;
  const URLSearchParamsClass: typeof URLSearchParams;
  export { URLClass as URL, URLSearchParamsClass as URLSearchParams };
  export function fileURLToPath(url: string | URL): string;
}

declare module "node:util" {
  export function inspect(value: unknown, options?: { depth?: number | null }): string;
  export function format(...values: unknown[]): string;
  export function promisify(original: (...args: any[]) => void): (...args: any[]) => Promise<any>;
}

declare module "timers" {
  export { default } from "node:timers";
}
declare module "timers/promises" {
  export * from "node:timers/promises";
}
declare module "events" {
  export * from "node:events";
  export { default } from "node:events";
}
declare module "process" {
  export { default } from "node:process";
}
declare module "readline" {
  export * from "node:readline";
}
declare module "readline/promises" {
  export * from "node:readline/promises";
}
declare module "url" {
  export * from "node:url";
}
declare module "util" {
  export * from "node:util";
}
