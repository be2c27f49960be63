// What the simulated clients want, as plain data: part of a plan, so that a failure can be reduced to the operations that it needs.

export interface WorkloadOperation {
  /** The process that issues it; a process has one operation in flight at a time. */
  readonly process: number;
  readonly kind: "read" | "write" | "cas";
  readonly key: string;
  /** How long the process waits before it, in microseconds. */
  readonly thinkUs: number;
  /** After this long the process gives up and leaves the outcome unknown. Never unless given. */
  readonly abandonAfterUs?: number;
}

export function describeOperation(operation: WorkloadOperation): string {
  const abandon =
    operation.abandonAfterUs === undefined ? "" : ` abandoned after ${operation.abandonAfterUs} us`;
  return `process ${operation.process} after ${operation.thinkUs} us: ${operation.kind} ${operation.key}${abandon}`;
}
