import { storageSuite } from "@khonsu/testkit/storage-suite";
import { describe, test } from "vitest";
import { directoryMedium, memoryMedium } from "./media.ts";

describe("LevelDB on disk", () => storageSuite({ test, factory: directoryMedium }));
describe("LevelDB in memory", () => storageSuite({ test, factory: memoryMedium }));
