import { readFile, writeFile } from "node:fs/promises";
import { hex32 } from "@openledger/foundation/hex";
import { InvalidArgumentError } from "commander";
import { commandError } from "../../cli/cli-errors.ts";
import { VERSION_ROOT_OPTION } from "../../cli/common-options.ts";
import type { Output } from "../../cli/output.ts";
import { command } from "../../cli/run-command.ts";
import { presentLines, spanLines, spanView, textOf } from "../spans/span-lines.ts";

export const addVerifySpansCommand = command({
  usage: "spans <file>",
  about:
    "check evidence of verbatim spans in a version, or that an index is not sorted; without a root, the file is an index to check: sorted, with its rows contiguous",
  options: {
    "--root <hex>": {
      about: "for evidence: root of the index, from a source that you trust; `datanet index` prints it",
      parse: parseRoot,
    },
    ...VERSION_ROOT_OPTION,
    "--write <file>": "for an index: file for the evidence if it is not sorted, for verify spans --root",
  },
  examples: [
    "verify spans evidence.json --root 5f0c…",
    "verify spans evidence.json --version-root 0x1f0c…",
    "verify spans mails.spans --write disorder.json",
  ],
  run: ({ options, args, output }) => {
    if (options.versionRoot !== undefined) return checkRows(args[0]!, options.versionRoot, output);
    return options.root === undefined
      ? checkIndex(args[0]!, options.write, output)
      : checkEvidence(args[0]!, options.root, output);
  },
});

/** That spans occur in rows of the version: no index is believed, so there are no counts. */
async function checkRows(path: string, rowsRoot: bigint, output: Output): Promise<void> {
  const [{ initPoseidon }, { evidenceFromJson }, { checkCitedRows, citedRowsFromJson }] = await Promise.all([
    import("@openledger/circuits/field/poseidon"),
    import("@openledger/models/spans/evidence"),
    import("@openledger/models/spans/row-evidence"),
  ]);
  await initPoseidon();
  const { answer, evidence, rows } = await readEvidence(path);
  const text = new TextEncoder().encode(String(answer));
  const spans = checkCitedRows(rowsRoot, text, evidenceFromJson(evidence), citedRowsFromJson(rows));
  output.answer(presentLines(text, spans), {
    rowsRoot: hex32(rowsRoot),
    spans: spans.map(({ end, sources, start }) => ({
      ...{ start, end, text: textOf(text, start, end) },
      sources: sources.map(({ document, ...source }) => ({ row: document, ...source })),
    })),
  });
}

async function checkEvidence(path: string, root: string, output: Output): Promise<void> {
  const [{ checkCitations }, { checkDisorder }, { evidenceFromJson, orderFromJson }] = await Promise.all([
    import("@openledger/models/spans/check-citations"),
    import("@openledger/models/spans/order-evidence"),
    import("@openledger/models/spans/evidence"),
  ]);
  const { answer, disorder, evidence } = await readEvidence(path);
  if (disorder !== undefined) {
    const reason = checkDisorder(root, orderFromJson(disorder));
    output.answer([`the index of root ${root} is false: ${reason}`], { root, disorder: reason });
    return;
  }
  const text = new TextEncoder().encode(String(answer));
  const checked = checkCitations(root, text, evidenceFromJson(evidence));
  const lines = [...spanLines(text, checked), `all of it follows from the root ${root}`];
  output.answer(lines, { root, ...spanView(text, checked) });
}

async function checkIndex(path: string, write: string | undefined, output: Output): Promise<void> {
  const [{ readIndexFile }, { indexOf }, { checkDisorder, findDisorder }, { orderToJson }] =
    await Promise.all([
      import("@openledger/models/spans/index-file"),
      import("@openledger/models/spans/span-index"),
      import("@openledger/models/spans/order-evidence"),
      import("@openledger/models/spans/evidence"),
    ]);
  const stored = await readIndexFile(path);
  const index = await indexOf(stored.parts, (share) =>
    output.progress(`hashing: ${Math.floor(share * 100)} %`),
  );
  const hasRoot = index.root === stored.root;
  output.progress("comparing neighbours");
  const evidence = findDisorder(index);
  const disorder = evidence === null ? null : checkDisorder(index.root, evidence);
  if (evidence !== null && write !== undefined)
    await writeFile(write, `${JSON.stringify({ disorder: orderToJson(evidence) })}\n`);
  const isSound = hasRoot && disorder === null;
  const lines = [
    ...(hasRoot ? [] : [`its text, array and rows have another root than it says: ${index.root}`]),
    ...(disorder === null ? [] : [`it is false: ${disorder}`]),
    ...(isSound ? [`the index of root ${index.root} is sorted: what it counts is right for its text`] : []),
  ];
  const facts = { root: stored.root, hashedRoot: index.root, isSound, disorder, written: write ?? null };
  output.answer(lines, facts);
  if (!isSound) process.exitCode = 1;
}

interface EvidenceFile {
  answer?: unknown;
  evidence?: unknown;
  disorder?: unknown;
  rows?: unknown;
}

async function readEvidence(path: string): Promise<EvidenceFile> {
  try {
    return (JSON.parse(await readFile(path, "utf8")) ?? {}) as EvidenceFile;
  } catch (cause) {
    throw commandError("CMD_USAGE", `${path} is no file of JSON`, { cause });
  }
}

function parseRoot(text: string): string {
  const digits = text.replace(/^0x/, "");
  if (!/^[0-9a-f]{64}$/.test(digits)) throw new InvalidArgumentError("not a root of 64 digits");
  return digits;
}
