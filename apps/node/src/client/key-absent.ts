import { CommandError } from "../failure.ts";

export function keyAbsent(key: string): CommandError {
  return new CommandError(`There is no key ${JSON.stringify(key)}`, { code: "KHONSU_KEY_ABSENT" });
}
