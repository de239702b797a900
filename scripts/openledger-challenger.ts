#!/usr/bin/env node
/** `npx openledger-challenger`: the command `openledger challenger`, alone. */
import { runProgram } from "./commands/program.ts";

await runProgram(["challenger", ...process.argv.slice(2)]);
