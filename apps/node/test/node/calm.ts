/** For clusters whose tests start whole processes one after the other: a machine that these keep busy costs nobody the leadership. */
import type { NodeConfigInput } from "../../src/node/config/schema.ts";

export const CALM: Partial<NodeConfigInput> = { timing: { electionTicks: 80 } };
