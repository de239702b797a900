/**
 * `openledger datanet verify`: anyone compares the published version with all commits, and each row's validator with the
 * signatures of a host.
 */
import { passedOverLines } from "@openledger/client/actions/data/committed-rows";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { labelledCount } from "@openledger/client/actions/data/stored-labels";
import { type RowFate, verifyVersion } from "@openledger/client/actions/data/verify-version";
import { verifyVouching, WITHDRAWN_BY_CONTRIBUTOR } from "@openledger/client/datanets/reviewed-version";
import { droppedLines } from "@openledger/client/datanets/sound-records";
import { listWithdrawals } from "@openledger/client/datanets/withdrawals";
import { counted } from "@openledger/foundation/counted";
import { hex32 } from "@openledger/foundation/hex";
import { rowNumber } from "@openledger/foundation/row-number";
import { STORE_OPTION } from "../../cli/common-options.ts";
import { openReader } from "../../cli/context.ts";
import { withFallback } from "../../cli/options.ts";
import { renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { command } from "../../cli/run-command.ts";
import { workspacePaths } from "../../cli/workspace.ts";
import { ANY_HOST_OPTION } from "./host-options.ts";

/** Words about a row that differs. */
const FATE_WORDS: Partial<Record<RowFate, (leafId: number | null) => string>> = {
  overtaken: (leafId) =>
    `leaf ${leafId}'s, who committed it later: right if these rows came after it was published`,
  reassigned: (leafId) => `given to leaf ${leafId}`,
  withdrawn: () => WITHDRAWN_BY_CONTRIBUTOR,
};

const VOUCHING = {
  former: "signed by a key that it had before",
  missing: "has not signed",
  notAccepted: "has signed a label, and the row has none that is accepted",
  notDrawn: "is not the one that the hash draws",
};

export const addDatanetVerify = command({
  usage: "verify <datanet>",
  about:
    "check the published version against the commits: rows dropped, repeated or given to another contributor; with a host also each validator's signature",
  options: {
    ...withFallback(STORE_OPTION, workspacePaths.rows),
    ...ANY_HOST_OPTION,
  },
  examples: ["datanet verify 10", "datanet verify 10 --host http://127.0.0.1:8560 --json"],
  run: async ({ options, args, output }) => {
    const datanetId = parseId(args[0]!);
    const client = await openReader(options);
    output.progress("hashing the rows");
    const store = await openRowStore(options.rows);
    const { host } = options;
    const { dropped, withdrawals: withdrawn } =
      host === undefined
        ? { dropped: [], withdrawals: [] }
        : await listWithdrawals(client, { hostUrl: host, datanetId });
    const result = await verifyVersion(client, { datanetId, store, withdrawn });
    const vouching =
      host === undefined ? null : await verifyVouching(client, { hostUrl: host, datanetId, store });
    // The list of withdrawals has those of rows, too, whose records are not in the other list.
    const shown = vouching === null ? dropped : vouching.dropped;
    const { version, committedCount, keptCount, exceptions, foreign, firstDifference } = result;
    const differing = exceptions.filter(({ fate }) => fate !== "later");
    const laterCount = exceptions.length - differing.length;
    const lines = [
      `version ${version} of datanet ${datanetId} keeps ${keptCount} of ${committedCount - laterCount} rows for who committed them first; ${laterCount} were committed later`,
      ...renderTable(
        differing.map(({ commitIndex, contributorId, digest, fate, rowIndex, versionContributorId }) => [
          `  commit ${commitIndex}, row ${rowNumber(rowIndex)}`,
          `leaf ${contributorId}`,
          FATE_WORDS[fate]?.(versionContributorId) ?? fate,
          digest,
        ]),
      ),
      ...foreign.map((digest) => `  no commit has ${digest}`),
      ...passedOverLines(result.passedOver),
      firstDifference === null
        ? `it leaves out no row that could be published${result.passedOver.length === 0 ? "" : ", of the other commits"}`
        : `first difference: ${firstDifference}`,
      vouching === null
        ? "validators are named by the owner alone: --host URL checks their signatures"
        : `${vouching.signedCount} of ${vouching.rowCount} rows are signed for by their validators`,
      ...(vouching === null || vouching.withdrawn.length === 0
        ? []
        : [
            `${counted(vouching.withdrawn.length, "row")} of it ${vouching.withdrawn.length === 1 ? "was" : "were"} withdrawn since by ${vouching.withdrawn.length === 1 ? "its contributor" : "their contributors"}: the next version leaves ${vouching.withdrawn.length === 1 ? "it" : "them"} out`,
          ]),
      ...renderTable(
        (vouching?.exceptions ?? []).map(({ digest, validatorId, vouching: found }) => [
          `  ${digest}`,
          `leaf ${validatorId}`,
          VOUCHING[found],
        ]),
      ),
      ...(vouching === null
        ? []
        : [
            `${labelledCount(vouching.labels)} rows have an accepted label by the signed records; the labels' root is ${hex32(vouching.labels.root)}`,
          ]),
      ...droppedLines(shown),
    ];
    output.answer(lines, {
      datanetId,
      ...result,
      vouching:
        vouching === null
          ? null
          : {
              ...vouching,
              dropped: undefined,
              labels: { root: hex32(vouching.labels.root), labelledCount: labelledCount(vouching.labels) },
            },
      rowsRoot: hex32(result.rowsRoot),
      passedOver: result.passedOver.map(({ rowsRoot, ...commit }) => ({
        ...commit,
        rowsRoot: hex32(rowsRoot),
      })),
      droppedCount: shown.length,
    });
  },
});
