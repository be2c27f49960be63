import { crc32 } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { LinkRequestSchema } from "../gen/khonsu/peer/v1/peer_pb.ts";
import { sealed, unsealed } from "./batch-message.ts";
import { PREFIX_BYTES } from "./message-reader.ts";

const frames = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.integer({ min: 16_380, max: 16_390 }).map((length) => new Uint8Array(length).fill(7)),
);

test("a batch is the message that the generated code reads and writes", () => {
  fc.assert(
    fc.property(frames, (bytes) => {
      const message = sealed(bytes).subarray(PREFIX_BYTES);
      const { checksum, frames: read } = fromBinary(LinkRequestSchema, message);
      expect({ checksum, frames: Buffer.from(read) }).toEqual({
        checksum: crc32(bytes),
        frames: Buffer.from(bytes),
      });
      const written = toBinary(LinkRequestSchema, create(LinkRequestSchema, { frames: bytes, checksum }));
      expect(Buffer.from(unsealed(written).frames)).toEqual(Buffer.from(bytes));
      expect(unsealed(written).checksum).toBe(checksum);
    }),
  );
});

test("anything else in its place is refused", () => {
  const hello = toBinary(LinkRequestSchema, create(LinkRequestSchema, { hello: { node: 1 } }));
  expect(() => unsealed(hello)).toThrow(expect.objectContaining({ code: "KHONSU_FRAME_MALFORMED" }));
});
