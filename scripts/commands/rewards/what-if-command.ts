import type { Command } from "commander";
import { LEAF_OPTION, SERVER_OPTION, STORE_OPTION } from "../../cli/common-options.ts";
import { withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { TEXT_BASE_OPTION } from "../../cli/text-base-option.ts";

export function addWhatIfCommand(parent: Command): void {
  const command = withOptions(
    parent
      .command("what-if <id-or-folder>")
      .description("tune a language model again without some rows: what changes, and what their scores say"),
    {
      "--without <rows>": "rows to leave out, as 3,7-9; default: those that the leaf has contributed",
      ...LEAF_OPTION,
      "--prompt <text>": "question whose answer is compared, too",
      ...SERVER_OPTION,
      ...TEXT_BASE_OPTION,
      ...STORE_OPTION,
    },
  );
  withExample(
    command,
    'rewards what-if 15 --without 3,7-9 --prompt "The state of the union"',
    "rewards what-if speeches --leaf bob",
  );
  onRun(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { leaveRowsOut } = await import("./what-if.ts");
    await leaveRowsOut(context);
  });
}
