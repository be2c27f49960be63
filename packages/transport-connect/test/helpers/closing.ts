/** What a test opens is closed after it, the last first. */
import { afterEach } from "vitest";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

export function closing<T extends { close(): Promise<void> }>(each: T): T {
  opened.push(each);
  return each;
}
