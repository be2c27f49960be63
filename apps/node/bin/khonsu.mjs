#!/usr/bin/env node
/**
 * Starts the command line with what it loads kept compiled: by far most of the time of a short command, and of a node until it serves,
 * goes into loading. JavaScript, since the cache begins with what is loaded after this file, and TypeScript would bring its compiler.
 */
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/compile", import.meta.url)));
await import("../src/main.ts");
