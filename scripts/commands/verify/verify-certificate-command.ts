/** `openledger verify certificate`: anyone checks a certificate of removal against the ledger. */
import { openReader } from "../../cli/context.ts";
import { renderTable } from "../../cli/output.ts";
import { readJsonFile } from "../../cli/read-text-file.ts";
import { command } from "../../cli/run-command.ts";

export const addVerifyCertificateCommand = command({
  usage: "certificate <file>",
  about:
    "check a certificate of removal: signatures, the lists behind the ledger's roots, the model's version, and who recomputed it",
  examples: ["verify certificate removal.json --json"],
  run: async ({ args, options, output }) => {
    const { checkRemoval } = await import("@openledger/client/datanets/removal-certificate");
    const client = await openReader(options);
    const shown = await checkRemoval(client, await readJsonFile(args[0]!));
    const { contributorId, datanetId, modelId, note, recomputations, row, rowCount, version, withdrawnAtMs } =
      shown;
    output.answer(
      [
        `leaf ${contributorId} withdrew row ${row} from Datanet ${datanetId} on ${new Date(withdrawnAtMs).toISOString()}${note === "" ? "" : `: ${note}`}`,
        `model ${modelId} was trained on version ${version}, whose ${rowCount} rows do not have it`,
        "computed again, to the same bytes:",
        ...renderTable(
          recomputations.map(({ atMs, leafId }) => [`  leaf ${leafId}`, new Date(atMs).toISOString()]),
        ),
      ],
      { ...shown },
    );
  },
});
