/**
 * `openledger spans`: finds verbatim parts of a text in an index that `datanet index` wrote, with the rows and their
 * contributors.
 */
import { counted } from "@openledger/foundation/counted";
import { InvalidArgumentError } from "commander";
import { command } from "../../cli/run-command.ts";
import { readAnswer, spanLines, spanViews } from "./span-lines.ts";

export const addSpansCommand = command({
  usage: "spans",
  about: "find verbatim parts of a text in a Datanet's version, with contributors and counts",
  options: {
    "--index <file>": { about: "file that `datanet index` wrote", isRequired: true },
    "--text <text>": "the answer",
    "--file <path>": "file with the answer",
    "--sources <n>": { about: "maximum rows to name for a part", fallback: 3, parse: parseSources },
  },
  examples: [
    'spans --index mails.spans --text "As you know, you have won a free cruise to the Bahamas."',
    "spans --index mails.spans --file answer.txt",
  ],
  run: async ({ options, output }) => {
    const [{ readIndexFile }, { findSpans, sourcesOf }] = await Promise.all([
      import("@openledger/models/serving/spans/index-file"),
      import("@openledger/models/serving/spans/find-spans"),
    ]);
    const answer = await readAnswer(options);
    output.progress("reading the index");
    const index = await readIndexFile(options.index);
    const startedAtMs = performance.now();
    const found = findSpans(index, answer);
    const findMs = performance.now() - startedAtMs;
    const spans = found.map((span) => ({
      start: span.start,
      end: span.end,
      count: span.hi - span.lo,
      sources: sourcesOf(index, span, options.sources).map(({ offset, row }) => {
        const { contributorId, digest, validatorId } = index.document(row);
        return { row, contributorId, validatorId, digest, offset };
      }),
    }));
    const { rowsRoot } = index.parts;
    const lines = [
      ...spanLines(answer, spans),
      `found in ${findMs.toFixed(1)} ms in ${counted(index.documentCount, "row")} of version ${rowsRoot}`,
    ];
    output.answer(lines, { rowsRoot: `0x${rowsRoot}`, findMs, spans: spanViews(answer, spans) });
  },
});

function parseSources(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new InvalidArgumentError("not a number from 1 to 99");
  return Number(text);
}
