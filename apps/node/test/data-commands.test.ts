/** get, put, delete, scan, txn and watch as processes, on a cluster of three nodes; and that a store in a directory serves as well. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tableFromIPC } from "apache-arrow";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TemporaryDirectory } from "../src/demo/temporary-directory.ts";
import { CALM } from "./node/calm.ts";
import { LocalCluster } from "./node/local-cluster.ts";
import { runKhonsu, runKhonsuWith } from "./run-khonsu.ts";

const directory = new TemporaryDirectory("khonsu-commands-");
afterAll(() => directory[Symbol.dispose]());
const file = (name: string, text: string) => {
  writeFileSync(join(directory.path, name), text);
  return join(directory.path, name);
};
let cluster: LocalCluster;
const env = () => ({ KHONSU_ADDRESS: cluster.nodes.map(({ address }) => address).join(",") });
const khonsu = (...args: string[]) => runKhonsuWith({ env: env() }, ...args);
const khonsuWithInput = (input: string | Uint8Array, ...args: string[]) =>
  runKhonsuWith({ env: env(), input }, ...args);

const ACCOUNTS = "id,name,balance\n1,Ada,10.5\n2,Grace,\n";

afterAll(() => cluster.close());
beforeAll(async () => {
  cluster = await LocalCluster.open(3, CALM);
  const put = await khonsu("put", "accounts/all", file("accounts.csv", ACCOUNTS));
  expect(put).toMatchObject({
    status: 0,
    stdout: "",
    stderr: expect.stringMatching(/^accounts\/all: 2 rows, committed at \d+\n$/),
  });
});

describe("get", () => {
  test("prints CSV, JSON lines, a table, or Arrow", async () => {
    expect(await khonsu("get", "accounts/all")).toEqual({ status: 0, stdout: ACCOUNTS, stderr: "" });
    const json = await khonsu("get", "accounts/all", "--format", "json");
    expect(json.stdout).toBe(
      '{"id":1,"name":"Ada","balance":10.5}\n{"id":2,"name":"Grace","balance":null}\n',
    );
    const table = await khonsu("get", "accounts/all", "--format", "table");
    expect(table.stdout).toContain("│     1 │ Ada   │    10.5 │");
    const arrow = join(directory.path, "out.arrow");
    expect(await khonsu("get", "accounts/all", "-o", arrow)).toMatchObject({ status: 0, stdout: "" });
    expect(tableFromIPC(readFileSync(arrow)).numRows).toBe(2);
  });

  test("says so, with status 1, where the key is absent", async () => {
    expect(await khonsu("get", "nothing")).toEqual({
      status: 1,
      stdout: "",
      stderr: 'khonsu: KHONSU_KEY_ABSENT: There is no key "nothing"\n',
    });
  });

  test("names a directory without a store", async () => {
    const { status, stderr } = await runKhonsu("get", "a", "--dir", join(directory.path, "none"));
    expect([status, stderr]).toEqual([1, expect.stringContaining("khonsu: There is no store in ")]);
  });
});

describe("put", () => {
  test("reads standard input, appends and upserts", async () => {
    await khonsuWithInput('{"id":1,"n":1}\n', "put", "put/a", "-");
    await khonsuWithInput('{"id":2,"n":2}\n', "put", "put/a", "-", "--append", "--key-column", "id");
    await khonsuWithInput("id,n\n2,20\n3,30\n", "put", "put/a", "-", "--upsert");
    expect((await khonsu("get", "put/a")).stdout).toBe("id,n\n1,1\n2,20\n3,30\n");
  });

  test("passes Arrow on from get", async () => {
    const { stdout } = await khonsu("get", "accounts/all", "-o", join(directory.path, "pipe.arrows"));
    expect(stdout).toBe("");
    const put = await khonsuWithInput(readFileSync(join(directory.path, "pipe.arrows")), "put", "put/b", "-");
    expect(put.status).toBe(0);
    expect((await khonsu("get", "put/b")).stdout).toBe(ACCOUNTS);
  });

  test("only if the key is absent, or has a version", async () => {
    const path = file("one.csv", "id\n1\n");
    expect((await khonsu("put", "put/c", path, "--if-absent")).status).toBe(0);
    const again = await khonsu("put", "put/c", path, "--if-absent");
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining("KHONSU_VERSION_MISMATCH")]);
    const keys = await khonsu("scan", "--from", "put/c", "--to", "put/d", "--keys", "--format", "json");
    const { version } = JSON.parse(keys.stdout);
    expect((await khonsu("put", "put/c", path, "--if-version", String(version))).status).toBe(0);
    const stale = await khonsu("put", "put/c", path, "--if-version", String(version));
    expect([stale.status, stale.stderr]).toEqual([1, expect.stringContaining("KHONSU_VERSION_MISMATCH")]);
  });

  test("takes types from --schema, and names the line that does not fit", async () => {
    const path = file("typed.csv", "id,at\n1,2026-11-22T10:00:00\n300,\n");
    const schema = ["--schema", "id: uint8, at: timestamp[s]"];
    const wrong = await khonsu("put", "put/d", path, ...schema);
    expect(wrong).toMatchObject({ status: 1, stdout: "" });
    expect(wrong.stderr).toMatch(
      /^khonsu: KHONSU_FILE_INVALID: Cannot read .*typed.csv, line 3: column "id"/,
    );
    expect((await khonsu("get", "put/d")).status).toBe(1);
  });
});

test("scan prints many keys with the key of each row, a selection of them, or only the keys", async () => {
  for (const [key, rows] of [
    ["scan/a", "n\n1\n2\n"],
    ["scan/b", "n\n3\n"],
    ["scan/c", "n\n4\n"],
  ] as const)
    await khonsuWithInput(rows, "put", key, "-");
  const all = await khonsu("scan", "--prefix", "scan/");
  expect(all.stdout).toBe("_key,n\nscan/a,1\nscan/a,2\nscan/b,3\nscan/c,4\n");
  const some = await khonsu("scan", "--prefix", "scan/", "--reverse", "--limit", "2");
  expect(some.stdout).toBe("_key,n\nscan/c,4\nscan/b,3\n");
  const range = await khonsu("scan", "--from", "scan/b", "--to", "scan/c");
  expect(range.stdout).toBe("_key,n\nscan/b,3\n");
  const keys = await khonsu("scan", "--prefix", "scan/", "--keys");
  expect(keys.stdout).toMatch(/^_key,rows,version\nscan\/a,2,\d+\nscan\/b,1,\d+\nscan\/c,1,\d+\n$/);
  expect(await khonsu("scan", "--prefix", "none/")).toEqual({ status: 0, stdout: "_key\n", stderr: "" });
});

test("scan says where keys have different columns", async () => {
  await khonsuWithInput("n\n1\n", "put", "mixed/a", "-");
  await khonsuWithInput("m\nx\n", "put", "mixed/b", "-");
  const { status, stderr } = await khonsu("scan", "--prefix", "mixed/");
  expect([status, stderr]).toEqual([
    1,
    expect.stringContaining("Cannot write rows of two schemas into one file"),
  ]);
});

test("delete removes all keys or none", async () => {
  await khonsuWithInput("n\n1\n", "put", "delete/a", "-");
  const both = await khonsu("delete", "delete/a", "delete/none");
  expect(both).toMatchObject({
    status: 1,
    stderr: 'khonsu: KHONSU_KEY_ABSENT: There is no key "delete/none"\n',
  });
  expect((await khonsu("get", "delete/a")).status).toBe(0);
  const ok = await khonsu("delete", "delete/a", "delete/none", "--missing-ok");
  expect(ok).toMatchObject({ status: 0, stderr: "1 key deleted\n" });
  expect((await khonsu("get", "delete/a")).status).toBe(1);
});

describe("txn", () => {
  test("runs a script as one transaction, its own writes seen", async () => {
    const script = `# two accounts
schema id: int32, balance: decimal(9, 2)
put txn/ada {"id": 1, "balance": "10.00"}
put "txn/grace h" [{"id": 2, "balance": "0.50"}]
schema
append txn/log {"what": "opened"}
append txn/log @more.csv
expect txn/ada rows {"id": 1, "balance": "10.00"}
expect txn/none absent
get txn/none
scan txn/
`;
    file("more.csv", "what\nchecked\n");
    const { status, stdout, stderr } = await khonsu("txn", file("script.txt", script));
    expect(stderr).toMatch(/^committed at \d+\n$/);
    expect(status).toBe(0);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { line: 10, operation: "get", key: "txn/none", rows: null },
      { line: 11, operation: "scan", key: "txn/ada", rows: [{ id: 1, balance: "10.00" }] },
      { line: 11, operation: "scan", key: "txn/grace h", rows: [{ id: 2, balance: "0.50" }] },
      { line: 11, operation: "scan", key: "txn/log", rows: [{ what: "opened" }, { what: "checked" }] },
    ]);
    const table = await khonsuWithInput("get txn/log\n", "txn", "-", "--format", "table");
    expect(table.stderr).toBe("nothing was written\n");
    expect(table.stdout).toMatch(/^txn\/log\n┌/);
  });

  test("an expectation that does not hold undoes everything", async () => {
    const script = 'put undo/a {"n": 1}\nexpect undo/a version 7\n';
    const { status, stderr, stdout } = await khonsuWithInput(script, "txn", "-");
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toBe(
      'khonsu: KHONSU_EXPECTATION_FAILED: Line 2 expected "undo/a" to have version 7: it is absent. Nothing was changed\n',
    );
    expect((await khonsu("get", "undo/a")).status).toBe(1);
  });

  test("a line that is not understood is refused before anything is done", async () => {
    const { status, stdout, stderr } = await khonsuWithInput('put refused/a {"n": 1}\nfetch a\n', "txn", "-");
    expect(stderr).toBe(
      'khonsu: KHONSU_SCRIPT_INVALID: Cannot run standard input, line 2: "fetch" is no operation\n',
    );
    expect([status, stdout]).toEqual([1, ""]);
    expect((await khonsu("get", "refused/a")).status).toBe(1);
  });
});

test("a store in a directory serves as well", async () => {
  const embedded = { env: { KHONSU_DIR: join(directory.path, "store") } };
  const put = await runKhonsuWith({ ...embedded, input: "n\n1\n" }, "put", "a", "-");
  expect(put).toMatchObject({ status: 0, stderr: expect.stringMatching(/^a: 1 row, committed at \d+\n$/) });
  expect((await runKhonsuWith(embedded, "get", "a")).stdout).toBe("n\n1\n");
  const keys = await runKhonsuWith(embedded, "scan", "--keys", "--format", "json");
  const { version } = JSON.parse(keys.stdout);
  const script = `expect a version ${version}\nput a {"n": 2}\nget a\n`;
  const txn = await runKhonsuWith({ ...embedded, input: script }, "txn", "-");
  expect(JSON.parse(txn.stdout).rows).toEqual([{ n: 2 }]);
});

test("a cluster that cannot be reached is an error with its code", async () => {
  const { status, stderr, stdout } = await runKhonsu("get", "a", "--address", "127.0.0.1:1");
  expect(stderr).toMatch(/^khonsu: KHONSU_UNAVAILABLE: /);
  expect([status, stdout]).toEqual([1, ""]);
});

test("watch prints changes from a timestamp on, as many as asked for", async () => {
  const { stderr } = await khonsuWithInput("n\n1\n", "put", "watch/a", "-");
  const since = Number(stderr.match(/committed at (\d+)/)?.[1]) - 1;
  await khonsu("delete", "watch/a");
  const args = ["watch", "--prefix", "watch/", "--from-timestamp", String(since), "--count", "2"];
  const json = await khonsu(...args);
  expect(json.status).toBe(0);
  const changes = json.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(changes).toEqual([
    { timestamp: since + 1, kind: "put", key: "watch/a", rows: [{ n: 1 }] },
    { timestamp: expect.any(Number), kind: "delete", key: "watch/a", rows: null },
  ]);
  const text = await khonsu(...args, "--format", "text");
  expect(text.stdout).toMatch(/^\d+ {2}put {5}watch\/a {2}1 row\n\d+ {2}delete {2}watch\/a\n$/);
});
