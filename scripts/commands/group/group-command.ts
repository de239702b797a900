/** `openledger group`: refused by name, whatever its words. Groups whose members owned a key together are gone. */
import type { Command } from "commander";
import { groupsGone } from "../../cli/groups-gone.ts";
import { onRun, withExample } from "../../cli/run-command.ts";

export function addGroupCommands(program: Command): void {
  const group = program
    .command("group [words...]")
    .description("gone: keys that several own together; a Safe owns instead (docs/how-to/own-together.md)")
    // Options of earlier versions: the refusal says more than that they are unknown.
    .allowUnknownOption();
  onRun(withExample(group, "group status"), async () => {
    throw groupsGone();
  });
}
