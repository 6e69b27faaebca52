// The module `uv`: the handles of libuv, and what the host has granted.

declare module "uv" {
  /** A call that the loop has refused. `code` is the name of libuv's status: "EAGAIN". */
  export class UVError extends Error {
    readonly code: string;
    readonly errno: number;
    constructor(message: string, code: string, errno: number);
  }

  /** A call on a handle that is closing or closed. */
  export class HandleClosedError extends UVError {
    constructor(message?: string);
  }

  /** A call on a loop that is closed. */
  export class LoopClosedError extends UVError {
    constructor(message?: string);
  }

  /** The numbers of libuv's status codes by their names. */
  export const StatusCode: Readonly<Record<string, number>>;

  /** The numbers of signals by their names. */
  export const Signals: Readonly<Record<SignalName, number>>;

  /** The events of a poll handle, as a set of bits. */
  export const PollEvent: {
    readonly READABLE: 1;
    readonly WRITABLE: 2;
    readonly DISCONNECT: 4;
    readonly PRIORITIZED: 8;
  };

  export type RunMode = "default" | "once" | "nowait";

  /** An event loop. A script has one already, which runs when the main module is evaluated. */
  export class Loop {
    /** Makes a loop that the script runs itself. */
    constructor();
    /** The loop of the script. */
    static readonly default: Loop;
    /** Runs the loop, and returns whether it is still alive. **Blocks** for as long as the mode says. */
    run(mode?: RunMode): boolean;
    stop(): void;
    close(): void;
    readonly closed: boolean;
    readonly alive: boolean;
    /** The loop's time in milliseconds, from an arbitrary start. */
    readonly now: number;
    updateTime(): void;
    /** How long the loop would wait, in milliseconds: null is without a limit. */
    getTimeout(): number | null;
    /** The handles of this module that are not closed. */
    readonly handles: Handle[];
    closeAllHandles(): void;
  }

  /** The members of all kinds of handles. */
  export abstract class Handle {
    /** Called with the handle, when it is closed. */
    onClosed: ((handle: this) => void) | null;
    readonly loop: Loop;
    readonly active: boolean;
    readonly closing: boolean;
    readonly closed: boolean;
    readonly referenced: boolean;
    /** The loop goes on for this handle while it is active. */
    reference(): void;
    /** The loop does not go on for this handle alone. */
    dereference(): void;
    /** The number of the descriptor: of poll handles only. */
    fileno(): number;
    stop(): void;
    /** Closes the handle. Its close callback comes in a later phase of the loop. */
    close(onClosed?: (handle: this) => void): void;
    [Symbol.dispose](): void;
    /** Closes the handle, and waits for its close callback. */
    [Symbol.asyncDispose](): Promise<void>;
  }

  /** Called when its time has come, once or again and again. */
  export class Timer extends Handle {
    constructor(loop?: Loop);
    callback: ((timer: this) => void) | null;
    /** Starts the timer: due in `timeout` milliseconds, and then every `repeat` unless that is 0. */
    start(timeout: number, callback?: (timer: this) => void, repeat?: number): void;
    again(): void;
    repeat: number;
    readonly dueIn: number;
  }

  /** Called in every iteration, and keeps the loop from waiting. */
  export class Idle extends Handle {
    constructor(loop?: Loop);
    callback: ((handle: this) => void) | null;
    start(callback?: (handle: this) => void): void;
  }

  /** Called in every iteration, before the loop waits. */
  export class Prepare extends Handle {
    constructor(loop?: Loop);
    callback: ((handle: this) => void) | null;
    start(callback?: (handle: this) => void): void;
  }

  /** Called in every iteration, after the loop has waited. */
  export class Check extends Handle {
    constructor(loop?: Loop);
    callback: ((handle: this) => void) | null;
    start(callback?: (handle: this) => void): void;
  }

  /** Called after `send`, also by the host when the handle has a name. */
  export class Async extends Handle implements AsyncIterable<Uint8Array> {
    constructor(options?: { name?: string; loop?: Loop; callback?: (handle: Async) => void });
    callback: ((handle: this) => void) | null;
    send(callback?: (handle: this) => void): void;
    /** Takes the oldest message of the host, null when there is none. */
    receive(): Uint8Array | null;
    /** Settles with the next send. */
    sent(): Promise<void>;
    /** The next message of the host, or undefined once the handle is closed. */
    message(): Promise<Uint8Array | undefined>;
    [Symbol.asyncIterator](): AsyncIterator<Uint8Array>;
  }

  /** The name of a signal that a handle can watch. */
  export type SignalName = `SIG${string}`;

