/** From a file (JSON or YAML), the environment and flags to a configuration that holds; or an error that says which value does not. */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { NodeError } from "./errors.ts";
import { fromEnvironment, fromFlags } from "./overrides.ts";
import { configSchema, type NodeConfig, type NodeConfigInput } from "./schema.ts";

export interface ConfigSources {
  /** JSON or YAML. Default: none, all comes from the environment and from flags. */
  readonly file?: string | undefined;
  /** Default: none. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Settings as "path=value". Default: none. */
  readonly flags?: readonly string[];
}

/**
 * @returns the configuration with its defaults, and paths made absolute: those of the file start at its directory.
 * @throws NodeError `KHONSU_CONFIG_INVALID`
 */
export async function loadConfig({ file, environment = {}, flags = [] }: ConfigSources): Promise<NodeConfig> {
  const base = file === undefined ? process.cwd() : dirname(resolve(file));
  const given = file === undefined ? {} : await read(file);
  return checkConfig(fromFlags(fromEnvironment(given, environment), flags), base, file);
}

/** Checks what a caller gives. Paths start at the current directory. @throws NodeError `KHONSU_CONFIG_INVALID` */
export function resolveConfig(input: NodeConfigInput): NodeConfig {
  return checkConfig(input, process.cwd(), undefined);
}

async function read(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new NodeError("KHONSU_CONFIG_INVALID", `Cannot read the configuration file ${file}`, cause);
  }
  try {
    // JSON is YAML.
    return parse(text);
  } catch (cause) {
    throw new NodeError("KHONSU_CONFIG_INVALID", `Cannot read ${file}: it is neither JSON nor YAML`, cause);
  }
}

function checkConfig(given: unknown, base: string, file: string | undefined): NodeConfig {
  const { data, error } = configSchema.safeParse(given);
  if (error !== undefined) {
    const problems = error.issues.map(
      ({ path, message }) => `${path.join(".") || "(all of it)"}: ${message}`,
    );
    throw invalid(file, problems);
  }
  const problems = contradictions(data);
  if (problems.length > 0) throw invalid(file, problems);
  return withAbsolutePaths(data, base);
}

function invalid(file: string | undefined, problems: readonly string[]): NodeError {
  const where = file === undefined ? "" : ` in ${file}`;
  return new NodeError(
    "KHONSU_CONFIG_INVALID",
    `Cannot use the configuration${where}:\n${problems.map((problem) => `  ${problem}`).join("\n")}`,
  );
}

/** What no field shows alone. */
function contradictions({ found, join, node, timing, tls }: NodeConfig): string[] {
  const problems: string[] = [];
  if (tls?.clientAuthority !== undefined && tls.peerAuthority === undefined) {
    problems.push("tls.clientAuthority: without tls.peerAuthority everybody can speak as a node");
  }
  if ((found === undefined) === (join === undefined)) {
    problems.push("found, join: exactly one of them says how the node came into its cluster");
  }
  if (found !== undefined) {
    if (!found.some((member) => member.node === node))
      problems.push(`found: node ${node}, this one, is missing`);
    const twice = found.find(({ node, address }, index) =>
      found.slice(0, index).some((other) => other.node === node || other.address === address),
    );
    if (twice !== undefined) problems.push(`found: node ${twice.node} or its address stands there twice`);
  }
  if (timing.tickMs * timing.electionTicks < 40) {
    problems.push(
      "timing: electionTicks of tickMs each come to less than 40 ms, which a busy machine exceeds by itself",
    );
  }
  return problems;
}

function withAbsolutePaths(config: NodeConfig, base: string): NodeConfig {
  const absolute = (path: string): string => resolve(base, path);
  const { tls } = config;
  return {
    ...config,
    data: absolute(config.data),
    ...(config.tokens === undefined ? {} : { tokens: absolute(config.tokens) }),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            certificate: absolute(tls.certificate),
            key: absolute(tls.key),
            ...(tls.peerAuthority === undefined ? {} : { peerAuthority: absolute(tls.peerAuthority) }),
            ...(tls.clientAuthority === undefined ? {} : { clientAuthority: absolute(tls.clientAuthority) }),
          },
        }),
  };
}
