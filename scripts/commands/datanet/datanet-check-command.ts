/**
 * `openledger datanet check`: an owner compares all committed rows before a version, and writes the list of rows to leave out.
 * Similarity is 0 to 1.
 */

import { passedOverLines } from "@openledger/client/actions/data/committed-rows";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { droppedLines } from "@openledger/client/datanets/sound-records";
import { counted } from "@openledger/foundation/counted";
import { hex32 } from "@openledger/foundation/hex";
import { rowNumber } from "@openledger/foundation/row-number";
import { STORE_OPTION } from "../../cli/common-options.ts";

import { withFallback } from "../../cli/options.ts";
import { renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { command } from "../../cli/run-command.ts";
import { workspacePaths } from "../../cli/workspace.ts";
import type { RowPositionInCommit } from "./datanet-check.ts";
import { ANY_HOST_OPTION, readerOrSigner } from "./host-options.ts";
import { writeLeaveOut } from "./leave-out-file.ts";

export const addDatanetCheck = command({
  usage: "check <datanet>",
  about: "find near-duplicates, and with a host labels that other rows contradict, before you publish",
  options: {
    "--write <file>": "write the rows to leave out to this file, for: datanet publish --leave-out FILE",
    ...withFallback(STORE_OPTION, workspacePaths.rows),
    ...ANY_HOST_OPTION,
  },
  examples: [
    "datanet check 10",
    "datanet check 10 --host http://127.0.0.1:8560",
    "datanet check 10 --write leave-out.json && npm run openledger -- datanet publish 10 --leave-out leave-out.json",
  ],
  run: async ({ options, args, output }) => {
    const datanetId = parseId(args[0]!);
    const client = await readerOrSigner(options);
    // Loaded here: it would make every other command slower.
    const { checkCommits, excerptOf } = await import("./datanet-check.ts");
    output.progress("reading and comparing the rows");
    const { check, commitIndexes, dropped, leaveOut, passedOver, rows } = await checkCommits(client, {
      datanetId,
      store: await openRowStore(options.rows),
      hostUrl: options.host,
    });
    if (options.write !== undefined) await writeLeaveOut(options.write, leaveOut);
    const location = ({ commitIndex, rowIndex }: RowPositionInCommit) =>
      `commit ${commitIndex}, row ${rowNumber(rowIndex)}`;
    const { commits, contradicted, nearDuplicates } = check;
    const lines = [
      `${check.rowCount} different rows of kind ${check.kind} in ${commits.length} commits`,
      ...renderTable([
        ["  commit", "contributor", "rows", "near-duplicates", "labels contradicted", ""],
        ...commits.map((commit, i) => [
          `  ${commitIndexes[i]}`,
          `leaf ${commit.contributorId}`,
          String(commit.rowCount),
          String(commit.nearDuplicateCount),
          commit.contradictedCount === null ? "not judged" : String(commit.contradictedCount),
          commit.isRefused ? "do not vouch for it" : "",
        ]),
      ]),
      `${nearDuplicates.length} near-duplicates, each with the earlier row that it repeats:`,
      ...renderTable(
        nearDuplicates.map(({ earlier, later, similarity }) => [
          `  ${location(rows[later]!)}`,
          `leaf ${rows[later]!.contributorId}`,
          `is nearly ${location(rows[earlier]!)} of leaf ${rows[earlier]!.contributorId}`,
          similarity.toFixed(3),
          excerptOf(check, rows[later]!),
        ]),
      ),
      `${counted(contradicted.length, "label")} that a model of the other contributors' rows contradicts:`,
      ...renderTable(
        contradicted.map(({ label, predictedLabel, row }) => [
          `  ${location(rows[row]!)}`,
          `leaf ${rows[row]!.contributorId}`,
          `${label}, the model says ${predictedLabel}`,
          excerptOf(check, rows[row]!),
        ]),
      ),
      options.write === undefined
        ? `${counted(leaveOut.rows.length, "row")} to leave out of a version: write the list with --write FILE`
        : `${counted(leaveOut.rows.length, "row")} to leave out of a version ${leaveOut.rows.length === 1 ? "is" : "are"} in ${options.write}`,
      ...passedOverLines(passedOver),
      ...droppedLines(dropped),
    ];
    const placed = (row: number) => {
      const { commitIndex, contributorId, digest, rowIndex } = rows[row]!;
      return { commitIndex, rowIndex, contributorId, digest };
    };
    output.answer(lines, {
      datanetId,
      droppedCount: dropped.length,
      passedOver: passedOver.map(({ rowsRoot, ...commit }) => ({ ...commit, rowsRoot: hex32(rowsRoot) })),
      kind: check.kind,
      rowCount: check.rowCount,
      commits,
      nearDuplicates: nearDuplicates.map(({ earlier, later, similarity }) => ({
        later: placed(later),
        earlier: placed(earlier),
        similarity,
      })),
      contradicted: contradicted.map(({ label, predictedLabel, row }) => ({
        ...placed(row),
        label,
        said: predictedLabel,
      })),
      leaveOut: leaveOut.rows,
      written: options.write ?? null,
    });
  },
});
