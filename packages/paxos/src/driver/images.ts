/** What a driver does with images: has the application make them, reads pieces of them, and restores the application from one. */
import type { AcceptorStorage } from "../acceptor-storage.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { crc32c } from "../checksum.ts";
import type { EffectOf } from "../effect.ts";
import { PaxosError } from "../errors.ts";
import type { InputOf } from "../input.ts";
import type { StateMachine } from "./interfaces.ts";

/** Stores the image of the present state; the state is taken before the first wait, so that nothing is applied meanwhile. */
export async function takeCheckpoint(
  storage: AcceptorStorage,
  stateMachine: StateMachine,
  { preface, slot }: EffectOf<"takeCheckpoint">,
): Promise<InputOf<"checkpointTaken">> {
  const state = stateMachine.save();
  const image = new Uint8Array(preface.length + state.length);
  image.set(preface);
  image.set(state, preface.length);
  await storage.saveImage(slot, image);
  return { kind: "checkpointTaken", slot, size: image.length, checksum: crc32c(image) };
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
