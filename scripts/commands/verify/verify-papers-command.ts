/** `openledger verify papers`: compares a model's papers with what ledger, cards and signed records say now. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { delegateLines } from "@openledger/client/safe/leaf-owner";
import { recordLeaves } from "@openledger/datanets/papers/model-facts";
import { counted } from "@openledger/foundation/counted";
import { commandError } from "../../cli/cli-errors.ts";
import { parseId } from "../../cli/parse-id.ts";
import { readTextFile } from "../../cli/read-text-file.ts";
import { command } from "../../cli/run-command.ts";
import { readerOrSigner } from "../datanet/host-options.ts";
import { PAPER_OPTIONS, paperParameters } from "../models/model-papers.ts";

/** Maximum bytes of a paper that somebody gives: labels, instructions and columns of a card fit many times. */
const MAX_PAPER_BYTES = 4 * 2 ** 20;
const MAX_PAPERS = 64;

export const addVerifyPapersCommand = command({
  usage: "papers <model> <folder>",
  about: "write a model's papers again, and compare those in a folder; names each field that differs",
  options: PAPER_OPTIONS,
  examples: [
    "verify papers 15 model-15-papers",
    "verify papers 15 papers --host http://127.0.0.1:8560 --json",
  ],
  run: async ({ args, options, output }) => {
    const [model, folder] = args as [string, string];
    const modelId = parseId(model);
    const papers = await readPapers(folder);
    const { checkModelPapers } = await import("@openledger/client/datanets/model-papers");
    const client = await readerOrSigner(options);
    const parameters = await paperParameters(modelId, options, output);
    const { facts, unchecked } = await checkModelPapers(client, { ...parameters, papers });
    output.answer(
      [
        `${counted(papers.length, "paper")} in ${folder}: what the ledger and its hosts say of model ${modelId}, to the byte`,
        ...(await delegateLines(client, recordLeaves(facts))),
        ...unchecked.map((field) => `not checked, since its rows are permissioned: ${field}`),
      ],
      { modelId, papers: papers.map(({ name }) => name), unchecked },
    );
  },
});

/** Reads a folder's papers; other files are passed over. @throws CMD_USAGE */
async function readPapers(folder: string): Promise<{ name: string; text: string }[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw commandError("CMD_USAGE", `cannot read ${folder}`, { cause });
  });
  const papers = names.filter((name) => name.endsWith(".md") || name.endsWith(".croissant.json")).sort();
  if (papers.length === 0 || papers.length > MAX_PAPERS)
    throw commandError(
      "CMD_USAGE",
      `${folder} has ${papers.length} papers: one to ${MAX_PAPERS} are compared`,
    );
  return Promise.all(
    papers.map(async (name) => {
      const path = join(folder, name);
      if ((await stat(path)).size > MAX_PAPER_BYTES)
        throw commandError("CMD_USAGE", `${path} has more than ${MAX_PAPER_BYTES} bytes`);
      return { name, text: await readTextFile(path) };
    }),
  );
}
