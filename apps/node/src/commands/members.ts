/** `khonsu members`: who is in the cluster, and changes of that. */
import { Command, InvalidArgumentError } from "commander";
import { type ConnectionFlags, wholeNumber, withNodes } from "./options.ts";

interface WaitFlags extends ConnectionFlags {
  readonly timeout: number;
  /** False for `--no-wait`. */
  readonly wait?: boolean;
}

const nodeNumber = wholeNumber(1, 2 ** 21 - 1);
const DEFAULT_SECONDS = 600;

export function membersCommand(): Command {
  return new Command("members")
    .description("Shows and changes who is in the cluster.")
    .addCommand(listCommand())
    .addCommand(addCommand())
    .addCommand(removeCommand())
    .addCommand(weightCommand())
    .addCommand(replicasCommand());
}

function listCommand(): Command {
  const command = new Command("list")
    .description("Lists the members, as the first node that answers knows them.")
    .option("--json", "as JSON")
    .action(list);
  return withNodes(command);
}

function addCommand(): Command {
  const command = new Command("add")
    .description(
      "Waits until the node at this address is a member and serves. A node asks by itself to be let in: start it with\nkhonsu serve --join and members of the cluster, such as 1@10.0.0.1:50052, first.",
    )
    .argument("<address>", "host:port of the new node", addressOf)
    .option("--timeout <seconds>", "how long to wait", wholeNumber(1, 86_400), DEFAULT_SECONDS)
    .action(add);
  return withNodes(command);
}

function removeCommand(): Command {
  const command = new Command("remove")
    .description(
      "Has a node leave: its replicas move to the others first, then it is let go and may be stopped for good. Works also for\na node that is dead. Returns once it is gone.",
    )
    .argument("<node>", "its number", nodeNumber)
    .option("--timeout <seconds>", "how long to wait", wholeNumber(1, 86_400), DEFAULT_SECONDS)
    .option("--no-wait", "only begin it")
    .action(remove);
  return withNodes(command);
}

function weightCommand(): Command {
  const command = new Command("weight")
    .description(
      "Sets the share of replicas that a node takes, relative to the others; replicas move until it fits.",
    )
    .argument("<node>", "its number", nodeNumber)
    .argument("<weight>", "above 0, at most 1000", weightOf)
    .action(async (node: number, weight: number, flags: ConnectionFlags) => {
      await change(flags, { kind: "update", node, weight });
      process.stderr.write(`node ${node} has weight ${weight}\n`);
    });
  return withNodes(command);
}

function replicasCommand(): Command {
  const command = new Command("replicas")
    .description("Sets how many replicas each shard has; they come and go until it fits.")
    .argument("<count>", "odd numbers stand the loss of most nodes for their cost", wholeNumber(1, 9))
    .action(async (replicas: number, flags: ConnectionFlags) => {
      await change(flags, { kind: "setReplicas", replicas });
      process.stderr.write(`shards are to have ${replicas} ${replicas === 1 ? "replica" : "replicas"}\n`);
    });
  return withNodes(command);
}

async function list(flags: ConnectionFlags & { readonly json?: true }): Promise<void> {
  const [{ fetchCluster }, { membersText }] = await Promise.all([
    import("../client/status/fetch-status.ts"),
    import("../client/status/members-text.ts"),
  ]);
  const answers = await fetchCluster(await connectionOf(flags));
  const members = answers[0]!.status!.members;
  process.stdout.write(flags.json ? `${JSON.stringify(members, undefined, 2)}\n` : membersText(answers));
}

async function add(address: string, flags: WaitFlags): Promise<void> {
  const { waitFor } = await import("../client/status/change-members.ts");
  const connection = await connectionOf(flags);
  await waitFor(
    connection,
    (answers) => {
      const [first] = answers;
      const member = first?.status?.members.find((member) => member.address === address);
      const own = answers.find((answer) => answer.address === address)?.status;
      return member?.state === "active" && own?.ready === true;
    },
    `${address} is a member and serves`,
    flags.timeout,
  );
  process.stderr.write(`${address} is a member and serves\n`);
}

async function remove(node: number, flags: WaitFlags): Promise<void> {
  const { waitFor } = await import("../client/status/change-members.ts");
  const connection = await connectionOf(flags);
  await change(flags, { kind: "remove", node });
  if (flags.wait === false) {
    process.stderr.write(`node ${node} is leaving\n`);
    return;
  }
  await waitFor(
    connection,
    (answers) => {
      const known = answers.find(({ status }) => status?.members.some((member) => member.node === node));
      const member = known?.status?.members.find((member) => member.node === node);
      return known === undefined || member?.state === "gone";
    },
    `node ${node} is gone`,
    flags.timeout,
  );
  process.stderr.write(`node ${node} is gone\n`);
}

type Change = Parameters<typeof import("../client/status/change-members.ts").changeMembers>[1];

async function change(flags: ConnectionFlags, command: Change): Promise<void> {
  const { changeMembers } = await import("../client/status/change-members.ts");
  await changeMembers(await connectionOf(flags), command);
}

async function connectionOf(flags: ConnectionFlags) {
  const { tlsOf, tokenOf } = await import("../client/credentials.ts");
  return { addresses: flags.address, token: await tokenOf(flags), tls: await tlsOf(flags) };
}

function addressOf(text: string): string {
  if (!/^(\[[0-9a-fA-F:.]+\]|[^\s:[\]/]+):\d{1,5}$/.test(text))
    throw new InvalidArgumentError('Expected "host:port".');
  return text;
}

function weightOf(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0 && value <= 1000))
    throw new InvalidArgumentError("Expected a number above 0, at most 1000.");
  return value;
}
