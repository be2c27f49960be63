// The command as a user meets it: samples, exit status, forms of output.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { run } from "../src/cli/program.ts";

const samples = join(import.meta.dirname, "..", "samples");
const directory = mkdtempSync(join(tmpdir(), "khonsu-check-"));
afterAll(() => rmSync(directory, { recursive: true }));

async function khonsuCheck(
  args: readonly string[],
  input = "",
): Promise<{ status: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const status = await run(args, {
    input: (async function* () {
      yield input;
    })(),
    output: (text) => {
      out += text;
    },
    errors: (text) => {
      err += text;
    },
  });
  return { status, out: out.replaceAll(samples, "samples").replaceAll(directory, "out"), err };
}

describe("khonsu-check", () => {
  it("tells an anomaly in words, draws it, and exits with 1", async () => {
    const { status, out } = await khonsuCheck([join(samples, "write-skew.jsonl"), "--svg", directory]);
    expect(status).toBe(1);
    expect(out).toMatchInlineSnapshot(`
      "samples/write-skew.jsonl: 5 operations of 3 processes (4 ok, 1 fail, 0 unknown)

      G2-item
        Let:
          T1 (process 0, 10 to 19): r on-call/alice [1] · r on-call/bob [2] · append on-call/alice 3
          T2 (process 1, 11 to 20): r on-call/alice [1] · r on-call/bob [2] · append on-call/bob 4
        Then:
          T1 before T2 (rw): T1 read "on-call/bob" = [2], without 4 that T2 appended.
          T2 before T1 (rw): T2 read "on-call/alice" = [1], without 3 that T1 appended.
        So T1 < T2 < T1: each missed the write of the next: no serial order gives these reads (write skew).
        Picture: out/G2-item.svg

      Not ruled out: read-uncommitted, read-committed, cursor-stability, snapshot-isolation, strong-session-snapshot-isolation, strong-snapshot-isolation.
      Not strict-serializable: G2-item.
      "
    `);
    const svg = readFileSync(join(directory, "G2-item.svg"), "utf8");
    expect(svg).toContain("T2 read &#34;on-call/alice&#34; = [1], without 3 that T1 appended");
  });

  it("exits with 0 when the model allows what it found", async () => {
    const { status, out } = await khonsuCheck([
      join(samples, "write-skew.jsonl"),
      "--model",
      "repeatable-read",
    ]);
    expect(status).toBe(0);
    expect(out).toContain("Seen as well, though repeatable-read allows it:");
    expect(out).toContain("No anomaly that repeatable-read proscribes.");
  });

  it("reads a history of Jepsen", async () => {
    const strict = await khonsuCheck([join(samples, "stale-read.edn")]);
    expect(strict.status).toBe(1);
    expect(strict.out).toContain("Not strict-serializable: G-single-realtime.");
    const serializable = await khonsuCheck([join(samples, "stale-read.edn"), "-m", "serializable"]);
    expect(serializable.status).toBe(0);
  });

  it("checks registers for linearizability", async () => {
    const { status, out } = await khonsuCheck([
      join(samples, "register.jsonl"),
      "-m",
      "linearizable",
      "--svg",
      directory,
    ]);
    expect(status).toBe(1);
    expect(out).toContain(
      'T4 (process 0, 8 to 11) had to take effect by 11, and "r leader "n1"" is not possible there.',
    );
    expect(readdirSync(directory)).toContain("not-linearizable.svg");
  });

  it("makes small checks", async () => {
    const bank = '{"process":0,"invoke":0,"complete":1,"outcome":"ok","ops":[["r","a",60],["r","b",50]]}';
    const { status, out } = await khonsuCheck(
      ["-", "-m", "none", "--also", "bank=100", "monotonic-reads"],
      bank,
    );
    expect(status).toBe(1);
    expect(out).toContain("The accounts hold 110 together, not 100.");
    expect(out).toContain("bank: 1 observations judged.");
    expect((await khonsuCheck(["-", "-m", "none", "--also", "bank=110"], bank)).status).toBe(0);
  });

  it("prints JSON for programs", async () => {
    const { out } = await khonsuCheck([join(samples, "write-skew.jsonl"), "--json"]);
    const verdict = JSON.parse(out);
    expect(verdict).toMatchObject({
      operations: 5,
      model: "strict-serializable",
      valid: false,
      counts: { "G2-item": 1 },
    });
    expect(verdict.faults[0]).toMatchObject({ kind: "G2-item", transactions: [1, 2] });
    expect(verdict.faults[0].operations[0]).toMatchObject({ index: 1, process: 0, outcome: "ok" });
    expect(verdict.faults[0].cycle.map((edge: { kind: string }) => edge.kind)).toEqual(["rw", "rw"]);
  });

  it("converts, and finds the same in what it wrote", async () => {
    for (const to of ["edn", "json", "jsonl"]) {
      const written = await khonsuCheck(["convert", join(samples, "write-skew.jsonl"), "--to", to]);
      expect(written.status).toBe(0);
      const again = await khonsuCheck(["-"], written.out);
      expect(again.out).toContain("Not strict-serializable: G2-item.");
    }
    const file = join(directory, "register.porcupine.json");
    await khonsuCheck(["convert", join(samples, "register.jsonl"), "--to", "porcupine", "--out", file]);
    expect((await khonsuCheck([file, "-m", "linearizable"])).status).toBe(1);
  });

  const unusable: [string, string[], string, string][] = [
    ["a missing file", [join(samples, "none.jsonl")], "", "ENOENT"],
    [
      "a line that is no operation",
      ["-"],
      '{"process":0,"invoke":0,"ops":[]}\n',
      'standard input:1: "outcome" is',
    ],
    ["an unknown model", [join(samples, "write-skew.jsonl"), "-m", "acid"], "", "Allowed choices are"],
    [
      "an unknown check",
      [join(samples, "write-skew.jsonl"), "--also", "luck"],
      "",
      "No check is called luck",
    ],
    ["no history", [], "", "missing required argument"],
    [
      "transactions to linearize",
      [join(samples, "write-skew.jsonl"), "-m", "linearizable"],
      "",
      "Cannot check T0",
    ],
    ["an initial value that is no JSON", [join(samples, "register.jsonl"), "--initial", "{"], "", "JSON"],
  ];
  it.each(unusable)("exits with 2 for %s", async (_, args, input, message) => {
    const { status, err } = await khonsuCheck(args, input);
    expect(status).toBe(2);
    expect(err).toContain(message);
  });

  it("exits with 3 when it cannot decide", async () => {
    const lines = Array.from(
      { length: 12 },
      (_, process) =>
        `{"process":${process},"invoke":0,"complete":99,"outcome":"ok","ops":[["w","x",${process}]]}`,
    );
    const impossible = '{"process":99,"invoke":100,"complete":101,"outcome":"ok","ops":[["r","x","none"]]}';
    const history = [...lines, impossible].join("\n");
    const { status, out } = await khonsuCheck(["-", "-m", "linearizable", "--limit", "1000"], history);
    expect(out).toContain('Given up, because the search grew too large: key "x".');
    expect(status).toBe(3);
    expect((await khonsuCheck(["-", "-m", "linearizable"], history)).status).toBe(1);
  });

  it("shows its help", async () => {
    const { status, out } = await khonsuCheck(["--help"]);
    expect(status).toBe(0);
    expect(out).toContain("khonsu-check bank.edn --model none --also bank=100");
  });
});
