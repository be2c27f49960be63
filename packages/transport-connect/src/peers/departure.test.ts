import { expect, test } from "vitest";
import { NodeDeparture } from "./departure.ts";

const endOfTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** What happened, in order, until the turn was over in which `begin` ran. */
async function turn(begin: (log: (what: string) => void) => void): Promise<string[]> {
  const happened: string[] = [];
  await endOfTurn();
  process.nextTick(() => begin((what) => happened.push(what)));
  await endOfTurn();
  await endOfTurn();
  return happened;
}

test("a message leaves once all that follows is done, before what waits for the end of the turn", async () => {
  const departure = new NodeDeparture();
  const happened = await turn((log) => {
    setImmediate(() => log("disk"));
    departure.schedule(() => log("left"));
    void Promise.resolve()
      .then(() => log("one"))
      .then(() => log("two"))
      .then(() => log("three"));
  });
  expect(happened).toEqual(["one", "two", "three", "left", "disk"]);
});

test("what else comes in a turn leaves together, at its end", async () => {
  const departure = new NodeDeparture();
  const twoTimers = (log: (what: string) => void) => {
    departure.schedule(() => log("first"));
    process.nextTick(() => departure.schedule(() => log("second")));
    process.nextTick(() => process.nextTick(() => log("more")));
  };
  expect(await turn(twoTimers)).toEqual(["more", "first", "second"]);
  expect(await turn(twoTimers)).toEqual(["more", "first", "second"]);
});

test("while messages are filled, the next one leaves at the end of the turn", async () => {
  const departure = new NodeDeparture();
  const order = (log: (what: string) => void) => {
    setImmediate(() => log("disk"));
    departure.schedule(() => log("left"));
  };
  departure.hasLeft(3);
  expect(await turn(order)).toEqual(["disk", "left"]);
  departure.hasLeft(2);
  expect(await turn(order)).toEqual(["left", "disk"]);
});
