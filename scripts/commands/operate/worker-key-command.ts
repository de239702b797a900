/** `openledger operator worker-key`: what a worker's name is known by in the provers' queue. */

import { existsSync } from "node:fs";
import { readSecretFile } from "@openledger/foundation/secret-file";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { installationPaths } from "@openledger/operations/installation/installation";
import type { Command } from "commander";
import { commandError } from "../../cli/cli-errors.ts";
import { INSTALLATION_OPTION, OUT_FILE_OPTION } from "../../cli/common-options.ts";
import { required, withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";

export function addWorkerKeyCommand(operator: Command): void {
  const command = withOptions(
    operator
      .command("worker-key")
      .description("create the key that authenticates a worker's proofs and credits them to its name")
      .argument("<name>", "the worker's PROVER_NAME"),
    {
      ...required(INSTALLATION_OPTION),
      ...required(OUT_FILE_OPTION),
    },
  );
  withExample(command, "operator worker-key machine-7 --config operator --out machine-7-hand-in-key");
  onRun(command, async ({ args, options, output }) => {
    const name = args[0]!;
    if (!/^[\x21-\x7e]{1,100}$/.test(name))
      throw commandError("CMD_USAGE", "a worker's name has 1 to 100 visible characters, and no spaces");
    if (existsSync(options.out)) throw commandError("CMD_USAGE", `${options.out} exists`);
    // Loaded here: the queue's client would make every other command slower.
    const { handInKeyOf } = await import("@openledger/prover/jobs/hand-in");
    const secret = readSecretFile(installationPaths(options.config).handInSecret);
    await writeFileWhole(options.out, `${handInKeyOf(secret, name)}\n`, 0o600);
    output.answer([`${options.out} has the key of ${name}`], { worker: name, path: options.out });
  });
}
