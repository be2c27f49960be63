/**
 * Envelopes as bytes, one after the other in the same buffer: they are copied into a batch at once. A message that goes to several
 * replicas, as an accept does, is written once; then only the receiver in it changes.
 */
import { WireWriter } from "@khonsu/cluster/wire";
import type { Envelope, Message } from "@khonsu/paxos";
import { writeEnvelope } from "./envelope-codec.ts";

/** Where the receiver stands: behind the sender and two tags. A 0, which is no replica, would not be written at all. */
const TO_AT = 10;
const TWO_32 = 0x1_0000_0000;
const CAPACITY = 4096;
/** A buffer that has become larger for one message is not kept. */
const CAPACITY_MAX = 2 ** 18;

export class EnvelopeEncoder {
  #writer = new WireWriter(CAPACITY);
  #from: number | undefined;
  #message: Message | undefined;
  #bytes: Uint8Array = new Uint8Array();

  /** The bytes of an envelope: a view that the next call overwrites. Messages are taken as what they are typed, unchanging. */
  encode(envelope: Envelope): Uint8Array {
    const { from, message, to } = envelope;
    if (message === this.#message && from === this.#from && to !== 0) {
      setReceiver(this.#bytes, to);
      return this.#bytes;
    }
    if (this.#writer.capacity > CAPACITY_MAX) this.#writer = new WireWriter(CAPACITY);
    this.#writer.reset();
    this.#message = undefined;
    writeEnvelope(this.#writer, envelope);
    this.#bytes = this.#writer.finish();
    this.#from = from;
    if (from !== 0 && to !== 0) this.#message = message;
    return this.#bytes;
  }
}

function setReceiver(bytes: Uint8Array, to: number): void {
  const low = to % TWO_32;
  const high = Math.floor(to / TWO_32);
  for (let i = 0; i < 4; i++) {
    bytes[TO_AT + i] = low >>> (8 * i);
    bytes[TO_AT + 4 + i] = high >>> (8 * i);
  }
}
