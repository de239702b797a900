import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import type { Command } from "commander";
import { onRun, withExample } from "../../cli/run-command.ts";
import type { ExitPageOptions } from "./exit-page.ts";

export function addExitPageCommand(program: Command): void {
  const command = program
    .command("exit-page")
    .description(
      "make the page to keep: one HTML file by which anyone leaves a frozen rollup, from a disk and an Ethereum node alone",
    )
    .option("--out <file>", "where to; default: openledger-exit-<rollup>.html in this folder")
    .option(
      "--keys <folder>",
      "keys of a ceremony: what `ceremony export` wrote to <folder>/<circuit>",
      join(repositoryRoot, "keys"),
    );
  withExample(command, "exit-page", "exit-page --rpc https://… --rollup 0x… --out exit.html");
  onRun<ExitPageOptions>(command, async (context) => {
    const { runExitPage } = await import("./exit-page.ts");
    await runExitPage(context);
  });
}
