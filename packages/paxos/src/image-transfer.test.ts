import { expect, test } from "vitest";
import type { Checkpoint } from "./checkpoint.ts";
import { crc32c } from "./checksum.ts";
import type { Context } from "./context.ts";
import { ImageTransfer } from "./image-transfer.ts";
import { Log } from "./log.ts";
import type { MessageOf } from "./message.ts";
import { resolveOptions } from "./options.ts";
import { Outbox } from "./outbox.ts";
import { replicaId } from "./replica-id.ts";
import { NO_SLOT, slot } from "./slot.ts";
import { imageAt } from "./testing/record-stream.ts";

const [SELF, SOURCE, OTHER] = [replicaId(1), replicaId(2), replicaId(3)];
const { checkpoint, image } = imageAt(30, 100);

function contextOf(): Context {
  const options = resolveOptions({ self: SELF, seed: 1, start: { kind: "join" } });
  return { self: SELF, options, outbox: new Outbox(SELF), log: new Log(NO_SLOT), now: 0 };
}

function piece(offset: number, length = 40, of: Checkpoint = checkpoint): MessageOf<"chunk"> {
  const bytes = image.slice(offset, offset + length);
  return { kind: "chunk", checkpoint: of, offset, bytes, checksum: crc32c(bytes) };
}

test("PX-10 an image is complete once every piece has come in turn and the whole has its checksum", () => {
  const transfer = new ImageTransfer(contextOf(), undefined);
  expect(transfer.onOffer(SOURCE, checkpoint)).toBeUndefined();
  expect(transfer.onChunk(SOURCE, piece(0))).toBeUndefined();
  expect(transfer.onChunk(SOURCE, piece(0))).toBeUndefined();
  expect(transfer.onChunk(OTHER, piece(40))).toBeUndefined();
  expect(transfer.onChunk(SOURCE, { ...piece(40), checksum: 0 })).toBeUndefined();
  expect(transfer.progress?.received).toBe(40);
  expect(transfer.onChunk(SOURCE, piece(40))).toBeUndefined();
  expect(transfer.onChunk(SOURCE, piece(80))).toBe(checkpoint);
});

test("an image whose pieces are right and whose whole is not gives way to another, and is begun again if there is none", () => {
  const wrong = { ...checkpoint, slot: slot(31), checksum: checkpoint.checksum + 1 };
  const context = contextOf();
  const transfer = new ImageTransfer(context, undefined);
  transfer.onOffer(SOURCE, wrong);
  expect(transfer.onChunk(SOURCE, piece(0, 100, wrong))).toBeUndefined();
  expect(transfer.active).toBe(false);
  transfer.onOffer(SOURCE, wrong);
  expect(transfer.active).toBe(false);
  // An older one of another source is fetched to its end, although the bad one, which is newer, is offered again meanwhile.
  transfer.onOffer(OTHER, checkpoint);
  context.now += 1000;
  transfer.onOffer(SOURCE, wrong);
  expect(transfer.progress?.checkpoint).toBe(checkpoint);
  transfer.stop();
  transfer.onOffer(SOURCE, wrong);
  expect(transfer.progress?.received).toBe(0);
});

test("PX-10 what was received before a restart counts, all of it too; of another image nothing does", () => {
  const half = { checkpoint, received: 40, running: crc32c(image.subarray(0, 40)) };
  const transfer = new ImageTransfer(contextOf(), half);
  transfer.onOffer(SOURCE, checkpoint);
  expect(transfer.progress?.received).toBe(40);
  const whole = { checkpoint, received: 100, running: crc32c(image) };
  expect(new ImageTransfer(contextOf(), whole).onOffer(SOURCE, checkpoint)).toBe(checkpoint);
  const newer = new ImageTransfer(contextOf(), whole);
  newer.onOffer(SOURCE, { ...checkpoint, slot: slot(31) });
  expect(newer.progress?.received).toBe(0);
});

test("PX-10 an own checkpoint of the same slot ends the transfer, since its pieces may be gone", () => {
  const transfer = new ImageTransfer(contextOf(), undefined);
  transfer.onOffer(SOURCE, checkpoint);
  transfer.onChunk(SOURCE, piece(0));
  transfer.supersede(slot(29));
  expect(transfer.active).toBe(true);
  transfer.supersede(slot(30));
  expect(transfer.active).toBe(false);
  expect(transfer.onChunk(SOURCE, piece(40))).toBeUndefined();
});

test("a source that does not answer is asked again, and left after an election timeout", () => {
  const context = contextOf();
  const transfer = new ImageTransfer(context, undefined);
  transfer.onOffer(SOURCE, checkpoint);
  for (let tick = 0; tick < 30; tick++) {
    context.now++;
    transfer.onTick();
  }
  expect(transfer.active).toBe(false);
  const requests = context.outbox.take(0).filter((effect) => effect.kind === "send");
  expect(requests.length).toBe(4);
  transfer.onOffer(OTHER, checkpoint);
  expect(transfer.active).toBe(true);
});

test("a source that offers its image again and again without a piece of it is left all the same", () => {
  const context = contextOf();
  const transfer = new ImageTransfer(context, undefined);
  for (let tick = 0; tick < 30; tick++) {
    if (tick === 0 || transfer.active) transfer.onOffer(SOURCE, checkpoint);
    context.now++;
    transfer.onTick();
  }
  expect(transfer.active).toBe(false);
  expect(context.outbox.take(0).filter((effect) => effect.kind === "send").length).toBe(4);
});
