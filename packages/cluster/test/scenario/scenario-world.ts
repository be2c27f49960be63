/**
 * Shards driven by directives. Each has a second replica that applies the same entries, starts again from a checkpoint after each
 * of them and purges whenever it can: its answers and its state hash must be the first's at every index (hard case 29).
 */
import { formatTransactionId, type TransactionId } from "@khonsu/2pc";
import type { IsolationLevel } from "@khonsu/core";
import type { CommitTimestamp, KeyRange } from "@khonsu/core/isolation";
import {
  type Command,
  type Commitment,
  decodeCheckpoint,
  decodeCommand,
  encodeCheckpoint,
  encodeCommand,
  mergeCommitments,
  type ReadResult,
  type Refusal,
  readAt,
  readNewest,
  ShardStateMachine,
  type ShardStatus,
  stateHash,
  validate,
} from "../../src/index.ts";
import { type Description, ShardDriver, textIn } from "../shard-driver.ts";

type Words = Readonly<Record<string, string>>;

const ALL: KeyRange = { low: "", high: undefined, isHighIncluded: false };

export class ScenarioWorld {
  readonly #shards = new Map<number, ShardDriver>();
  readonly #twins = new Map<number, ShardStateMachine>();
  readonly #ids = new Map<string, TransactionId>();
  readonly #votes = new Map<string, Commitment>();

  run(directive: string): string[] {
    const [verb = "", ...rest] = directive.split(" ");
    const words = Object.fromEntries(rest.map((word) => word.split(/=(.*)/s).slice(0, 2)));
    const action = this.#actions[verb];
    if (action === undefined) throw new Error(`No such directive: ${directive}`);
    return action(words);
  }

