#!/usr/bin/env node
/** `npx openledger-challenger`: the command `openledger challenger`, alone. */
import { Command } from "commander";
import { parseLine, quieted, withGlobalOptions } from "./cli/command-line.ts";
import { addChallengerCommand } from "./commands/disputes/challenger-command.ts";

await parseLine(["challenger", ...process.argv.slice(2)], async () => {
  const program = withGlobalOptions(new Command("openledger"));
  addChallengerCommand(program);
  return quieted(program);
});
