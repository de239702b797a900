/** `openledger datanet export`: writes a version's rows with their accepted labels as a file that other tools read. */
import { writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { droppedLines } from "@openledger/client/datanets/sound-records";
import { EXPORT_FORMATS } from "@openledger/datanets/export/export-files";
import { counted } from "@openledger/foundation/counted";
import { hex32 } from "@openledger/foundation/hex";
import { OUT_FILE_OPTION, STORE_OPTION, VERSION_OPTION } from "../../cli/common-options.ts";
import { withFallback } from "../../cli/options.ts";
import { parseId } from "../../cli/parse-id.ts";
import { command } from "../../cli/run-command.ts";
import { workspacePaths } from "../../cli/workspace.ts";
import { HOST_OPTION, readerOrSigner } from "./host-options.ts";

export const addExport = command({
  usage: "export <datanet>",
  about:
    "write a version's rows, each checked against the ledger's root, with their accepted labels: Parquet with a Croissant file beside it, JSON lines, Label Studio's JSON, or pictures with a table in a zip file",
  options: {
    ...HOST_OPTION,
    ...VERSION_OPTION,
    "--format <name>": { about: "format of the file", choices: EXPORT_FORMATS, fallback: "parquet" as const },
    ...OUT_FILE_OPTION,
    ...withFallback(STORE_OPTION, workspacePaths.rows),
  },
  examples: [
    "datanet export 10 --host http://127.0.0.1:8560 --out clauses.parquet",
    "datanet export 10 --format label-studio --host http://127.0.0.1:8560",
    "datanet export 11 --format images --host http://127.0.0.1:8560 --out weather.zip",
  ],
  run: async ({ args, options, output }) => {
    const datanetId = parseId(args[0]!);
    const { exportDatanet } = await import("@openledger/client/tasks/export-version");
    const { format, host: hostUrl, out, versionNumber } = options;
    const client = await readerOrSigner(options);
    const { exported, files } = await exportDatanet(client, {
      ...{ hostUrl, datanetId, format },
      ...(out === undefined ? {} : { name: basename(out) }),
      store: await openRowStore(options.rows),
      ...(versionNumber === undefined ? {} : { version: parseId(versionNumber) }),
      onProgress: (done, rowCount) => output.progress(`${done} of ${counted(rowCount, "row")}`),
    });
    const { dropped, refused, rows, rowsRoot, version, withdrawn } = exported;
    const folder = out === undefined ? "" : dirname(out);
    const paths: string[] = [];
    for (const file of files) {
      const path = join(folder, file.name);
      await writeFile(path, file.content);
      paths.push(path);
    }
    const labelCount = rows.filter(({ label }) => label !== null).length;
    output.answer(
      [
        `version ${version} of datanet ${datanetId}: ${counted(rows.length, "row")}, ${counted(labelCount, "label")}`,
        ...(withdrawn.length === 0
          ? []
          : [
              `${counted(withdrawn.length, "row is", "rows are")} left out, withdrawn by ${withdrawn.length === 1 ? "its contributor" : "their contributors"}:`,
              ...withdrawn.map(({ digest }) => `  ${digest}`),
            ]),
        ...(refused.length === 0
          ? []
          : [
              `${counted(refused.length, "row is", "rows are")} left out, withdrawn by the host's word: signed by a key that the contributor no longer has`,
            ]),
        ...droppedLines(dropped),
        ...paths.map((one) => `  ${one}`),
      ],
      {
        datanetId,
        version,
        rowsRoot: hex32(rowsRoot),
        rowCount: rows.length,
        labelCount,
        withdrawn: withdrawn.map(({ digest }) => digest),
        refused,
        droppedCount: dropped.length,
        paths,
      },
    );
  },
});
