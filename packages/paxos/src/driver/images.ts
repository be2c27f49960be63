/** What a driver does with images: has the application make them, reads pieces of them, and restores the application from one. */
import type { AcceptorStorage } from "../acceptor-storage.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { crc32c } from "../checksum.ts";
import type { EffectOf } from "../effect.ts";
import { PaxosError } from "../errors.ts";
import type { InputOf } from "../input.ts";
import type { DriverClock, StateMachine } from "./interfaces.ts";

/** Stores the image of the present state: that is taken before the first wait, and its pieces one in a turn of the event loop. */
export async function takeCheckpoint(
  { clock, stateMachine, storage }: ImageSource,
  { preface, slot }: EffectOf<"takeCheckpoint">,
): Promise<InputOf<"checkpointTaken">> {
  const pieces = [preface];
  let checksum = crc32c(preface);
  for (const piece of stateMachine.save()) {
    pieces.push(piece);
    checksum = crc32c(piece, checksum);
    await new Promise<void>((resolve) => clock.after(0, resolve));
  }
  const image = joined(pieces);
  await storage.saveImage(slot, image);
  return { kind: "checkpointTaken", slot, size: image.length, checksum };
}

export interface ImageSource {
  readonly clock: DriverClock;
  readonly stateMachine: StateMachine;
  readonly storage: AcceptorStorage;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

export async function readChunk(
  storage: AcceptorStorage,
  { length, offset, slot, to }: EffectOf<"readChunk">,
): Promise<InputOf<"chunkRead">> {
  const bytes = await storage.readImage(slot, offset, length);
  return { kind: "chunkRead", to, slot, offset, bytes };
}

/** @throws PaxosError `KHONSU_STORAGE_CORRUPT` if the image is not what it was */
export async function restore(
  storage: AcceptorStorage,
  stateMachine: StateMachine,
  { checksum, prefaceSize, size, slot }: Checkpoint,
): Promise<InputOf<"restored">> {
  const image = await storage.readImage(slot, 0, size);
  if (image === undefined || image.length !== size || crc32c(image) !== checksum) {
    throw new PaxosError(
      "KHONSU_STORAGE_CORRUPT",
      `Cannot read the image at slot ${slot}: its checksum does not hold`,
    );
  }
  stateMachine.restore(image.subarray(prefaceSize));
  return { kind: "restored", slot, preface: image.subarray(0, prefaceSize) };
}
