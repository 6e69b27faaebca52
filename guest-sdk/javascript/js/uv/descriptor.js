// Descriptors.

import native from "runtime:native";
import { asRead } from "runtime:bytes";
import { bytesToWrite } from "runtime:uv/bytes";

const KEY = Symbol("key");
const CLOSED = 2 ** 32 - 1;

/** A descriptor that the host has granted: a socket, a connection, a pipe. */
export class Descriptor {
  #number;

  constructor(number, key) {
    if (key !== KEY) {
      throw new TypeError("A descriptor is opened with Descriptor.open");
    }
    this.#number = number;
  }

  /** Opens what the host granted under this name. */
  static open(name) {
    return new Descriptor(native.openDescriptor(String(name)), KEY);
  }

  /** At most so many bytes. No bytes are the end of the input. */
  read(size = 65536) {
    return asRead(native.descriptorRead(this.#number, size));
  }

  /** Writes what fits now, and returns how many bytes that were. */
  write(data) {
    return native.descriptorWrite(this.#number, bytesToWrite(data));
  }

  /** A datagram: its bytes and the address of its sender. */
  receiveFrom(size = 65536) {
    const datagram = native.descriptorReceiveFrom(this.#number, size);
    asRead(datagram.data);
    return datagram;
  }

  sendTo(data, address) {
    return native.descriptorSendTo(this.#number, bytesToWrite(data), String(address));
  }

  /** A connection that waits at a listening socket. */
  accept() {
    return new Descriptor(native.descriptorAccept(this.#number), KEY);
  }

  /** Shuts down one side of a connection, `read` or `write`, or `both`. */
  shutdown(how = "both") {
    native.descriptorShutdown(this.#number, String(how));
  }

  get localAddress() {
    return native.descriptorLocalAddress(this.#number);
  }

  get peerAddress() {
    return native.descriptorPeerAddress(this.#number);
  }

  get sendBufferSize() {
    return native.descriptorBufferSize(this.#number, true);
  }

  set sendBufferSize(size) {
    native.descriptorSetBufferSize(this.#number, true, size);
  }

  get receiveBufferSize() {
    return native.descriptorBufferSize(this.#number, false);
  }

  set receiveBufferSize(size) {
    native.descriptorSetBufferSize(this.#number, false, size);
  }

  fileno() {
    return native.descriptorFileno(this.#number);
  }

  close() {
    native.descriptorClose(this.#number);
    // A number that is used again must not reach another descriptor.
    this.#number = CLOSED;
  }

  [Symbol.dispose]() {
    this.close();
  }

  static _number(descriptor) {
    return descriptor.#number;
  }
}
/** Opens what the host granted under this name. */
export function open(name) {
  return Descriptor.open(name);
}
