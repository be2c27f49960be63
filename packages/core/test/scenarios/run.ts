/** Runs a scenario and writes down what happened. */
import { interleavings } from "../schedules/program.ts";
import type { Scenario, Step } from "./parse.ts";
import { World } from "./world.ts";

type Level = Scenario["levels"][number];

export async function runScenario(scenario: Scenario): Promise<string> {
  const parts: string[] = [];
  for (const level of scenario.levels) {
    if (scenario.permutations.length === 0) parts.push(await everyInterleaving(scenario, level));
    for (const steps of scenario.permutations) parts.push(await onePermutation(scenario, level, steps));
  }
  return parts.join("\n");
}

async function onePermutation(scenario: Scenario, level: Level, steps: readonly Step[]): Promise<string> {
  const world = await World.open(scenario, level);
  const lines = [`${level}: ${names(steps)}`];
  for (const step of steps) lines.push(...(await world.take(step)).map((line) => `  ${line}`));
  // With a storage by hand, what is not durable could not be read to the end.
  if (!scenario.hasStorage) lines.push(`  = ${await world.contents()}`);
  return `${lines.join("\n")}\n`;
}

/** Each way in which the interleavings can end, how many end so, and the first of them. */
async function everyInterleaving(scenario: Scenario, level: Level): Promise<string> {
  const byClient = [...scenario.clients.keys()].map((client) =>
    [...scenario.steps.values()].filter((step) => step.client === client),
  );
  const ends = new Map<string, { count: number; first: readonly Step[] }>();
  let total = 0;
  for (const order of interleavings(byClient.map((steps) => steps.length))) {
    total++;
    const taken = byClient.map(() => 0);
    const steps = order.map((client) => byClient[client]![taken[client]!++]!);
    const world = await World.open(scenario, level);
    for (const step of steps) await world.take(step);
    const summary = await world.summary();
    const end = ends.get(summary) ?? { count: 0, first: steps };
    end.count++;
    ends.set(summary, end);
  }
  const lines = [...ends].sort(([a], [b]) => (a < b ? -1 : 1));
  const described = lines.map(
    ([summary, { count, first }]) => `  ${count}: ${summary}\n    first: ${names(first)}`,
  );
  return [`${level}: ${total} interleavings`, ...described, ""].join("\n");
}

function names(steps: readonly Step[]): string {
  return steps.map(({ name }) => name).join(" ");
}
