/** Three members of etcd with its defaults, which sync each write before it counts. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { noop } from "cockatiel";
import { Etcd3 } from "etcd3";
import { Unavailable } from "../compare.ts";
import { freePorts } from "./free-ports.ts";
import { MemberProcess } from "./member-process.ts";
import { MEMBERS, type TestCluster } from "./test-cluster.ts";

const CALL_MS = 1000;

/** @throws Unavailable where etcd is not installed. */
export async function etcdCluster(directory: string): Promise<TestCluster> {
  if (spawnSync("etcd", ["--version"]).status !== 0)
    throw new Unavailable("etcd is not installed; on Debian: apt-get install etcd-server");
  const ports = await freePorts(2 * MEMBERS);
  const url = (port: number) => `http://127.0.0.1:${port}`;
  const clientPorts = ports.slice(0, MEMBERS);
  const peerPorts = ports.slice(MEMBERS);
  const initial = peerPorts.map((port, index) => `m${index}=${url(port)}`).join(",");
  const members = clientPorts.map((port, index) => {
    const peer = url(peerPorts[index]!);
    const flags: Record<string, string> = {
      name: `m${index}`,
      "data-dir": join(directory, `m${index}`),
      "listen-client-urls": url(port),
      "advertise-client-urls": url(port),
      "listen-peer-urls": peer,
      "initial-advertise-peer-urls": peer,
      "initial-cluster": initial,
      "initial-cluster-token": `bench-${ports.join("-")}`,
      "log-level": "warn",
    };
    return new MemberProcess(
      "etcd",
      Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
    );
  });
  const addresses = clientPorts.map((port) => `127.0.0.1:${port}`);
  return {
    kind: "etcd",
    addresses,
    members,
    isReady: async (index) => (await statusOf(addresses[index]!)) !== undefined,
    leaderOf: () => leaderAmong(addresses),
    close: async () => {},
  };
}

interface Status {
  readonly member: string;
  readonly leader: string;
}

/** Undefined while the member does not answer, or knows no leader. */
async function statusOf(address: string): Promise<Status | undefined> {
  const response = await fetch(`http://${address}/v3/maintenance/status`, {
    method: "POST",
    body: "{}",
    signal: AbortSignal.timeout(2000),
  }).catch(() => undefined);
  const status = (await response?.json().catch(() => undefined)) as
    | { leader?: string; header?: { member_id?: string } }
    | undefined;
  const { leader, header } = status ?? {};
  if (leader === undefined || leader === "0" || header?.member_id === undefined) return undefined;
  return { member: header.member_id, leader };
}

async function leaderAmong(addresses: readonly string[]): Promise<number | undefined> {
  const statuses = await Promise.all(addresses.map(statusOf));
  const known = statuses.find((status) => status !== undefined);
  if (known === undefined) return undefined;
  const index = statuses.findIndex((status) => status?.member === known.leader);
  return index < 0 ? undefined : index;
}

/**
 * A client that is kind to etcd where its leader is lost: a call that the lost leader swallowed is given up after a second, not
 * after the seven of the server, and no member is left out for five seconds because calls to it failed.
 *
 * @param callMs what a call may take, in milliseconds; Infinity leaves it to the server. Default: 1000
 */
export function etcdClient(addresses: readonly string[], callMs = CALL_MS): Etcd3 {
  return new Etcd3({
    hosts: addresses.map((address) => `http://${address}`),
    defaultCallOptions: ({ isStream }) =>
      isStream || callMs === Number.POSITIVE_INFINITY ? {} : { deadline: Date.now() + callMs },
    faultHandling: { host: () => noop, global: noop },
  });
}
