/**
 * Who takes part in a log, for an application that moves its replicas: the driver's membership changes and transfers, with
 * replicas named by node and incarnation.
 */
import type { Configuration } from "../configuration.ts";
import { incarnationOf, nodeOf, type ReplicaId, replicaId } from "../replica-id.ts";
import type { Driver } from "./driver.ts";

/** One life of a replica. */
export interface LogReplica {
  readonly node: number;
  readonly incarnation: number;
}

export interface LogMembership {
  readonly voters: readonly LogReplica[];
  readonly learners: readonly LogReplica[];
}

export class LogAdmin {
  readonly #driver: Pick<Driver, "configuration" | "changeMembership" | "transferLeadership">;

  constructor(driver: Pick<Driver, "configuration" | "changeMembership" | "transferLeadership">) {
    this.#driver = driver;
  }

  /** The configuration that was decided last, as far as this replica knows. */
  membership(): LogMembership | undefined {
    const { configuration } = this.#driver;
    if (configuration === undefined) return undefined;
    const learners = configuration.learners.map(({ replica }) => named(replica));
    return { voters: configuration.voters.map(named), learners };
  }

  /** As `Driver.changeMembership`; a learner is not promoted by itself. */
  async changeMembers(kind: "add" | "promote" | "remove", { node, incarnation }: LogReplica): Promise<void> {
    const replica = replicaId(node, incarnation);
    await this.#driver.changeMembership(
      kind === "add" ? { kind, replica, promote: false } : { kind, replica },
    );
  }

  /** As `Driver.transferLeadership`. */
  handOver({ node, incarnation }: LogReplica): Promise<void> {
    return this.#driver.transferLeadership(replicaId(node, incarnation));
  }
}

function named(replica: ReplicaId): LogReplica {
  return { node: nodeOf(replica), incarnation: incarnationOf(replica) };
}

/** The founding configuration of a log whose first voters are these. */
export function foundingConfiguration(voters: readonly LogReplica[]): Configuration {
  const replicas = voters.map(({ node, incarnation }) => replicaId(node, incarnation));
  return { voters: replicas.sort((a, b) => a - b), learners: [], retired: [], quorums: "majority" };
}
