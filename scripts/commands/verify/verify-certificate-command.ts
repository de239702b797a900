/** `openledger verify certificate`: anyone checks a certificate of removal against the ledger. */
import { openReader } from "../../cli/context.ts";
import { collect } from "../../cli/options.ts";
import { renderTable } from "../../cli/output.ts";
import { readJsonFile } from "../../cli/read-text-file.ts";
import { command } from "../../cli/run-command.ts";

const PEOPLE = {
  model: "the model's maker",
  datanet: "the Datanet's owner",
} as const;

export const addVerifyCertificateCommand = command({
  usage: "certificate <file>",
  about:
    "check a certificate of removal: signatures, the lists behind the ledger's roots, the model's version, and who says that they recomputed it",
  options: {
    "--host <url>": {
      about: "host of the Datanet that is asked for signed differences; repeatable",
      fallback: [],
      parse: collect,
    },
  },
  examples: [
    "verify certificate removal.json --json",
    "verify certificate removal.json --host http://127.0.0.1:8560",
  ],
  run: async ({ args, options, output }) => {
    const { checkRemoval } = await import("@openledger/client/datanets/removal-certificate");
    const client = await openReader(options);
    const hostUrls = options.host;
    const shown = await checkRemoval(client, await readJsonFile(args[0]!), { hostUrls });
    const { contributorId, datanetId, modelId, note, recomputations, row, rowCount, version, withdrawnAtMs } =
      shown;
    output.answer(
      [
        `leaf ${contributorId} withdrew row ${row} from Datanet ${datanetId}, and says: on ${new Date(withdrawnAtMs).toISOString()}${note === "" ? "" : `, ${note}`}`,
        `model ${modelId} was trained on version ${version}, whose ${rowCount} rows do not have it`,
        "these say that they computed it again, to the same bytes:",
        ...renderTable(
          recomputations.map(({ atMs, isOf, leafId }) => [
            `  leaf ${leafId}`,
            new Date(atMs).toISOString(),
            isOf === null ? "" : PEOPLE[isOf],
          ]),
        ),
        ...(recomputations.every(({ isOf }) => isOf !== null)
          ? ["nobody but the model's own people says so: compute it yourself with openledger verify model"]
          : []),
        hostUrls.length === 0
          ? "no host was asked whether somebody has signed a difference: name one with --host"
          : `no leaf has signed a difference, says ${hostUrls.join(", ")}`,
      ],
      { ...shown },
    );
  },
});
