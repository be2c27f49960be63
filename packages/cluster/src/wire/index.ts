/** `@khonsu/cluster/wire`: protobuf's wire format by hand, for what passes by the hundred thousand a second. */
export { type OnMalformed, WireReader } from "./wire-reader.ts";
export {
  FIXED32,
  FIXED64,
  LENGTH_DELIMITED,
  VARINT,
  varintSize,
  WireWriter,
  writeVarint,
} from "./wire-writer.ts";
