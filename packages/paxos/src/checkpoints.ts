/**
 * The current checkpoint: made here or received whole, offered to those who are behind the trimmed log, and what lets the log below it
 * go. One record makes an image current and trims: after a crash it is the old state or the new (PX-9, PX-10).
 */
import type { Acceptor } from "./acceptor.ts";
import type { CatchUp } from "./catch-up.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { crc32c } from "./checksum.ts";
import type { Context } from "./context.ts";
import type { WriteId } from "./effect.ts";
import { invariant } from "./errors.ts";
import { trimmedBelow } from "./image-pace.ts";
import type { ImageTransfer } from "./image-transfer.ts";
import type { Learner } from "./learner.ts";
import type { ReplicaId } from "./replica-id.ts";
import { NO_SLOT, type Slot } from "./slot.ts";

export interface CheckpointRoles {
  readonly context: Context;
  readonly acceptor: Acceptor;
  readonly learner: Learner;
  readonly images: ImageTransfer;
  readonly catchUp: CatchUp;
}

export class Checkpoints {
  private readonly roles: CheckpointRoles;
  private readonly context: Context;
  private readonly learner: Learner;
  private readonly beforeRestore: () => void;
  private current: Checkpoint | undefined;
  /** The write that makes `current` the current one on disk. */
  private adoptedBy = 0 as WriteId;
  /** The write after which the state machine is to be replaced by `current`. */
  private restoreAfter: WriteId | undefined;

  /** @param beforeRestore called before the state is replaced by a received image. */
  constructor(roles: CheckpointRoles, recovered: Checkpoint | undefined, beforeRestore: () => void) {
    this.roles = roles;
    this.context = roles.context;
    this.learner = roles.learner;
    this.current = recovered;
    this.beforeRestore = beforeRestore;
  }

  get slot(): Slot {
    return this.current?.slot ?? NO_SLOT;
  }

  /** Offers the image that stands on disk. One that is still on its way there cannot be read, and a crash may yet take it back. */
  offer(to: ReplicaId): void {
    const { current: checkpoint } = this;
    const { decided } = this.learner;
    if (checkpoint !== undefined && this.context.outbox.durable >= this.adoptedBy)
      this.context.outbox.send(to, { kind: "checkpointOffer", checkpoint, decided });
  }

  /** Somebody wants a piece of the image at `slot`. */
  onFetchChunk(from: ReplicaId, slot: Slot, offset: number): void {
    if (this.current?.slot !== slot) {
      this.offer(from);
      return;
    }
    const { chunkBytes: length } = this.context.options;
    this.context.outbox.emit({ kind: "readChunk", to: from, slot, offset, length });
  }

  onChunkRead(to: ReplicaId, slot: Slot, offset: number, bytes: Uint8Array | undefined): void {
    const { current: checkpoint } = this;
    if (checkpoint?.slot !== slot) this.offer(to);
    else if (bytes !== undefined)
      this.context.outbox.send(to, { kind: "chunk", checkpoint, offset, bytes, checksum: crc32c(bytes) });
    // Otherwise it is not answered, and turns to somebody else: the same offer again would bring the same request.
  }

  /** The state machine has made an image at `slot`. */
  onTaken(slot: Slot, size: number, checksum: number): void {
    const checkpoint = this.learner.checkpointOf(slot, size, checksum);
    if (checkpoint === undefined || slot <= this.slot) return;
    const { log, options } = this.context;
    this.adopt(checkpoint, trimmedBelow(log, slot, size, options));
  }

  /** All of an image is here: it becomes current, and then the state machine's state. */
  install(checkpoint: Checkpoint | undefined): void {
    if (checkpoint === undefined) return;
    this.roles.images.stop();
    this.roles.catchUp.onImage();
    if (checkpoint.slot <= this.learner.applied) return;
    this.beforeRestore();
    this.learner.beginRestore(checkpoint);
    this.adopt(checkpoint, checkpoint.slot);
    this.restoreAfter = this.context.outbox.barrier;
  }

  private adopt(checkpoint: Checkpoint, trimmed: Slot): void {
    invariant(trimmed <= checkpoint.slot, "PX-9", "the log is never trimmed past the checkpoint");
    this.context.outbox.record({ kind: "checkpoint", checkpoint, trimmed });
    this.current = checkpoint;
    this.adoptedBy = this.context.outbox.barrier;
    this.roles.images.supersede(checkpoint.slot);
    this.roles.acceptor.forget(checkpoint.slot);
    this.context.log.trim(trimmed);
  }

  onPersisted(): void {
    const { outbox } = this.context;
    if (this.restoreAfter === undefined || outbox.durable < this.restoreAfter || this.current === undefined)
      return;
    this.restoreAfter = undefined;
    outbox.emit({ kind: "restore", checkpoint: this.current });
  }

  assertOrder(): void {
    const { applied, decided, restoring } = this.learner;
    const at = this.slot;
    invariant(
      this.context.log.trimmed <= at || at === NO_SLOT,
      "PX-9",
      "the log is trimmed past the checkpoint",
    );
    invariant(restoring || at <= applied, "PX-9", "the checkpoint is past the applied index");
    invariant(applied <= decided, "PX-9", "the applied index is past the decided index");
  }
}
