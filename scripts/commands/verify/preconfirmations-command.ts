import type { Command } from "commander";
import { resolveEndpoints } from "../../cli/context.ts";
import { renderTable } from "../../cli/output.ts";
import {
  preconfirmationsFolder,
  readPreconfirmationFile,
  storedPreconfirmationPaths,
} from "../../cli/preconfirmation-store.ts";
import { onRun, withExample } from "../../cli/run-command.ts";

export function addPreconfirmationsCommand(program: Command): void {
  const command = program
    .command("preconfirmations")
    .description(
      "the signed preconfirmations that operations of this machine got, each a file that `contradiction` takes",
    );
  withExample(command, "preconfirmations", "preconfirmations --rollup 0x… --rpc https://… --json");
  onRun(command, async ({ options, output }) => {
    const { parseEvidence } = await import("@openledger/verifier/evidence/preconfirmation-evidence");
    const { rollupAddress } = resolveEndpoints(options);
    const paths = await storedPreconfirmationPaths(rollupAddress);
    const preconfirmations = [];
    for (const path of paths) {
      const { preconfirmation } = parseEvidence(await readPreconfirmationFile(path), path);
      preconfirmations.push({ path, ...preconfirmation });
    }
    const rows = preconfirmations.map(({ deadlineSeconds, operationHash, opIndex, path }) => [
      String(opIndex),
      operationHash,
      `by ${new Date(deadlineSeconds * 1_000).toISOString()}`,
      path,
    ]);
    const lines =
      rows.length === 0
        ? [`no preconfirmations in ${preconfirmationsFolder(rollupAddress)}`]
        : renderTable(rows);
    output.answer(lines, { rollupAddress, preconfirmations });
  });
}
