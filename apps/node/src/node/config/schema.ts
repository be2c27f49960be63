/**
 * The configuration of a node, as its file has it: every field with its unit, default and bounds. `z.toJSONSchema` makes
 * `khonsu.config.schema.json` of it, and docs/operations.md explains it to people.
 */
import { z } from "zod";

const NODE_MAX = 2 ** 20 - 1;
const MIB = 2 ** 20;

const address = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:[\]/]+):\d{1,5}$/, 'expected "host:port", such as "10.0.0.1:50052"')
  .refine((text) => Number(text.slice(text.lastIndexOf(":") + 1)) <= 65_535, "the port is above 65535");
const nodeId = z.int().min(1).max(NODE_MAX);
const path = z.string().min(1);
const zone = z.string().min(1).max(256);
const weight = z.number().positive().max(1000);
const milliseconds = z
  .int()
  .min(1)
  .max(2 ** 31 - 1);

const founder = z.strictObject({ node: nodeId, address }).describe("A founding member.");

const tls = z
  .strictObject({
    certificate: path.describe("PEM file: the certificate, with those between it and its authority."),
    key: path.describe("PEM file: its private key."),
    peerAuthority: path
      .optional()
      .describe(
        "PEM file: whose certificates other nodes must show (mutual TLS). Without it anybody who reaches the port can speak as a node.",
      ),
    clientAuthority: path
      .optional()
      .describe(
        "PEM file: whose certificates clients must show, beside a token where there are tokens. Another authority than that of the nodes, which it needs.",
      ),
  })
  .describe(
    "For clients and for other nodes. Without it the port speaks as it is, to everybody who reaches it.",
  );

export const configSchema = z
  .strictObject({
    $schema: z.string().optional().describe("For editors; not looked at."),
    node: nodeId.describe("The number of this node, unique in the cluster and for life."),
    cluster: z
      .string()
      .regex(
        /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
        "expected up to 63 letters, digits, dots, dashes, underscores",
      )
      .describe("The name of the cluster, for people: it is in the log and in the status."),
    data: path.describe("The directory of everything that is durable; relative to the configuration file."),
    found: z
      .array(founder)
      .min(1)
      .max(64)
      .optional()
      .describe(
        "All founding members, this node included, the same list on each of them. Looked at once, while the data directory is empty.",
      ),
    join: z
      .array(
        z.string().regex(/^\d{1,7}@(\[[0-9a-fA-F:.]+\]|[^\s:[\]/]+):\d{1,5}$/, 'expected "node@host:port"'),
      )
      .min(1)
      .max(64)
      .optional()
      .describe(
        'Members of a cluster that this node is to join, instead of founding one, as "node@host:port", such as "1@10.0.0.1:50052".',
      ),
    listen: z
      .strictObject({
        host: z.string().min(1).default("127.0.0.1").describe("The interface to listen on."),
        port: z
          .int()
          .min(0)
          .max(65_535)
          .optional()
          .describe("Default: that of this node in `found`, or else 50051 + node. 0: any that is free."),
      })
      .prefault({}),
    advertise: address
      .optional()
      .describe(
        "Where others reach this node. Default: as `found` has it, or else listen.host and the port that it listens on.",
      ),
    zone: zone
      .optional()
      .describe("Replicas of a shard are put into different zones, as far as there are enough."),
    weight: weight.default(1).describe("The share of replicas of this node, relative to others."),
    placement: z
      .strictObject({
        shards: z
          .int()
          .min(1)
          .max(16_384)
          .default(16)
          .describe("How many shards; fixed when the cluster is founded."),
        replicas: z
          .int()
          .min(1)
          .max(9)
          .default(3)
          .describe("Replicas of each shard, as far as there are nodes."),
        delimiter: z
          .string()
          .refine((text) => text.length === 1 && text <= "\x7f", "expected one ASCII character")
          .optional()
          .describe(
            "Only what comes before it in a key is hashed, so that a scan within stays in one shard. Fixed likewise.",
          ),
      })
      .prefault({}),
    tls: tls.optional(),
    tokens: path
      .optional()
      .describe(
        "JSON file of the bearer tokens of clients that are let in; read again when it changes. Without it everybody is.",
      ),
    browserOrigins: z
      .array(z.string().min(1))
      .max(256)
      .default([])
      .describe(
        'Origins of pages in browsers that may call this node, such as "https://app.example", or "*".',
      ),
    limits: z
      .strictObject({
        messageBytes: z
          .int()
          .min(MIB)
          .max(64 * MIB)
          .default(8 * MIB)
          .describe(
            "The largest message of a client or a peer, and with it the largest transaction, in bytes.",
          ),
        requestsInFlight: z
          .int()
          .min(1)
          .max(1_000_000)
          .default(1024)
          .describe("Requests of one client that are not answered yet."),
        connections: z.int().min(1).max(1_000_000).default(4096).describe("Connections at a time."),
        peerQueueBytes: z
          .int()
          .min(MIB)
          .max(1024 * MIB)
          .default(64 * MIB)
          .describe("Bytes that wait for one peer."),
      })
      .prefault({}),
    retention: z
      .strictObject({
        snapshotMs: milliseconds.default(60_000).describe("How old a snapshot may be, in milliseconds."),
        snapshotMaxMs: milliseconds
          .default(3_600_000)
          .describe(
            "How old one may be that a transaction goes on reading at, such as a backup, in milliseconds. So long may old versions be kept.",
          ),
        outcomeMs: milliseconds
          .default(120_000)
          .describe("How long outcomes are kept by transaction id, in milliseconds."),
      })
      .prefault({}),
    checkpoints: z
      .strictObject({
        entries: z
          .int()
          .min(1)
          .max(10_000_000)
          .default(65_536)
          .describe("Entries after which a shard makes a checkpoint."),
        bytes: z
          .int()
          .min(1024)
          .max(4096 * MIB)
          .default(64 * MIB)
          .describe("Bytes of entries after which it makes one."),
        retainEntries: z
          .int()
          .min(0)
          .max(10_000_000)
          .default(8192)
          .describe("Entries kept at most for replicas that lag a little."),
      })
      .prefault({}),
    timing: z
      .strictObject({
        tickMs: z
          .int()
          .min(1)
          .max(1000)
          .default(50)
          .describe("The unit of time of consensus, in milliseconds."),
        electionTicks: z
          .int()
          .min(4)
          .max(1000)
          .default(10)
          .describe("Ticks without a leader before another is looked for."),
        shutdownMs: milliseconds
          .default(10_000)
          .describe("How long handing over and draining may take when the node stops."),
      })
      .prefault({}),
    log: z
      .strictObject({
        level: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
      })
      .prefault({}),
  })
  .describe("Configuration of a Khonsu node.");

/** What a file, or a caller of `startNode`, gives. */
export type NodeConfigInput = z.input<typeof configSchema>;
/** With all defaults filled in. */
export type NodeConfig = z.output<typeof configSchema>;
