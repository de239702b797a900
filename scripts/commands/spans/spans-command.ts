/**
 * `openledger spans`: finds verbatim parts of a text in a Datanet's rows that this machine has, with the rows and their contributors.
 * Also refuses the index of earlier versions by its name.
 */
import { counted } from "@openledger/foundation/counted";
import { hex32 } from "@openledger/foundation/hex";
import type { RollupError } from "@openledger/foundation/rollup-error";
import type { Command } from "commander";
import { commandError } from "../../cli/cli-errors.ts";
import { STORE_OPTION, VERSION_ROOT_OPTION } from "../../cli/common-options.ts";
import { type GlobalOptions, openReader } from "../../cli/context.ts";
import { withFallback } from "../../cli/options.ts";
import { parseId } from "../../cli/parse-id.ts";
import { command, onRun, withExample } from "../../cli/run-command.ts";
import { workspacePaths } from "../../cli/workspace.ts";
import { readAnswer, spanLines, spanViews } from "./span-lines.ts";

export const addSpansCommand = command({
  usage: "spans [datanet]",
  about: "find verbatim parts of a text in a Datanet's rows of this machine, with contributors",
  options: {
    "--text <text>": "the answer",
    "--file <path>": "file with the answer",
    ...withFallback(STORE_OPTION, workspacePaths.rows),
    ...VERSION_ROOT_OPTION,
    "--index <file>": "gone: the rows are searched themselves",
  },
  examples: [
    'spans 10 --text "As you know, you have won a free cruise to the Bahamas."',
    "spans 10 --file answer.txt --rows mails",
  ],
  run: async ({ args, options, output }) => {
    if (options.index !== undefined) throw spanIndexGone();
    if (args[0] === undefined) throw commandError("CMD_USAGE", "name the Datanet whose rows are searched");
    const datanetId = parseId(args[0]);
    const answer = await readAnswer(options);
    const [{ findSpans, ownedSpans }, { inSlices }, { openRowStore }, { readVersionRows }] =
      await Promise.all([
        import("@openledger/attribution/spans/verbatim-spans"),
        import("@openledger/foundation/slices"),
        import("@openledger/client/actions/data/row-store"),
        import("@openledger/client/actions/data/published-version"),
      ]);
    const rowsRoot = await versionRoot(options, datanetId);
    output.progress("reading the rows");
    const rows = await readVersionRows(await openRowStore(options.rows), rowsRoot);
    const startedAtMs = performance.now();
    const onProgress = (share: number) => output.progress(`searching the rows: ${Math.floor(100 * share)} %`);
    const found = ownedSpans(await inSlices(findSpans(answer, rows), { onProgress }), rows);
    const findMs = performance.now() - startedAtMs;
    const { searchedRowCount } = found;
    const lines = [
      ...spanLines(answer, found),
      `searched ${searchedRowCount} of ${counted(rows.length, "row")} of datanet ${datanetId} in ${findMs.toFixed(0)} ms`,
    ];
    output.answer(lines, {
      datanetId,
      rowsRoot: hex32(rowsRoot),
      rowCount: rows.length,
      searchedRowCount,
      findMs,
      spans: spanViews(answer, found),
    });
  },
});

/** `openledger datanet index`: refused by name, whatever its words. */
export function addDatanetIndex(datanet: Command): void {
  const gone = datanet
    .command("index [words...]")
    .description("gone: `openledger spans` searches the rows themselves")
    .allowUnknownOption();
  onRun(withExample(gone, "datanet index 10"), async () => {
    throw spanIndexGone();
  });
}

/** The error CMD_SPAN_INDEX_GONE: nothing was read or written. */
export const spanIndexGone = (): RollupError =>
  commandError("CMD_SPAN_INDEX_GONE", "indexes of verbatim spans are gone: rows are searched themselves");

async function versionRoot(
  options: GlobalOptions & { versionRoot?: bigint },
  datanetId: number,
): Promise<bigint> {
  const [{ initPoseidon }, { getLeaf }] = await Promise.all([
    import("@openledger/circuits/field/poseidon"),
    import("@openledger/client/sequencer/ledger-reads"),
  ]);
  // The list of the version's rows is compared with its root.
  await initPoseidon();
  if (options.versionRoot !== undefined) return options.versionRoot;
  const { datanet } = await getLeaf(await openReader(options), datanetId);
  if (datanet == null || datanet.version === 0)
    throw commandError("CMD_USAGE", `leaf ${datanetId} is no datanet with a published version`);
  return datanet.rowsRoot;
}
