import { describe, expect, it } from "vitest";
import { checkLinearizable, checkTransactions } from "../checkers/index.ts";
import type { MicroOp, Operation } from "../history/operation.ts";
import { drawAnomaly } from "./draw-anomaly.ts";
import { drawLinearizabilityFailure } from "./draw-linearizability.ts";
import { shortened, wrapped } from "./svg.ts";

const at = (process: number, ops: MicroOp[]): Operation => ({
  process,
  invoke: 0,
  complete: 9,
  outcome: "ok",
  ops,
});

/** Tags in pairs, nothing unescaped: enough of XML for what this package writes. */
function assertWellFormed(svg: string): void {
  const open: string[] = [];
  for (const [tag, closing, name, selfClosing] of svg.matchAll(/<(\/?)([a-z]+)(?:\s[^<>]*?)?(\/?)>/g)) {
    if (closing) expect(open.pop(), tag).toBe(name);
    else if (!selfClosing) open.push(name!);
  }
  expect(open).toEqual([]);
  expect(svg.replace(/<\/?[a-z]+(\s[^<>]*?)?\/?>/g, "")).not.toMatch(/[<>]|&(?!#\d+;)/);
}

describe("pictures", () => {
  it("show every transaction of a cycle, and every edge with its reason, with odd keys escaped", () => {
    const key = 'a<b>&"c"\u0007';
    const history = [
      at(0, [
        ["r", key, []],
        ["append", "y", 1],
      ]),
      at(1, [
        ["r", "y", []],
        ["append", key, 2],
      ]),
    ];
    const anomaly = checkTransactions(history).anomalies[0]!;
    const svg = drawAnomaly(anomaly, history);
    assertWellFormed(svg);
    for (const name of ["T0", "T1"]) expect(svg).toContain(`font-weight="bold">${name}</text>`);
    expect(svg.match(/marker-end/g)).toHaveLength(anomaly.cycle.length);
    expect(svg).toContain("T1 read &#34;y&#34; = [], without 1 that T0 appended");
    expect(svg).not.toContain("\u0007");
  });

  it("show an anomaly without a cycle", () => {
    const history = [
      at(0, [
        ["append", "x", 1],
        ["r", "x", []],
      ]),
    ];
    const svg = drawAnomaly(checkTransactions(history).anomalies[0]!, history);
    assertWellFormed(svg);
    expect(svg).toContain("internal: T0");
  });

  it("leave out steps of long transactions that have no part in it", () => {
    const many = Array.from({ length: 30 }, (_, number): MicroOp => ["append", `other/${number}`, number]);
    const history = [
      at(0, [["r", "x", []], ...many, ["append", "y", 1]]),
      at(1, [
        ["r", "y", []],
        ["append", "x", 2],
      ]),
    ];
    const svg = drawAnomaly(checkTransactions(history).anomalies[0]!, history);
    expect(svg).toContain("… and 30 more steps");
    expect(svg).not.toContain("other/7");
  });

  it("show the operation that fits nowhere", () => {
    const history: Operation[] = [
      { process: 0, invoke: 0, complete: 1, outcome: "ok", ops: [["w", "x", 1]] },
      { process: 1, invoke: 2, outcome: "unknown", ops: [["w", "x", 2]] },
      { process: 2, invoke: 3, complete: 4, outcome: "ok", ops: [["r", "x", 3]] },
      { process: 3, invoke: 5, complete: 6, outcome: "ok", ops: [["r", "x", 2]] },
    ];
    const svg = drawLinearizabilityFailure(checkLinearizable(history).failures[0]!, history);
    assertWellFormed(svg);
    expect(svg).toContain('fill="#ffb3b8" stroke="#da1e28"');
    expect(svg).toContain("process 2");
  });

  it("break and cut long texts", () => {
    expect(wrapped("one two three", 8)).toEqual(["one two", "three"]);
    expect(shortened("abcdefghijklmnop", 9)).toBe("abc … nop");
    expect(wrapped("x".repeat(50), 20)[0]).toHaveLength(20);
  });
});
