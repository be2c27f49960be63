/** Looks at groups at rest, one a round: what is there and should not be, what should be and is not, and who should lead. */
import type { DirectoryCommand } from "./command.ts";
import type { GroupAccess, Led } from "./group-access.ts";
import { missingMembers, strayMembers } from "./next-step.ts";
import { type DirectoryState, type GroupRecord, hasReplica } from "./state.ts";

export interface GroupSweepOptions {
  readonly groups: GroupAccess;
  /** The newest state of the directory. */
  readonly state: () => DirectoryState | undefined;
  /** The node that should lead a group, if its replica there votes. */
  readonly wantedLeader: (state: DirectoryState, group: number) => number | undefined;
  readonly propose: (command: DirectoryCommand) => Promise<boolean>;
}

export class GroupSweep {
  readonly #options: GroupSweepOptions;
  /** The group that was looked at last. */
  #swept = -1;

  constructor(options: GroupSweepOptions) {
    this.#options = options;
  }

  /** Looks at the next group. */
  async next(state: DirectoryState): Promise<void> {
    const { groups, propose, state: newest, wantedLeader } = this.#options;
    const records = [...state.groups.values()];
    this.#swept = (this.#swept + 1) % records.length;
    const record = records[this.#swept];
    if (record === undefined || record.move !== undefined) return;
    const { group } = record;
    const led = await groups.inspect(record);
    // Begun meanwhile: its members are on their way.
    if (led === undefined || newest()?.groups.get(group) !== record) return;
    const { leader, view } = led;
    const stray = strayMembers(record, view, state.lastIncarnation).find(({ node }) => node !== leader);
    const missing = missingMembers(record, view)[0];
    if (stray !== undefined) await groups.change(group, leader, { kind: "remove", replica: stray });
    else if (missing !== undefined)
      await propose({ kind: "beginMove", group, add: undefined, remove: missing });
    else await this.#preferLeader(record, led, wantedLeader(state, group));
  }

  async #preferLeader(
    { group, replicas }: GroupRecord,
    { leader, view }: Led,
    wanted: number | undefined,
  ): Promise<void> {
    const { groups } = this.#options;
    const replica = replicas.find(({ node }) => node === wanted);
    if (replica === undefined || replica.node === leader || !hasReplica(view.voters, replica)) return;
    const itself = await groups.view(replica.node, group);
    if (itself === undefined || itself.isStopping) return;
    await groups.change(group, leader, { kind: "transfer", replica });
  }
}
