import { testConfig } from "../../tools/properties/src/vitest-config.ts";

export default testConfig;
