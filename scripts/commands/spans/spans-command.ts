import { writeFile } from "node:fs/promises";
import type { SpanEvidence } from "@openledger/models/spans/evidence";
import { InvalidArgumentError } from "commander";
import { STORE_OPTION } from "../../cli/common-options.ts";
import { command } from "../../cli/run-command.ts";
import { readAnswer, spanLines, spanView } from "./span-lines.ts";

export const addSpansCommand = command({
  usage: "spans",
  about: "find verbatim parts of a text in a Datanet's version, with contributors and counts",
  options: {
    "--index <file>": { about: "file that `datanet index` wrote", isRequired: true },
    "--text <text>": "the answer",
    "--file <path>": "file with the answer",
    "--sources <n>": { about: "most rows to name for a part", fallback: 3, parse: parseSources },
    "--evidence <file>": "write the evidence that a client checks with: verify spans FILE --root ROOT",
    ...STORE_OPTION,
    "--complete": "prove also that there is no other part; 100 kB of evidence for a kilobyte of answer",
  },
  examples: [
    'spans --index mails.spans --text "As you know, you have won a free cruise to the Bahamas."',
    "spans --index mails.spans --file answer.txt --evidence evidence.json --complete",
    "spans --index mails.spans --file answer.txt --evidence evidence.json --rows rows",
  ],
  run: async ({ options, output }) => {
    const [{ readIndexFile }, { findSpans }, { citeSpans }, { checkCitations }, { evidenceToJson }] =
      await Promise.all([
        import("@openledger/models/spans/index-file"),
        import("@openledger/models/spans/cite-spans"),
        import("@openledger/models/spans/cite-spans"),
        import("@openledger/models/spans/check-citations"),
        import("@openledger/models/spans/evidence"),
      ]);
    const answer = await readAnswer(options);
    output.progress("reading the index");
    const index = await readIndexFile(options.index);
    const startedAtMs = performance.now();
    const spans = findSpans(index, answer);
    const findMs = performance.now() - startedAtMs;
    const evidence = citeSpans(index, answer, spans, {
      maxSources: options.sources,
      isComplete: options.complete === true,
    });
    // What it prints is what a client would believe of this evidence.
    const checked = checkCitations(index.root, answer, evidence);
    const json = JSON.stringify({
      answer: new TextDecoder().decode(answer),
      evidence: evidenceToJson(evidence),
      ...(options.rows !== undefined && {
        rows: await citedRows(options.rows, BigInt(`0x${index.header.rowsRoot}`), evidence),
      }),
    });
    if (options.evidence !== undefined) await writeFile(options.evidence, `${json}\n`);
    const { rowsRoot } = index.header;
    const lines = [
      ...spanLines(answer, checked),
      `found in ${findMs.toFixed(1)} ms in ${index.header.documentCount} rows; root ${index.root}`,
      ...(options.evidence === undefined ? [] : [`evidence of ${json.length} bytes in ${options.evidence}`]),
    ];
    output.answer(lines, {
      root: index.root,
      rowsRoot: `0x${rowsRoot}`,
      findMs,
      ...spanView(answer, checked),
      evidence: options.evidence ?? null,
    });
  },
});

/** With these rows the evidence needs no word about the index: verify spans FILE --version-root ROOT. */
async function citedRows(folder: string, rowsRoot: bigint, evidence: SpanEvidence): Promise<object[]> {
  const [{ initPoseidon }, { readVersionRows }, { openRowStore }, { citeRows, citedRowsToJson }] =
    await Promise.all([
      import("@openledger/circuits/field/poseidon"),
      import("@openledger/client/actions/data/published-version"),
      import("@openledger/client/actions/data/row-store"),
      import("@openledger/models/spans/row-evidence"),
    ]);
  await initPoseidon();
  const rows = await readVersionRows(await openRowStore(folder), rowsRoot);
  return citedRowsToJson(citeRows(evidence, rows));
}

function parseSources(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new InvalidArgumentError("not a number from 1 to 99");
  return Number(text);
}
