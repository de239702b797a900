/** `openledger datanet withdraw`: the contributor of a row withdraws it from a Datanet, for good, by a signed record. */
import { downloadVersionList } from "@openledger/client/datanets/download-rows";
import type { HostedDatanetLocation } from "@openledger/client/datanets/host-request";
import { withdrawRow } from "@openledger/client/datanets/withdrawals";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { rowIndex } from "@openledger/foundation/row-number";
import { commandError } from "../../cli/cli-errors.ts";
import { defineOptions, required } from "../../cli/options.ts";
import { parseId } from "../../cli/parse-id.ts";
import { command } from "../../cli/run-command.ts";
import { HOST_OPTION, signerClient } from "./host-options.ts";

const ROW_OPTION = defineOptions({
  "--row <row>": "the row: its SHA-256, or its number in the published version",
});

/** Said to whoever withdraws a row, and to whoever is about to contribute. */
export const CANNOT_BE_UNDONE =
  "copies that others have of it, its hash and the roots on L1 stay; what it has earned stays earned";

export const addWithdrawRow = command({
  usage: "withdraw <datanet>",
  about:
    "withdraw a row that you contributed, for good: the host erases it at once, and the next version leaves it out",
  options: {
    ...HOST_OPTION,
    ...required(ROW_OPTION),
    "--why <text>": { about: "the reason, which is public", fallback: "" },
  },
  examples: [
    'datanet withdraw 10 --row 5e88… --why "it names a person" --host http://127.0.0.1:8560 --account bob',
    "datanet withdraw 10 --row 17 --host http://127.0.0.1:8560 --account bob",
  ],
  run: async ({ args, options, output }) => {
    const datanetId = parseId(args[0]!);
    const client = await signerClient(options, null);
    const location = { hostUrl: options.host, datanetId };
    const row = await digestOf(client, location, options.row);
    await withdrawRow(client, { ...location, row, note: options.why });
    output.answer(
      [
        `row ${row} is withdrawn from Datanet ${datanetId}: the host has erased it, and the next version leaves it out`,
        CANNOT_BE_UNDONE,
      ],
      { datanetId, row, note: options.why },
    );
  },
});

/** @param row SHA-256, or a number in the published version. @throws CMD_USAGE */
async function digestOf(client: LedgerClient, location: HostedDatanetLocation, row: string): Promise<string> {
  if (/^[0-9a-f]{64}$/.test(row)) return row;
  if (!/^[1-9]\d{0,8}$/.test(row))
    throw commandError("CMD_USAGE", `"${row}" is no SHA-256 of 64 hexadecimal digits, and no row number`);
  const { datanet } = await getLeaf(client, location.datanetId);
  const rowsRoot = datanet?.rowsRoot ?? 0n;
  const rows = await downloadVersionList(client, { ...location, rowsRoot });
  const found = rows[rowIndex(Number(row))];
  if (found === undefined)
    throw commandError("CMD_USAGE", `the published version has ${rows.length} rows, and no row ${row}`);
  return found.digest;
}
