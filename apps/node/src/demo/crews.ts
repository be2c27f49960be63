/**
 * Write skew under load: in each of many crews both members, at the same time, go off duty if the other stays. The rule "one
 * of two stays" spans two keys, of which each transaction writes one: only `serializable` keeps it.
 */
import type { IsolationLevel, Khonsu, Transaction } from "@khonsu/core";
import { tableFromArrays } from "apache-arrow";
import { LEVELS } from "./anomalies.ts";
import { type Check, check } from "./check.ts";
import { turn } from "./workers.ts";

const CREWS = 200;
const MEMBERS = ["captain", "copilot"] as const;

export interface CrewResult {
  readonly isolation: IsolationLevel;
  readonly crews: number;
  /** Crews with nobody left on duty. */
  readonly broken: number;
  readonly retries: number;
}

export async function runCrews(db: Khonsu): Promise<{ crews: CrewResult[]; checks: Check[] }> {
  const crews: CrewResult[] = [];
  for (const level of LEVELS) crews.push(await runLevel(db, level));
  const broken = crews.find(({ isolation }) => isolation === "serializable")?.broken;
  const name = "Under serializable every crew keeps one member on duty";
  return { crews, checks: [check(name, broken === 0, `${broken} of ${CREWS} crews were left alone`)] };
}

async function runLevel(db: Khonsu, isolation: IsolationLevel): Promise<CrewResult> {
  const all = Array.from({ length: CREWS }, (_, crew) => crew);
  await db.transact((tx) => {
    for (const crew of all) for (const member of MEMBERS) setOnDuty(tx, crew, member, true);
  });
  const retries = db.stats().retries;
  await Promise.all(all.flatMap((crew) => MEMBERS.map((member) => goOffDuty(db, isolation, crew, member))));
  const broken = await db.transact((tx) => all.filter((crew) => onDuty(tx, crew) === 0).length);
  return { isolation, crews: CREWS, broken, retries: db.stats().retries - retries };
}

function goOffDuty(db: Khonsu, isolation: IsolationLevel, crew: number, member: string): Promise<void> {
  return db.transact(
    async (tx) => {
      const others = onDuty(tx, crew) - 1;
      await turn();
      if (others > 0) setOnDuty(tx, crew, member, false);
    },
    { isolation },
  );
}

function keyOf(crew: number, member: string): string {
  return `crew/${crew}/${member}`;
}

function setOnDuty(tx: Transaction, crew: number, member: string, isOnDuty: boolean): void {
  tx.write(keyOf(crew, member), tableFromArrays({ onDuty: [isOnDuty] }));
}

function onDuty(tx: Transaction, crew: number): number {
  return MEMBERS.filter((member) => tx.read(keyOf(crew, member))?.getChild("onDuty")?.get(0) === true).length;
}
