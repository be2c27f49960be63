/**
 * Fetches the image of a checkpoint piece by piece, when the entries that a replica needs are trimmed everywhere it asks. The receiver pulls,
 * so there is one piece under way at a time, and it resumes after a crash where its disk says. A piece has its own
 * checksum, the image one over all; an image becomes current by one record, after all its pieces (PX-10).
 */
import type { StagedImage } from "./acceptor-storage.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { crc32c } from "./checksum.ts";
import type { Context } from "./context.ts";
import type { MessageOf } from "./message.ts";
import type { ReplicaId } from "./replica-id.ts";
import type { Slot } from "./slot.ts";

export class ImageTransfer {
  private readonly context: Context;
  private staged: StagedImage | undefined;
  /** Who is asked, and when it was; undefined while no transfer is under way. */
  private source: ReplicaId | undefined;
  private askedAt = 0;
  private askedTimes = 0;
  /** What each source last gave whose pieces did not make the image that it offered, and when. */
  private readonly refused = new Map<ReplicaId, { readonly checkpoint: Checkpoint; readonly at: number }>();

  constructor(context: Context, staged: StagedImage | undefined) {
    this.context = context;
    this.staged = staged;
  }

  /** What has been received of the image that is being fetched. */
  get progress(): StagedImage | undefined {
    return this.source === undefined ? undefined : this.staged;
  }

  get active(): boolean {
    return this.source !== undefined;
  }

  /**
   * A member offers its checkpoint: fetches it, or goes on with the same one if part of it is here. Returns it if all of it was
   * received before a restart.
   */
  onOffer(from: ReplicaId, checkpoint: Checkpoint): Checkpoint | undefined {
    if (this.active && this.source !== from && this.staged!.checkpoint.slot >= checkpoint.slot)
      return undefined;
    if (this.isRefused(from, checkpoint)) return undefined;
    if (this.staged === undefined || !sameImage(this.staged.checkpoint, checkpoint)) {
      this.staged = { checkpoint, received: 0, running: 0 };
    } else if (this.source === from) {
      return undefined; // it is being fetched from there: only pieces are progress, so that a source without any is left
    }
    this.source = from;
    this.askedTimes = 0;
    if (this.staged.received === checkpoint.size) return this.complete(this.staged);
    this.ask();
    return undefined;
  }

  /** A bad image does not take the place of one that comes from elsewhere; if none does, it is tried again after a while. */
  private isRefused(from: ReplicaId, checkpoint: Checkpoint): boolean {
    const refused = this.refused.get(from);
    if (refused === undefined || !sameImage(refused.checkpoint, checkpoint)) return false;
    return this.active || this.context.now - refused.at < 2 * this.context.options.electionTimeoutTicks;
  }

  private ask(): void {
    const { staged, source } = this;
    if (staged === undefined || source === undefined) return;
    this.askedAt = this.context.now;
    this.askedTimes++;
    const { slot } = staged.checkpoint;
    this.context.outbox.send(source, { kind: "fetchChunk", slot, offset: staged.received });
  }

  /** Repeats a request that was not answered; after an election timeout of silence leaves the source. */
  onTick(): void {
    const { electionTimeoutTicks, retryTicks } = this.context.options;
    if (!this.active || this.context.now - this.askedAt < retryTicks) return;
    if (this.askedTimes * retryTicks >= electionTimeoutTicks) this.source = undefined;
    else this.ask();
  }

  /** A checkpoint at `slot` is current now: an image up to there is of no use, and its pieces may be gone from the disk. */
  supersede(slot: Slot): void {
    if (this.staged !== undefined && this.staged.checkpoint.slot <= slot) this.stop();
  }

  /** The log has caught up without the image, or the image is installed. */
  stop(): void {
    this.source = undefined;
    this.staged = undefined;
  }

  /** Takes a piece. Returns the checkpoint once all of its image is here and its checksum holds. */
  onChunk(from: ReplicaId, message: MessageOf<"chunk">): Checkpoint | undefined {
    const { staged } = this;
    if (staged === undefined || from !== this.source) return undefined;
    const { bytes, checkpoint, offset } = message;
    const fits = sameImage(staged.checkpoint, checkpoint) && offset === staged.received;
    if (!fits || crc32c(bytes) !== message.checksum || offset + bytes.length > checkpoint.size)
      return undefined;
    const running = crc32c(bytes, staged.running);
    this.context.outbox.record({ kind: "chunk", checkpoint, offset, bytes, running });
    this.staged = { checkpoint, received: offset + bytes.length, running };
    this.askedTimes = 0;
    if (this.staged.received < checkpoint.size) {
      this.ask();
      return undefined;
    }
    return this.complete(this.staged);
  }

  private complete({ checkpoint, running }: StagedImage): Checkpoint | undefined {
    if (running === checkpoint.checksum) return checkpoint;
    // Every piece was right and the whole is not: the image has rotted at the sender. Begin again, with another if there is one.
    if (this.source !== undefined) this.refused.set(this.source, { checkpoint, at: this.context.now });
    this.staged = { checkpoint, received: 0, running: 0 };
    this.source = undefined;
    return undefined;
  }
}

export function sameImage(a: Checkpoint, b: Checkpoint): boolean {
  return a.slot === b.slot && a.checksum === b.checksum && a.size === b.size && a.chain === b.chain;
}
