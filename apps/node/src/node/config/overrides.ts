/**
 * Settings from the environment and from flags, laid over the file: `KHONSU_LISTEN_PORT=50060` and `--set listen.port=50060` say the
 * same, and the flag wins. A flag for what the schema does not know is an error.
 */
import { parse } from "yaml";
import type { z } from "zod";
import { NodeError } from "./errors.ts";
import { configSchema } from "./schema.ts";

/** Which settings there are, as paths with dots, and whether they are text. Lists of members come from the file alone. */
export const SETTINGS: ReadonlyMap<string, "text" | "list" | "value"> = new Map(leaves(configSchema, ""));

/** Lays what `environment` sets over `config`. Variables that are no settings are none of its business. */
export function fromEnvironment(
  config: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): unknown {
  const paths = new Map([...SETTINGS.keys()].map((path) => [variableOf(path), path]));
  let result = config;
  for (const [variable, text] of Object.entries(environment)) {
    const path = paths.get(variable);
    if (path !== undefined && text !== undefined) result = withValue(result, path, parsed(path, text));
  }
  return result;
}

/** Lays "path=value" over `config`. @throws NodeError `KHONSU_CONFIG_INVALID` for a setting that there is not. */
export function fromFlags(config: unknown, flags: readonly string[]): unknown {
  let result = config;
  for (const flag of flags) {
    const equals = flag.indexOf("=");
    const path = equals < 0 ? flag : flag.slice(0, equals);
    if (equals < 0 || !SETTINGS.has(path)) {
      const known = [...SETTINGS.keys()].join(", ");
      throw new NodeError(
        "KHONSU_CONFIG_INVALID",
        `Cannot set ${JSON.stringify(flag)}: expected path=value with one of ${known}`,
      );
    }
    result = withValue(result, path, parsed(path, flag.slice(equals + 1)));
  }
  return result;
}

/** The environment variable of a setting: `KHONSU_LISTEN_PORT` for `listen.port`. */
export function variableOf(path: string): string {
  return `KHONSU_${path
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .replaceAll(".", "_")
    .toUpperCase()}`;
}

function parsed(path: string, text: string): unknown {
  switch (SETTINGS.get(path)) {
    case "text":
      return text;
    case "list":
      return text.split(",").map((item) => item.trim());
    default:
      return parse(text);
  }
}

function withValue(config: unknown, path: string, value: unknown): unknown {
  const [first, ...rest] = path.split(".");
  const base = typeof config === "object" && config !== null ? config : {};
  const inner = (base as Readonly<Record<string, unknown>>)[first!];
  return { ...base, [first!]: rest.length === 0 ? value : withValue(inner, rest.join("."), value) };
}

function leaves(schema: z.core.$ZodType, prefix: string): [string, "text" | "list" | "value"][] {
  const { def } = schema._zod;
  const shape = "shape" in def ? (def.shape as Readonly<Record<string, z.core.$ZodType>>) : undefined;
  if (shape !== undefined) {
    return Object.entries(shape)
      .filter(([name]) => !name.startsWith("$"))
      .flatMap(([name, inner]) => leaves(inner, prefix === "" ? name : `${prefix}.${name}`));
  }
  if ("innerType" in def) return leaves(def.innerType as z.core.$ZodType, prefix);
  if (def.type === "array") {
    const { element } = def as z.core.$ZodArrayDef;
    return element._zod.def.type === "string" ? [[prefix, "list"]] : [];
  }
  return [[prefix, def.type === "string" || def.type === "enum" ? "text" : "value"]];
}
