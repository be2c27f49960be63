/** The standard health service of gRPC, for load balancers and probes; open to those without a token. */
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import type { Runtime } from "@khonsu/core";
import {
  Health,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "../../gen/grpc/health/v1/health_pb.ts";

export interface HealthOptions {
  /** Names of services that have a health; the empty name stands for the node. */
  readonly services: readonly string[];
  readonly isServing: () => boolean;
  readonly runtime: Runtime;
  /** Streams of Watch at a time. */
  readonly streamsMax: number;
}

/** How soon a watcher learns of a change, in milliseconds. */
const LOOK_MS = 500;

export function registerHealth(router: ConnectRouter, options: HealthOptions): void {
  const { services, isServing, runtime, streamsMax } = options;
  const known = new Set(["", ...services]);
  let streams = 0;
  const statusOf = (service: string): Status => {
    if (!known.has(service)) return Status.SERVICE_UNKNOWN;
    return isServing() ? Status.SERVING : Status.NOT_SERVING;
  };
  async function* watch(service: string, signal: AbortSignal): AsyncGenerator<HealthCheckResponse> {
    if (streams >= streamsMax) throw new ConnectError("too many watch the health", Code.ResourceExhausted);
    streams++;
    try {
      for (let last: Status | undefined; !signal.aborted; await pause(runtime, LOOK_MS, signal)) {
        const status = statusOf(service);
        if (status !== last) yield create(HealthCheckResponseSchema, { status });
        last = status;
      }
    } finally {
      streams--;
    }
  }
  router.service(Health, {
    check: ({ service }) => {
      const status = statusOf(service);
      if (status === Status.SERVICE_UNKNOWN)
        throw new ConnectError(`there is no service ${service}`, Code.NotFound);
      return create(HealthCheckResponseSchema, { status });
    },
    watch: ({ service }, { signal }) => watch(service, signal),
  });
}

/** Until the time is over, or the signal is aborted. */
function pause(runtime: Runtime, milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      signal.removeEventListener("abort", end);
      cancel();
      resolve();
    };
    const cancel = runtime.schedule(milliseconds, end);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}
