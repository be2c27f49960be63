/**
 * What waits to be sent on one stream. Frames are written into the batch that is to go next as they come, so a batch costs one
 * buffer however many they are; it leaves once the stream has taken the one before, when it is time (`departure.ts`). Bounded: what
 * does not fit is not taken (WIRE-7). In order (WIRE-10).
 */

import { WireWriter } from "@khonsu/cluster/wire";
import type { TransportError } from "../errors.ts";
import type { FrameKind } from "../gen/khonsu/peer/v1/peer_pb.ts";
import { sealed } from "./batch-message.ts";
import { NodeDeparture } from "./departure.ts";
import { FRAME_OVERHEAD, writeFrame } from "./frames.ts";
import type { PeerStream } from "./peer-stream.ts";
import type { TrafficCounter } from "./status.ts";

export interface QueueLimits {
  readonly batchBytesMax: number;
  readonly queueBytesMax: number;
}

const CAPACITY_MIN = 1024;

interface OpenBatch {
  readonly writer: WireWriter;
  frames: number;
}

export class FrameQueue {
  readonly #limits: QueueLimits;
  readonly #sent: TrafficCounter;
  /** Those that are full, in order; then the one that is open. */
  readonly #full: OpenBatch[] = [];
  #open: OpenBatch | undefined;
  #bytes = 0;
  #spare: WireWriter | undefined;
  #isEnded = false;
  #error: TransportError | undefined;
  #stream: Pick<PeerStream, "write" | "end"> | undefined;
  /** The stream has taken as much as it wants, for now. */
  #isPaused = false;
  #isFlushing = false;
  readonly #departure = new NodeDeparture();

  constructor(limits: QueueLimits, sent: TrafficCounter) {
    this.#limits = limits;
    this.#sent = sent;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @returns false if there is no room, or the queue has ended; then nothing was taken. */
  push(kind: FrameKind, number: number, name: string, body: Uint8Array): boolean {
    const size = body.length + FRAME_OVERHEAD;
    if (this.#isEnded) return false;
    // A queue that is empty takes any frame: its size has a limit of its own.
    if (this.#bytes > 0 && this.#bytes + size > this.#limits.queueBytesMax) return false;
    this.#open ??= { writer: this.#writer(), frames: 0 };
    const { writer } = this.#open;
    const before = writer.length;
    writeFrame(writer, kind, number, name, body);
    this.#open.frames++;
    this.#bytes += writer.length - before;
    if (writer.length >= this.#limits.batchBytesMax) {
      this.#full.push(this.#open);
      this.#open = undefined;
    }
    this.#flushLater();
    return true;
  }

  /** Sends by `stream` what waits and what comes, for good. */
  sendBy(stream: Pick<PeerStream, "write" | "end">): void {
    this.#stream = stream;
    if (this.#isEnded) stream.end(this.#error);
    else if (this.#bytes > 0) this.#flushLater();
  }

  /** The stream has room again. */
  resume(): void {
    this.#isPaused = false;
    if (this.#bytes > 0) this.#flushLater();
  }

  /** Ends the stream: in good order, or with an error for the other side. What waits is dropped. */
  end(error?: TransportError): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#error = error;
    this.#full.length = 0;
    this.#open = undefined;
    this.#bytes = 0;
    this.#stream?.end(error);
  }

  #flushLater(): void {
    if (this.#isFlushing || this.#isPaused || this.#stream === undefined) return;
    this.#isFlushing = true;
    this.#departure.schedule(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushing = false;
    while (!this.#isPaused && !this.#isEnded) {
      const batch = this.#take();
      if (batch === undefined) return;
      this.#departure.hasLeft(batch.frames);
      const message = sealed(batch.writer.finish());
      // The message is a copy: the buffer serves again.
      this.#spare = batch.writer;
      this.#isPaused = !this.#stream!.write(message);
    }
  }

  #take(): OpenBatch | undefined {
    let batch = this.#full.shift();
    if (batch === undefined) {
      batch = this.#open;
      this.#open = undefined;
    }
    if (batch === undefined) return undefined;
    this.#bytes -= batch.writer.length;
    this.#sent.count(batch.frames, batch.writer.length);
    return batch;
  }

  /** The buffer of a batch that has left, if there is one and it is not out of the ordinary. */
  #writer(): WireWriter {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare === undefined || spare.capacity > 4 * this.#limits.batchBytesMax)
      return new WireWriter(CAPACITY_MIN);
    spare.reset();
    return spare;
  }
}
