import type { Command } from "commander";
import { resolveEndpoints } from "../../cli/context.ts";
import { renderTable } from "../../cli/output.ts";
import { readReceiptFile, receiptsFolder, storedReceiptPaths } from "../../cli/receipt-store.ts";
import { onRun, withExample } from "../../cli/run-command.ts";

export function addReceiptsCommand(program: Command): void {
  const command = program
    .command("receipts")
    .description(
      "the signed receipts that operations of this machine got, each a file that `contradiction` takes",
    );
  withExample(command, "receipts", "receipts --rollup 0x… --rpc https://… --json");
  onRun(command, async ({ options, output }) => {
    const { parseEvidence } = await import("../../../bridge/verify/receipt-evidence.ts");
    const { rollupAddress } = resolveEndpoints(options);
    const paths = await storedReceiptPaths(rollupAddress);
    const receipts = [];
    for (const path of paths) {
      const { receipt } = parseEvidence(await readReceiptFile(path), path);
      receipts.push({ path, ...receipt });
    }
    const rows = receipts.map(({ deadlineSeconds, operationHash, opIndex, path }) => [
      String(opIndex),
      operationHash,
      `by ${new Date(deadlineSeconds * 1_000).toISOString()}`,
      path,
    ]);
    const lines = rows.length === 0 ? [`no receipts in ${receiptsFolder(rollupAddress)}`] : renderTable(rows);
    output.answer(lines, { rollupAddress, receipts });
  });
}
