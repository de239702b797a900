import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeLeaves, LEAF_FILE, requireRoots } from "../../../attribution/disputes/leaf-file.ts";
import { postedModel, TREES } from "../../../attribution/disputes/posted-model.ts";
import type { ClassifierParts } from "../../../attribution/model/classifier-family.ts";
import { readModel } from "../../../attribution/model/model-directory.ts";
import { initPoseidon } from "../../../circuits/field/poseidon.ts";
import { openingOf, statementTuple } from "../../../client/disputing/dispute-calls.ts";
import { readOpenDemands } from "../../../client/disputing/open-demands.ts";
import { readPostings } from "../../../client/disputing/read-postings.ts";
import { commandError } from "../../cli/cli-errors.ts";
import { parseAddress } from "../../cli/context.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { disputesSenderOf } from "./disputes-sender.ts";

export interface AnswerOptions {
  modelId: string;
}

/** Shows every demanded leaf of the model's open postings. @throws CMD_USAGE, ATT_LEAVES_MISMATCH */
export async function answerDemands({ options, args, output }: CommandContext<AnswerOptions>): Promise<void> {
  await initPoseidon();
  const sender = await disputesSenderOf(options, parseAddress(args[0]!));
  const { disputes, publicClient } = sender;
  const modelId = parseId(options.modelId);
  const model = await readModel<ClassifierParts>(args[1]!);
  const { rows } = model;
  if (rows === null) throw commandError("CMD_USAGE", "the model is published without its rows");
  const leafFile = await readFile(join(args[1]!, LEAF_FILE)).catch(() => null);
  const contents = rows.map(({ content }) => content);
  const answered: { posting: bigint; tree: string; index: bigint; hash: string; gasUsed: bigint }[] = [];
  for (const posting of await readPostings(publicClient, disputes, { modelId })) {
    const { id, openDemandCount, statement } = posting;
    if (posting.state !== "open" || openDemandCount === 0) continue;
    const posted =
      leafFile === null
        ? requireRoots(postedModel(model, contents, modelId), statement)
        : decodeLeaves(leafFile, statement);
    for (const { index, tree } of await readOpenDemands(publicClient, disputes, id)) {
      const name = TREES[tree]!;
      const place = Number(index);
      // Nobody can show what is not there: its number is answer enough.
      const isThere = place < posted.leaves[name].length;
      const opening = isThere
        ? openingOf(posted, name, place, name === "rows" ? contents[place] : undefined)
        : { data: "0x", path: [] };
      output.progress(`showing leaf ${index} of "${name}", posting ${id}`);
      const call = { functionName: "answer", args: [id, statementTuple(statement), tree, index, opening] };
      answered.push({ posting: id, tree: name, index, ...(await sender.send(call)) });
    }
  }
  const lines = answered.map(
    ({ gasUsed, hash, index, posting, tree }) =>
      `posting ${posting}: leaf ${index} of "${tree}" is shown, L1 transaction ${hash}, ${gasUsed} gas`,
  );
  output.answer(lines.length === 0 ? ["nothing is demanded"] : lines, { answered });
}
