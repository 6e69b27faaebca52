// Connections to async handles of other guests.

import native from "runtime:native";
import { bytesToWrite } from "runtime:uv/bytes";

/** Sends the named async handle of another guest, which the host has connected. */
export class AsyncSender {
  #number;

  constructor(name) {
    this.#number = native.openSender(String(name));
  }

  send() {
    native.senderSend(this.#number, undefined);
  }

  sendMessage(data) {
    native.senderSend(this.#number, bytesToWrite(data));
  }
}