  /** Called when the process gets a signal. */
  export class Signal extends Handle implements AsyncIterable<number> {
    constructor(loop?: Loop);
    callback: ((handle: this, signum: number) => void) | null;
    start(signal: SignalName | number, callback?: (handle: this, signum: number) => void): void;
    startOneshot(
      signal: SignalName | number,
      callback?: (handle: this, signum: number) => void,
    ): void;
    /** The number of the signal that is watched, 0 for none. */
    readonly signum: number;
    /** The number of the next signal that is delivered, or undefined once the handle is closed. */
    delivered(): Promise<number | undefined>;
    [Symbol.asyncIterator](): AsyncIterator<number>;
  }

  /** Called when a descriptor is ready. */
  export class Poll extends Handle implements AsyncIterable<number> {
    static readonly READABLE: 1;
    static readonly WRITABLE: 2;
    static readonly DISCONNECT: 4;
    static readonly PRIORITIZED: 8;
    constructor(descriptor: Descriptor, loop?: Loop);
    callback: ((handle: this, status: number, events: number) => void) | null;
    readonly descriptor: Descriptor;
    /** Watches for events. A status that is not 0 is an error. */
    start(events?: number, callback?: (handle: this, status: number, events: number) => void): void;
    /** The events of the next call. */
    ready(events?: number): Promise<number>;
    [Symbol.asyncIterator](): AsyncIterator<number>;
  }

  /** Bytes that were read. Their text is what they say. */
  export interface Bytes extends Uint8Array {
    toString(encoding?: string): string;
  }

  export type Data = string | Uint8Array | ArrayBufferView | ArrayBuffer;

  /** A descriptor that the host has granted: a socket, a connection, a pipe. */
  export class Descriptor {
    private constructor();
    static open(name: string): Descriptor;
    /** At most so many bytes. No bytes are the end of the input. */
    read(size?: number): Bytes;
    /** Writes what fits now, and returns how many bytes that were. */
    write(data: Data): number;
    receiveFrom(size?: number): { data: Bytes; address: string };
    sendTo(data: Data, address: string): number;
    accept(): Descriptor;
    shutdown(how?: "read" | "write" | "both"): void;
    readonly localAddress: string;
    readonly peerAddress: string;
    sendBufferSize: number;
    receiveBufferSize: number;
    fileno(): number;
    close(): void;
    [Symbol.dispose](): void;
  }

  /** A descriptor that is read and written by promises. It has the descriptor to itself. */
  export class Stream implements AsyncIterable<Bytes> {
    constructor(descriptor: Descriptor);
    static open(name: string): Stream;
    readonly descriptor: Descriptor;
    /** The bytes that `write` has been given, and the other side has had no room for yet. */
    readonly unwritten: number;
    readonly closed: boolean;
    /** The next bytes. Null is the end: of the input, or of a closed stream. */
    read(size?: number): Promise<Bytes | null>;
    /** Writes all of it, behind what was written before. */
    write(data: Data): Promise<void>;
    /** Ends the output, behind what was written before. */
    end(data?: Data): Promise<void>;
    /** The lines of the text that is read, without their ends. A longer one is a RangeError. */
    lines(options?: { longest?: number }): AsyncGenerator<string>;
    /** Closes the descriptor at once. */
    close(): void;
    [Symbol.asyncIterator](): AsyncIterator<Bytes>;
    [Symbol.dispose](): void;
  }

  /** A listening socket, whose connections are streams. */
  export class Server implements AsyncIterable<Stream> {
    constructor(descriptor: Descriptor);
    static open(name: string): Server;
    readonly descriptor: Descriptor;
    readonly closed: boolean;
    /** Listens no longer. An iteration ends. */
    close(): void;
    [Symbol.asyncIterator](): AsyncIterator<Stream>;
    [Symbol.dispose](): void;
  }

  /** Opens what the host granted under this name. */
  export function open(name: string): Descriptor;

  /** Sends the named async handle of another guest, which the host has connected. */
  export class AsyncSender {
    constructor(name: string);
    send(): void;
    sendMessage(data: Data): void;
  }

  const uv: {
    UVError: typeof UVError;
    HandleClosedError: typeof HandleClosedError;
    LoopClosedError: typeof LoopClosedError;
    StatusCode: typeof StatusCode;
    Signals: typeof Signals;
    PollEvent: typeof PollEvent;
    Loop: typeof Loop;
    Handle: typeof Handle;
    Timer: typeof Timer;
    Idle: typeof Idle;
    Prepare: typeof Prepare;
    Check: typeof Check;
    Async: typeof Async;
    Signal: typeof Signal;
    Poll: typeof Poll;
    Descriptor: typeof Descriptor;
    AsyncSender: typeof AsyncSender;
    Stream: typeof Stream;
    Server: typeof Server;
    open: typeof open;
  };
  export default uv;
}
