/** All that a node offers to clients, as routes for its listener. */
import type { ConnectRouter } from "@connectrpc/connect";
import type { CommitCoordinator, HybridClock, ShardAccess } from "@khonsu/cluster";
import { type Runtime, systemRuntime } from "@khonsu/core";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { ClientService } from "../../gen/khonsu/client/v1/client_pb.ts";
import { KhonsuService } from "../../gen/khonsu/client/v1/khonsu_pb.ts";
import { resolveLimits } from "../../server/limits.ts";
import type { StreamRoutes } from "../../server/stream-routes.ts";
import {
  DEFAULT_STREAM_LIMITS,
  type Description,
  registerClientService,
  type StreamLimits,
} from "./client-service.ts";
import { type GuardOptions, guarded } from "./guard.ts";
import { registerHealth } from "./health.ts";
import { registerKhonsuService } from "./khonsu-service.ts";
import { LeaderBoard } from "./leader-board.ts";
import { type Authenticator, allowAnybody } from "./principal.ts";
import { DEFAULT_DESK_LIMITS, type DeskLimits, QuestionDesk } from "./question-desk.ts";
import { DEFAULT_QUESTION_LIMITS, QuestionGate, type QuestionLimits } from "./question-gate.ts";
import { registerReflection } from "./reflection.ts";
import { RequestCount } from "./request-count.ts";
import { serveSessions } from "./session-service.ts";

export interface ClientLimits extends QuestionLimits, DeskLimits, StreamLimits {
  /** Operations of one Transact. Default 10,000. */
  readonly operationsMax: number;
  /** Scans, and watches, that are open at a time over `KhonsuService`; and watches of the health. Default 1,024 each. */
  readonly openStreamsMax: number;
  /** Requests of all clients that are under way, each session and each stream among them. Default 4,096. */
  readonly requestsMax: number;
}

export const DEFAULT_CLIENT_LIMITS: ClientLimits = Object.freeze({
  ...DEFAULT_QUESTION_LIMITS,
  ...DEFAULT_DESK_LIMITS,
  ...DEFAULT_STREAM_LIMITS,
  operationsMax: 10_000,
  openStreamsMax: 1024,
  requestsMax: 4096,
});

export interface ClientRoutesOptions {
  /** How shards are asked: the node's router. */
  readonly shards: ShardAccess;
  /** Who coordinates commits: the node's. */
  readonly coordinator: CommitCoordinator;
  readonly clock: HybridClock;
  /** Default: the machine's. */
  readonly runtime?: Runtime;
  /** What clients are told of the cluster; asked anew for each. */
  readonly describe: () => Description;
  /** The node that leads a shard, as far as this node knows: clients ask it directly. Default: never known. */
  readonly leaderOf?: (shard: number) => number | undefined;
  /** Who may come in. Default: everybody. */
  readonly authenticate?: Authenticator | undefined;
  /** Whether clients must show a certificate of the `clientAuthority` of the server as well. Default: no. */
  readonly needsCertificate?: boolean;
  /** Origins of pages in browsers that may call, or "*". Default: none. */
  readonly origins?: readonly string[];
  readonly limits?: Partial<ClientLimits>;
  /** Whether the node serves, for its health. Default: always. */
  readonly isServing?: () => boolean;
  /** Told of errors without a code; for a log. Default: nobody. */
  readonly onFailure?: (what: string, error: unknown) => void;
}

/** Registers services with a router, and the sessions with the streams that are served by hand. */
export type ClientRoutes = (router: ConnectRouter, streams: StreamRoutes) => void;

/** @throws TransportError `KHONSU_INVALID_OPTION` for a limit out of range */
export function clientRoutes(options: ClientRoutesOptions): ClientRoutes {
  const { shards, coordinator, clock, describe, runtime = systemRuntime, origins = [] } = options;
  const {
    authenticate: authenticator = allowAnybody,
    needsCertificate = false,
    isServing = () => true,
    leaderOf = () => undefined,
    onFailure = () => {},
  } = options;
  const limits = resolveLimits(DEFAULT_CLIENT_LIMITS, options.limits);
  const { placement } = shards;
  const gate = new QuestionGate(placement, limits);
  const desk = new QuestionDesk({ shards, coordinator, gate, limits, onFailure });
  const requests = new RequestCount(limits.requestsMax);
  const guard: GuardOptions = { authenticator, needsCertificate, origins, requests };
  const leaders = new LeaderBoard({ placement, leaderOf, describe, runtime });
  const common = { clock, runtime, authenticator, onFailure };
  return (router, streams) => {
    serveSessions(streams, { ...common, desk, guard, leaders, limits });
    guarded(router, guard, () => {
      registerClientService(router, { ...common, desk, placement, describe, limits });
      const { operationsMax, openStreamsMax: streamsMax } = limits;
      registerKhonsuService(router, { ...common, shards, coordinator, operationsMax, streamsMax });
      registerReflection(router, [KhonsuService, ClientService, Health]);
    });
    const services = [KhonsuService.typeName, ClientService.typeName];
    const health = { services, isServing, runtime, streamsMax: limits.openStreamsMax };
    guarded(router, guard, () => registerHealth(router, health), true);
  };
}
