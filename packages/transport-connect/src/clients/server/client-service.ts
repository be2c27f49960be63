/**
 * The service of Khonsu's own client, as far as Connect carries it: what it has to know of the cluster, and the questions of those who
 * cannot send a stream. `session-service.ts` has the streams.
 */
import { create } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { HybridClock, KeyPlacement } from "@khonsu/cluster";
import type { Runtime } from "@khonsu/core";
import { TransportError } from "../../errors.ts";
import {
  ClientService,
  type DescribeRequest,
  type DescribeResponse,
  DescribeResponseSchema,
  type ExchangeRequest,
  type ExchangeResponse,
  ExchangeResponseSchema,
  type Question,
  type Reply,
  ReplySchema,
} from "../../gen/khonsu/client/v1/client_pb.ts";
import { FRAME_BYTES, PROTOCOL_VERSION_MAX, PROTOCOL_VERSION_MIN, probesOf } from "../protocol.ts";
import type { AskedQuestion, ReplyItem } from "../session-codec.ts";
import { PullQueue } from "./pull-queue.ts";
import type { OnReply, QuestionDesk } from "./question-desk.ts";
import { toConnectError } from "./refusal.ts";

/** What a client is told of the cluster. */
export interface Description {
  readonly clusterId: string;
  readonly node: number;
  /** The delimiter of the placement prefix, if there is one. */
  readonly delimiter?: string | undefined;
  /** Its members, and where they are reached, as host:port. */
  readonly members: readonly { readonly node: number; readonly address: string }[];
}

export interface StreamLimits {
  /** Bytes of replies that wait for a slow client before no more of its questions are read. Default 4 MiB. */
  readonly replyBytesSoft: number;
  /** Bytes of replies that wait for a slow client before it is cut off. Default 64 MiB. */
  readonly replyBytesMax: number;
  /** Milliseconds without a frame from a client before its session ends. Default 60,000. */
  readonly silenceMs: number;
  /** The largest question, in bytes; the listener's limit on messages must be above it. Default 7 MiB. */
  readonly questionBytesMax: number;
}

export const DEFAULT_STREAM_LIMITS: StreamLimits = Object.freeze({
  replyBytesSoft: 4 * 1024 * 1024,
  replyBytesMax: 64 * 1024 * 1024,
  silenceMs: 60_000,
  questionBytesMax: 7 * 1024 * 1024,
});

export interface ClientServiceOptions {
  readonly desk: QuestionDesk;
  readonly placement: KeyPlacement;
  readonly clock: HybridClock;
  readonly runtime: Runtime;
  readonly describe: () => Description;
  readonly limits: StreamLimits;
  readonly onFailure: (what: string, error: unknown) => void;
}

const endOfTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

export function registerClientService(router: ConnectRouter, options: ClientServiceOptions): void {
  const { onFailure } = options;
  const fail = (what: string) => (error: unknown) => toConnectError(error, (inner) => onFailure(what, inner));
  const implementation: Partial<ServiceImpl<typeof ClientService>> = {
    describe: (request) => {
      try {
        return describe(request, options);
      } catch (error) {
        throw fail("Describe")(error);
      }
    },
    exchange: (request, context) => serveExchange(request, context, options, fail("Exchange")),
  };
  router.service(ClientService, implementation);
}

function describe(request: DescribeRequest, options: ClientServiceOptions): DescribeResponse {
  const { versionMin, versionMax } = request;
  const version = Math.min(versionMax, PROTOCOL_VERSION_MAX);
  if (version < Math.max(versionMin, PROTOCOL_VERSION_MIN)) {
    const ours = `${PROTOCOL_VERSION_MIN} to ${PROTOCOL_VERSION_MAX}`;
    const message = `Cannot serve the client: it speaks versions ${versionMin} to ${versionMax}, this node ${ours}`;
    throw new TransportError("KHONSU_PROTOCOL_VERSION", message);
  }
  const { placement, desk, limits } = options;
  const { clusterId, node, delimiter, members } = options.describe();
  const response = create(DescribeResponseSchema, {
    version,
    clusterId,
    node,
    shardCount: placement.shardCount,
    probes: probesOf(placement),
    clock: BigInt(options.clock.milliseconds()),
    addresses: members.map(({ address }) => address),
    questionsMax: desk.limits.questionsMax,
    waitsMax: desk.limits.waitsMax,
    questionBytesMax: limits.questionBytesMax,
  });
  if (delimiter !== undefined) response.delimiter = delimiter;
  return response;
}

async function* serveExchange(
  { questions }: ExchangeRequest,
  context: HandlerContext,
  options: ClientServiceOptions,
  toError: (error: unknown) => unknown,
): AsyncGenerator<ExchangeResponse, void, undefined> {
  const queue = new PullQueue<ReplyItem>({ frameBytes: FRAME_BYTES, endOfTurn });
  context.signal.addEventListener("abort", () => queue.end(context.signal.reason));
  answerAll(questions, options, queue);
  try {
    for await (const items of queue.frames()) {
      yield create(ExchangeResponseSchema, { replies: items.flatMap(toReply) });
    }
  } catch (error) {
    throw toError(error);
  }
}

/** Puts the replies into the queue, and ends it with the last. */
function answerAll(
  questions: readonly Question[],
  { desk, limits }: ClientServiceOptions,
  queue: PullQueue<ReplyItem>,
): void {
  const { replyBytesMax } = limits;
  const seat = desk.seat();
  let left = questions.length;
  if (left === 0) queue.end();
  const onReply: OnReply = (reply, bytes, isLast) => {
    queue.put(reply, bytes);
    if (queue.bytes > replyBytesMax) {
      const message = `Cannot serve the client: more than ${replyBytesMax} bytes of replies wait for it`;
      queue.end(new TransportError("KHONSU_CLIENT_TOO_SLOW", message));
    }
    if (isLast && --left === 0) queue.end();
  };
  for (const question of questions) seat.answer(toAsked(question), onReply);
}

function toAsked({ number, question }: Question): AskedQuestion {
  if (question.case === "shard") {
    const { shard, request, patienceMs } = question.value;
    return { number, shard, body: request, patienceMs };
  }
  return { number, shard: undefined, body: question.value, patienceMs: 0 };
}

function toReply(item: ReplyItem): Reply[] {
  switch (item.kind) {
    case "answer":
    case "part":
      return [create(ReplySchema, { number: item.number, reply: { case: item.kind, value: item.body } })];
    case "failure":
      return [create(ReplySchema, { number: item.number, reply: { case: "failure", value: item.failure } })];
    default:
      return [];
  }
}
