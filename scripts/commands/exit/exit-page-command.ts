import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import type { Command } from "commander";
import { OUT_FILE_OPTION } from "../../cli/common-options.ts";
import { withFallback, withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { KEYS_OPTION } from "../../cli/settlement-options.ts";

export function addExitPageCommand(program: Command): void {
  const command = withOptions(
    program
      .command("exit-page")
      .description(
        "make the page to keep: one HTML file by which anyone leaves a frozen rollup, from a disk and an Ethereum node alone",
      ),
    {
      ...OUT_FILE_OPTION,
      ...withFallback(KEYS_OPTION, join(repositoryRoot, "keys")),
    },
  );
  withExample(command, "exit-page", "exit-page --rpc https://… --rollup 0x… --out exit.html");
  onRun(command, async (context) => {
    const { runExitPage } = await import("./exit-page.ts");
    await runExitPage(context);
  });
}