  readonly #actions: Readonly<Record<string, (words: Words) => string[]>> = {
    commit: (words) => this.#certify("commit", words),
    prepare: (words) => this.#certify("prepare", words),
    decide: (words) => this.#decide(words),
    ask: ({ shard, tx }) => [this.#status(this.#driver(shard).machine.statusOf(this.#id(tx)))],
    advance: ({ shard, to }) =>
      this.#apply(shard, { kind: "advance", timestamp: Number(to) as CommitTimestamp }),
    floors: ({ shard, gc, id }) =>
      this.#apply(shard, {
        kind: "floors",
        gcFloor: Number(gc ?? 0) as CommitTimestamp,
        idFloor: Number(id ?? 0),
      }),
    restart: ({ shard }) => this.#restart(this.#driver(shard)),
    read: ({ shard, at, ...words }) => {
      const timestamp = Number(at) as CommitTimestamp;
      return this.#read(
        readAt(this.#driver(shard).machine, timestamp, request(words), (id) => this.#homeAnswer(id, words)),
      );
    },
    newest: ({ shard, ...words }) =>
      this.#read(
        readNewest(this.#driver(shard).machine, request(words), (id) => this.#homeAnswer(id, words)),
      ),
    validate: ({ shard, at, ...words }) => this.#validate(shard, Number(at) as CommitTimestamp, words),
    state: ({ shard }) => this.#state(this.#driver(shard).machine),
  };

  #certify(kind: "commit" | "prepare", words: Words): string[] {
    const driver = this.#driver(words.shard);
    const participants = (words.of ?? words.shard ?? "").split(",").map(Number);
    const id = this.#ids.get(words.tx ?? "") ?? {
      birth: Number(words.birth ?? this.#ids.size + 1),
      random: 0,
      home: Number(words.home ?? participants[0]),
    };
    this.#ids.set(words.tx ?? "", id);
    const request = driver.requestOf(description(words));
    const command: Command =
      kind === "commit"
        ? { kind, id, participants: [id.home], request, votes: undefined }
        : { kind, id, participants, request };
    const trace = this.#apply(words.shard, command);
    const status = driver.machine.statusOf(id);
    if (status.kind === "prepared") {
      const before = this.#votes.get(words.tx ?? "");
      this.#votes.set(
        words.tx ?? "",
        before === undefined ? status.value : mergeCommitments(before, status.value),
      );
    }
    return trace;
  }

  /** `outcome=commit` with the merged votes, `outcome=abort`, or what home has decided. */
  #decide({ shard, tx, outcome }: Words): string[] {
    const id = this.#id(tx);
    if (outcome === "commit") {
      return this.#apply(shard, {
        kind: "decide",
        id,
        outcome: { kind: "committed", value: this.#votes.get(tx ?? "")! },
      });
    }
    if (outcome === "abort") {
      return this.#apply(shard, {
        kind: "decide",
        id,
        outcome: { kind: "aborted", reason: { kind: "recovery" } },
      });
    }
    const home = this.#driver(String(id.home)).machine.statusOf(id);
    if (home.kind !== "committed" && home.kind !== "aborted" && home.kind !== "expired")
      return [this.#status(home)];
    return this.#apply(shard, { kind: "decide", id, outcome: home });
  }

  #apply(shard: string | undefined, command: Command): string[] {
    const { machine } = this.#driver(shard);
    const first = machine.apply(command);
    const twin = this.#twins.get(machine.shard)!;
    const second = twin.apply(decodeCommand(encodeCommand(command)));
    twin.versions.purge(1000);
    const again = new ShardStateMachine(
      machine.shard,
      decodeCheckpoint(encodeCheckpoint(twin.checkpoint(), 256)),
    );
    this.#twins.set(machine.shard, again);
    const isEqual =
      JSON.stringify(first.status) === JSON.stringify(second.status) &&
      new Set([machine, twin, again].map(stateHash)).size === 1;
    if (!isEqual) throw new Error(`Hard case 29: the replicas of shard ${shard} differ`);
    const status = first.status === undefined ? [] : [this.#status(first.status)];
    const installs =
      first.installed?.installs.map(({ key, value }) => `${key}=${textIn(value) ?? "deleted"}`) ?? [];
    return installs.length === 0
      ? status
      : [...status, `installs ${installs.join(" ")} at ${first.installed!.timestamp}`];
  }

  #restart(driver: ShardDriver): string[] {
    driver.machine = new ShardStateMachine(driver.machine.shard, driver.machine.checkpoint());
    return [];
  }

  #read(result: ReadResult): string[] {
    switch (result.kind) {
      case "read": {
        const entries = [...result.entries, ...result.ranges.flatMap(({ entries: found }) => found)];
        return [
          `read at ${result.at}`,
          ...entries.map(({ key, value, version }) => `  ${key}=${textIn(value) ?? "-"} version=${version}`),
        ];
      }
      case "behind":
        return [`behind clock=${result.clock}`];
      case "snapshot-too-old":
        return [`snapshot too old floor=${result.floor}`];
      case "blocked":
        return [`blocked by ${result.holders.map((id) => this.#name(id)).join(" ")}`];
    }
  }

  #validate(shard: string | undefined, snapshot: CommitTimestamp, words: Words): string[] {
    const reads = Object.entries(versions(words.read)).map(([key, version]) => ({
      key,
      version: version as CommitTimestamp,
    }));
    const ranges = words.range === undefined ? [] : [rangeOf(words.range)];
    const result = validate(this.#driver(shard).machine, { snapshot, reads, ranges }, (id) =>
      this.#homeAnswer(id, words),
    );
    if (result.kind === "valid") return ["valid"];
    if (result.kind === "outdated") return [`outdated clock=${result.clock}`];
    return [`blocked by ${result.holders.map((id) => this.#name(id)).join(" ")}`];
  }

  #homeAnswer(id: TransactionId, { home }: Words): ShardStatus | undefined {
    return home === "asked" ? this.#driver(String(id.home)).machine.statusOf(id) : undefined;
  }

  #state(machine: ShardStateMachine): string[] {
    const floors = `gc=${machine.versions.floor} id=${machine.idFloor}`;
    const lines = [
      `clock=${machine.clock} watermark=${machine.watermark} ${floors} prepared=${machine.preparedCount}`,
    ];
    const byKey = new Map<string, string[]>();
    for (const { key, timestamp, value } of machine.versions.retained()) {
      byKey.set(key, [...(byKey.get(key) ?? []), `${timestamp}=${textIn(value) ?? "deleted"}`]);
    }
    for (const [key, found] of byKey) lines.push(`  ${key}: ${found.join(" ")}`);
    return lines;
  }

  #status(status: ShardStatus): string {
    switch (status.kind) {
      case "prepared":
      case "committed": {
        const { timestamp, ignored } = status.value;
        return `${status.kind} at ${timestamp}${ignored.length > 0 ? ` ignored ${ignored.join(" ")}` : ""}`;
      }
      case "aborted":
        return status.reason.kind === "vote"
          ? `no: ${this.#refusal(status.reason.reason)}`
          : `aborted by ${status.reason.kind}`;
      case "refused":
        return `refused: ${this.#refusal(status.reason)}`;
      default:
        return status.kind;
    }
  }

  #refusal(refusal: Refusal): string {
    switch (refusal.kind) {
      case "conflict":
        return `${refusal.conflict} conflict on ${refusal.key}, committed at ${refusal.committedAt}, clock ${refusal.clock}`;
      case "busy": {
        const where =
          typeof refusal.key === "string" ? refusal.key : `${refusal.key.low}..${refusal.key.high ?? ""}`;
        return `${where} is held by ${this.#name(refusal.holder)}`;
      }
      case "snapshot-too-old":
        return `snapshot too old, floor ${refusal.floor}`;
      case "unmergeable":
        return `unmergeable ${refusal.key} ${refusal.code}`;
      case "timestamp-limit":
        return "timestamp limit";
    }
  }

  #driver(shard: string | undefined): ShardDriver {
    const number = Number(shard);
    if (!Number.isSafeInteger(number)) throw new Error(`No such shard: ${shard}`);
    const known = this.#shards.get(number);
    if (known !== undefined) return known;
    const driver = new ShardDriver(number);
    this.#shards.set(number, driver);
    this.#twins.set(number, new ShardStateMachine(number));
    return driver;
  }

  #id(name: string | undefined): TransactionId {
    const id = this.#ids.get(name ?? "");
    if (id === undefined) throw new Error(`No such transaction: ${name}`);
    return id;
  }

  #name(id: TransactionId): string {
    const found = [...this.#ids].find(([, each]) => formatTransactionId(each) === formatTransactionId(id));
    return found?.[0] ?? formatTransactionId(id);
  }
}

