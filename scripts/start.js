#!/usr/bin/env node
// Starts a process of this repository: node scripts/start.js sequencer/main.ts [arguments]
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { start } from "./bundle/start.js";

process.argv.splice(1, 1);
process.argv[1] = resolve(process.argv[1]);
await start(pathToFileURL(process.argv[1]).href);
