/** `openledger verify certificate`: anyone checks a certificate of removal against the ledger. */
import { counted } from "@openledger/foundation/counted";
import { openReader } from "../../cli/context.ts";
import { collect } from "../../cli/options.ts";
import { renderTable } from "../../cli/output.ts";
import { readJsonFile } from "../../cli/read-text-file.ts";
import { command } from "../../cli/run-command.ts";

/** Commits, and differences, that are named; --json has all. */
const MAX_NAMED = 20;

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
      about:
        "host of the Datanet that is asked for signed differences, and for lists that the file does not have; repeatable",
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
    const {
      contributorId,
      datanetId,
      differences,
      missingCommits,
      modelId,
      note,
      recomputations,
      row,
      rowCount,
      version,
    } = shown;
    const { withdrawnAtMs } = shown;
    output.answer(
      [
        `leaf ${contributorId} withdrew row ${row} from Datanet ${datanetId}, and says: on ${new Date(withdrawnAtMs).toISOString()}${note === "" ? "" : `, ${note}`}`,
        `model ${modelId} was trained on version ${version}, whose ${rowCount} rows do not have it`,
        ...(missingCommits.length === 0
          ? []
          : [
              "nobody gave the lists of these earlier commits, any of which may have the row, too:",
              ...missingCommits
                .slice(0, MAX_NAMED)
                .map(
                  (commit) =>
                    `  ${commit.rowsRoot} of leaf ${commit.contributorId}, ${counted(commit.rowCount, "row")}`,
                ),
              ...(missingCommits.length > MAX_NAMED
                ? [`  and ${missingCommits.length - MAX_NAMED} more`]
                : []),
            ]),
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
          : differences.length === 0
            ? `no leaf has signed a difference, says ${hostUrls.join(", ")}`
            : "these say that they found a difference, and are strangers to the model and the Datanet: compute it yourself with openledger verify model",
        ...renderTable(
          differences
            .slice(0, MAX_NAMED)
            .map(({ atMs, file, hostUrl, leafId, row: place }) => [
              `  leaf ${leafId}`,
              new Date(atMs).toISOString(),
              place === null ? file : `${file}, ${place}`,
              hostUrl,
            ]),
        ),
        ...(differences.length > MAX_NAMED ? [`  and ${differences.length - MAX_NAMED} more`] : []),
      ],
      { ...shown },
    );
  },
});
