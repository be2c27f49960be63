/**
 * The service of Khonsu's own client. A stream of a client is read only as fast as its replies are taken, ends when the client
 * is silent for too long, and is cut off when it takes nothing at all.
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
  type Reply,
  type SessionRequest,
  type SessionResponse,
  SessionResponseSchema,
} from "../../gen/khonsu/client/v1/client_pb.ts";
import { Outbox } from "../outbox.ts";
import { FRAME_BYTES, PROTOCOL_VERSION_MAX, PROTOCOL_VERSION_MIN, probesOf } from "../protocol.ts";
import { type Authenticator, assertStillAdmitted } from "./principal.ts";
import type { QuestionDesk } from "./question-desk.ts";
import { toConnectError } from "./refusal.ts";
import { Silence } from "./silence.ts";

/** What a client is told of the cluster. */
export interface Description {
  readonly clusterId: string;
  readonly node: number;
  /** The delimiter of the placement prefix, if there is one. */
  readonly delimiter?: string | undefined;
  /** Where members are reached, as host:port. */
  readonly addresses: readonly string[];
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
  readonly authenticator: Authenticator;
  readonly limits: StreamLimits;
  readonly onFailure: (what: string, error: unknown) => void;
}

type Frame = { readonly reply: Reply } | { readonly clock: number };

const endOfTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

export function registerClientService(router: ConnectRouter, options: ClientServiceOptions): void {
  const { onFailure } = options;
  const fail = (what: string) => (error: unknown) => toConnectError(error, (inner) => onFailure(what, inner));
  const implementation: ServiceImpl<typeof ClientService> = {
    describe: (request) => {
      try {
        return describe(request, options);
      } catch (error) {
        throw fail("Describe")(error);
      }
    },
    session: (requests, context) => serveSession(requests, context, options, fail("Session")),
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
  const { clusterId, node, delimiter, addresses } = options.describe();
  const response = create(DescribeResponseSchema, {
    version,
    clusterId,
    node,
    shardCount: placement.shardCount,
    probes: probesOf(placement),
    clock: BigInt(options.clock.milliseconds()),
    addresses: [...addresses],
    questionsMax: desk.limits.questionsMax,
    waitsMax: desk.limits.waitsMax,
    questionBytesMax: limits.questionBytesMax,
  });
  if (delimiter !== undefined) response.delimiter = delimiter;
  return response;
}

async function* serveSession(
  requests: AsyncIterable<SessionRequest>,
  context: HandlerContext,
  options: ClientServiceOptions,
  toError: (error: unknown) => unknown,
): AsyncGenerator<SessionResponse, void, undefined> {
  const outbox = new Outbox<Frame>({ frameBytes: FRAME_BYTES, endOfTurn });
  const end = (error: unknown) => outbox.end(error);
  context.signal.addEventListener("abort", () => end(context.signal.reason));
  readQuestions(requests, outbox, context, options).then(() => outbox.end(), end);
  try {
    for await (const frames of outbox.frames()) {
      const response = create(SessionResponseSchema);
      for (const frame of frames) {
        if ("reply" in frame) response.replies.push(frame.reply);
        else response.clock = BigInt(frame.clock);
      }
      yield response;
    }
  } catch (error) {
    throw toError(error);
  }
}

async function readQuestions(
  requests: AsyncIterable<SessionRequest>,
  outbox: Outbox<Frame>,
  context: HandlerContext,
  options: ClientServiceOptions,
): Promise<void> {
  const { desk, limits, authenticator, clock } = options;
  const seat = desk.seat();
  const underWay = new Set<Promise<void>>();
  const silence = new Silence(options.runtime, limits.silenceMs, () => {
    const message = `Cannot serve the client: it was silent for ${limits.silenceMs} ms`;
    outbox.end(new TransportError("KHONSU_CLIENT_TOO_SLOW", message));
  });
  const put = (reply: Reply, bytes: number) => putReply(outbox, reply, bytes, limits);
  try {
    silence.begin();
    for await (const { questions } of requests) {
      silence.begin();
      assertStillAdmitted(authenticator, context);
      if (questions.length === 0) outbox.put({ clock: clock.milliseconds() }, 16);
      for (const question of questions) {
        const answering = seat.answer(question, put);
        underWay.add(answering);
        void answering.then(() => underWay.delete(answering));
      }
      silence.pause();
      await outbox.below(limits.replyBytesSoft);
      silence.begin();
      if (outbox.isEnded) return;
    }
    silence.pause();
    await Promise.all(underWay);
  } finally {
    silence.stop();
  }
}

async function* serveExchange(
  { questions }: ExchangeRequest,
  context: HandlerContext,
  options: ClientServiceOptions,
  toError: (error: unknown) => unknown,
): AsyncGenerator<ExchangeResponse, void, undefined> {
  const outbox = new Outbox<Frame>({ frameBytes: FRAME_BYTES, endOfTurn });
  context.signal.addEventListener("abort", () => outbox.end(context.signal.reason));
  const seat = options.desk.seat();
  const put = (reply: Reply, bytes: number) => putReply(outbox, reply, bytes, options.limits);
  void Promise.all(questions.map((question) => seat.answer(question, put))).then(() => outbox.end());
  try {
    for await (const frames of outbox.frames()) {
      const replies = frames.flatMap((frame) => ("reply" in frame ? [frame.reply] : []));
      yield create(ExchangeResponseSchema, { replies });
    }
  } catch (error) {
    throw toError(error);
  }
}

function putReply(outbox: Outbox<Frame>, reply: Reply, bytes: number, { replyBytesMax }: StreamLimits): void {
  outbox.put({ reply }, bytes);
  if (outbox.bytes <= replyBytesMax) return;
  const message = `Cannot serve the client: more than ${replyBytesMax} bytes of replies wait for it`;
  outbox.end(new TransportError("KHONSU_CLIENT_TOO_SLOW", message));
}
