import { describe, expect, test } from "vitest";
import { Trace } from "./trace.ts";

describe("trace", () => {
  test("keeps the last lines and a digest of all", () => {
    const fill = (linesMax: number, marker: string) => {
      const trace = new Trace({ linesMax });
      trace.add(1_500, "n1", marker);
      for (let index = 0; index < 10; index += 1) trace.add(index, undefined, () => `line ${index}`);
      return trace;
    };
    const short = fill(3, "start");
    expect(short.lines.map((line) => line.trim())).toEqual([
      "0.007 -   line 7",
      "0.008 -   line 8",
      "0.009 -   line 9",
    ]);
    expect(short.droppedLines).toBe(8);
    expect(fill(100, "start").digest).toBe(short.digest);
    expect(fill(100, "other").digest).not.toBe(short.digest);
    expect(fill(100, "start").lines[0]).toBe("     1.500 n1  start");
  });

  test("without lines nothing is built", () => {
    const trace = new Trace({ linesMax: 0 });
    trace.add(0, 1, () => {
      throw new Error("built");
    });
    expect(trace.isOn).toBe(false);
    expect(trace.lines).toEqual([]);
  });
});
