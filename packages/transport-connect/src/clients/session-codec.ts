/**
 * The messages of `ClientService.Session` by hand: what travels with every transaction. The bytes are those of the generated code, which
 * remains the definition. Fields that are not known are passed over: later versions may add some.
 */
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type WireReader, WireWriter } from "@khonsu/cluster/wire";
import { type Failure, FailureSchema } from "../gen/khonsu/client/v1/failure_pb.ts";
import { malformed, readerOf } from "../wire/malformed.ts";
import type { Asked } from "./link.ts";

/** A question as it comes to a node. */
export interface AskedQuestion {
  readonly number: number;
  /** Undefined: it is for the coordinator. */
  readonly shard: number | undefined;
  /** The request, a view of what came; undefined for a question that asks nothing. */
  readonly body: Uint8Array | undefined;
  /** 0: as the node has it. */
  readonly patienceMs: number;
}

/** A reply as it leaves a node. */
export type ReplyItem =
  | { readonly kind: "answer" | "part"; readonly number: number; readonly body: Uint8Array }
  | { readonly kind: "failure"; readonly number: number; readonly failure: Failure }
  | { readonly kind: "clock"; readonly milliseconds: number }
  | { readonly kind: "leaders"; readonly leaders: LeaderHints };

/** Who leads what, as far as a node knows. */
export interface LeaderHints {
  /** The node that leads, by shard; 0 where it is not known. */
  readonly nodes: readonly number[];
  readonly members: readonly { readonly node: number; readonly address: string }[];
}

/** Told what is in a `SessionResponse`, in order. Bodies are views of it. */
export interface ResponseHandlers {
  readonly onAnswer: (number: number, body: Uint8Array) => void;
  readonly onPart: (number: number, body: Uint8Array) => void;
  readonly onFailure: (number: number, failure: Failure | undefined) => void;
  readonly onClock: (milliseconds: number) => void;
  readonly onLeaders: (leaders: LeaderHints) => void;
}

const UINT32_MAX = 0xffff_ffff;
const BEYOND = "an integer has more than 32 bits";
/** Room around the body of a question or reply. */
const OVERHEAD = 32;

export function writeQuestion(writer: WireWriter, number: number, { shard, body, patienceMs }: Asked): void {
  const lengthMax = body.length + OVERHEAD;
  const question = writer.begin(1, lengthMax);
  writer.uint(1, number);
  if (shard === undefined) writePresent(writer, 3, body);
  else {
    const inner = writer.begin(2, lengthMax);
    writer.uint(1, shard);
    writer.bytes(2, body);
    writer.uint(3, patienceMs);
    writer.end(inner, lengthMax);
  }
  writer.end(question, lengthMax);
}

/**
 * The questions of a `SessionRequest`.
 *
 * @throws TransportError `KHONSU_FRAME_MALFORMED`
 */
export function readRequest(bytes: Uint8Array): AskedQuestion[] {
  const reader = readerOf(bytes);
  const questions: AskedQuestion[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) questions.push(reader.nested(readQuestion));
    else reader.skip();
  }
  return questions;
}

function readQuestion(reader: WireReader): AskedQuestion {
  let number = 0;
  let asked = {
    shard: undefined as number | undefined,
    body: undefined as Uint8Array | undefined,
    patienceMs: 0,
  };
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) number = uint32(reader);
    else if (field === 2) asked = reader.nested(readShardQuestion);
    else if (field === 3) asked = { shard: undefined, body: reader.bytes(), patienceMs: 0 };
    else reader.skip();
  }
  return { number, ...asked };
}

function readShardQuestion(reader: WireReader) {
  let shard = 0;
  let body: Uint8Array = new Uint8Array();
  let patienceMs = 0;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) shard = uint32(reader);
    else if (field === 2) body = reader.bytes();
    else if (field === 3) patienceMs = uint32(reader);
    else reader.skip();
  }
  return { shard, body, patienceMs };
}

/** The bytes of a `SessionResponse`. */
export function encodeResponse(items: readonly ReplyItem[], writer = new WireWriter()): Uint8Array {
  writer.reset();
  let clock: number | undefined;
  let leaders: LeaderHints | undefined;
  for (const item of items) {
    if (item.kind === "clock") clock = item.milliseconds;
    else if (item.kind === "leaders") leaders = item.leaders;
    else writeReply(writer, item);
  }
  if (clock !== undefined) writer.uint(2, clock);
  if (leaders !== undefined) writeLeaders(writer, leaders);
  return writer.finish();
}

type NumberedItem = Extract<ReplyItem, { readonly number: number }>;

function writeReply(writer: WireWriter, item: NumberedItem): void {
  const body = item.kind === "failure" ? toBinary(FailureSchema, item.failure) : item.body;
  const lengthMax = body.length + OVERHEAD;
  const reply = writer.begin(1, lengthMax);
  writer.uint(1, item.number);
  writePresent(writer, item.kind === "answer" ? 2 : item.kind === "part" ? 3 : 4, body);
  writer.end(reply, lengthMax);
}

function writeLeaders(writer: WireWriter, { nodes, members }: LeaderHints): void {
  const start = writer.begin(3);
  if (nodes.length > 0) {
    const list = writer.begin(1);
    for (const node of nodes) writer.uintItem(node);
    writer.end(list);
  }
  for (const { node, address } of members) {
    const member = writer.begin(2);
    writer.uint(1, node);
    writer.string(2, address);
    writer.end(member);
  }
  writer.end(start);
}

/** @throws TransportError `KHONSU_FRAME_MALFORMED`, after what came before was handed on */
export function readResponse(bytes: Uint8Array, handlers: ResponseHandlers): void {
  const reader = readerOf(bytes);
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) reader.nested((nested) => readReply(nested, handlers));
    else if (field === 2) handlers.onClock(reader.uint());
    else if (field === 3) handlers.onLeaders(reader.nested(readLeaders));
    else reader.skip();
  }
}

function readReply(reader: WireReader, handlers: ResponseHandlers): void {
  let number = 0;
  let kind = 0;
  let body: Uint8Array | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) number = uint32(reader);
    else if (field <= 4) {
      kind = field;
      body = reader.bytes();
    } else reader.skip();
  }
  if (body === undefined) handlers.onFailure(number, undefined);
  else if (kind === 2) handlers.onAnswer(number, body);
  else if (kind === 3) handlers.onPart(number, body);
  else handlers.onFailure(number, readFailure(body));
}

function readFailure(bytes: Uint8Array): Failure {
  try {
    return fromBinary(FailureSchema, bytes);
  } catch (cause) {
    throw malformed("a failure is none", cause);
  }
}

function readLeaders(reader: WireReader): LeaderHints {
  const nodes: number[] = [];
  const members: { node: number; address: string }[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) reader.uints(nodes);
    else if (field === 2) members.push(reader.nested(readMember));
    else reader.skip();
  }
  return { nodes, members };
}

function readMember(reader: WireReader): { node: number; address: string } {
  let node = 0;
  let address = "";
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) node = uint32(reader);
    else if (field === 2) address = reader.string();
    else reader.skip();
  }
  return { node, address };
}

/** A field that is there though it be empty: one of several. */
function writePresent(writer: WireWriter, field: number, body: Uint8Array): void {
  if (body.length > 0) writer.bytes(field, body);
  else writer.end(writer.begin(field));
}

function uint32(reader: WireReader): number {
  const value = reader.uint();
  if (value > UINT32_MAX) throw malformed(BEYOND);
  return value;
}