function request({ keys, range }: Words) {
  const ranges =
    range === undefined ? [] : [{ range: rangeOf(range), isReverse: false, limit: 1000, bytesMax: 1e9 }];
  return { keys: keys === undefined ? [] : keys.split(","), ranges };
}

/** `a..c`, the bound excluded; `..` for all. */
function rangeOf(text: string): KeyRange {
  const [low = "", high = ""] = text.split("..");
  return high === "" ? { ...ALL, low } : { low, high, isHighIncluded: false };
}

/** `a:3,b:0` */
function versions(text: string | undefined): Record<string, number> {
  return Object.fromEntries(
    (text?.split(",") ?? []).map((pair) => [pair.split(":")[0]!, Number(pair.split(":")[1])]),
  );
}

function description(words: Words): Description {
  const puts = Object.fromEntries(
    (words.write?.split(",") ?? []).map((pair) => pair.split(":") as [string, string]),
  );
  return {
    puts,
    reads: versions(words.read),
    ...(words.range === undefined ? {} : { ranges: [rangeOf(words.range)] }),
    ...(words.delete === undefined ? {} : { deletes: words.delete.split(",") }),
    ...(words.ensure === undefined ? {} : { ensures: words.ensure.split(",") }),
    ...(words.back === undefined ? {} : { readBack: words.back.split(",") }),
    ...(words.isolation === undefined ? {} : { isolation: words.isolation as IsolationLevel }),
    ...(words.base === undefined ? {} : { baselines: versions(words.base) }),
    ...(words.on === undefined ? {} : { onConflict: words.on as "ignore" | "replace" | "append" }),
    ...(words.snapshot === undefined ? {} : { snapshot: Number(words.snapshot) }),
    ...(words.observed === undefined ? {} : { observed: Number(words.observed) }),
    ...(words.proposed === undefined ? {} : { proposed: Number(words.proposed) }),
  };
}
