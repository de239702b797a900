import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readModel } from "@openledger/attribution/model/model-directory";
import { LEAF_FILE } from "@openledger/attribution/model/model-manifest";
import { contractFor, postingKindOf } from "@openledger/challenger/playing/disputes-contracts";
import { disputesSenderOf } from "@openledger/challenger/playing/disputes-sender";
import { type OpenDemand, readDemands } from "@openledger/challenger/postings/open-demands";
import { type Posting, readPostings } from "@openledger/challenger/postings/read-postings";
import { decodeLeaves, requireRoots } from "@openledger/challenger/statements/leaf-file";
import { type PostedModel, TREES } from "@openledger/challenger/statements/posted-model";
import { openingOf, statementTuple } from "@openledger/challenger/statements/posting-calls";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { modelFamilies } from "@openledger/models/registered/model-families";
import { commandError, renderError } from "../../cli/cli-errors.ts";
import { parseAddress } from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/open-l1-sender.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";

export interface AnswerOptions {
  modelId: string;
  base?: string;
}

/**
 * Shows every demanded leaf of the account's open postings of the model. What cannot be shown keeps no other from it, and
 * is a failure at the end. Attack: a stranger's posting of the same model, with leaves that only he has.
 * @throws CMD_USAGE
 */
export async function answerDemands({ options, args, output }: CommandContext<AnswerOptions>): Promise<void> {
  await initPoseidon();
  const modelId = parseId(options.modelId);
  const model = await readModel(args[1]!, await modelFamilies(options));
  const given = parseAddress(args[0]!);
  const sender = await disputesSenderOf(await l1SenderOf(options), given, (client) =>
    contractFor(client, given, model),
  );
  const { disputes, publicClient } = sender;
  const { rows } = model;
  if (rows === null) throw commandError("CMD_USAGE", "the model is published without its rows");
  const leafFile = await readFile(join(args[1]!, LEAF_FILE)).catch(() => null);
  const kind = await postingKindOf(model, options, output.progress);
  const contents = rows.map(({ content }) => content);
  const answered: { posting: bigint; tree: string; index: bigint; hash: string; gasUsed: bigint }[] = [];
  const failures: unknown[] = [];
  const orFail = async (act: () => Promise<void>) =>
    act().catch((error: unknown) => void failures.push(error));
  const showLeaf = async (posting: Posting, posted: PostedModel, { index, tree }: OpenDemand) => {
    const name = TREES[tree]!;
    const place = Number(index);
    // Nobody can show what is not there: its number is answer enough.
    const isThere = place < posted.leaves[name].length;
    const opening = isThere
      ? openingOf(posted, name, place, name === "rows" ? contents[place] : undefined)
      : { data: "0x", path: [] };
    output.progress(`showing leaf ${index} of "${name}", posting ${posting.id}`);
    const args = [posting.id, statementTuple(posting.statement), tree, index, opening];
    const sent = await sender.send({ functionName: "answer", args });
    answered.push({ posting: posting.id, tree: name, index, ...sent });
  };
  for (const posting of await readPostings(publicClient, disputes, { modelId })) {
    const { id, openDemandCount, owner, statement } = posting;
    if (owner !== sender.address || posting.state !== "open" || openDemandCount === 0) continue;
    await orFail(async () => {
      const posted =
        leafFile === null
          ? requireRoots(await kind.honestPosting(model, rows, modelId), statement, kind.rows)
          : decodeLeaves(leafFile, statement, kind.rows);
      const { open } = await readDemands(publicClient, disputes, id);
      for (const demand of open) await orFail(() => showLeaf(posting, posted, demand));
    });
  }
  const lines = answered.map(
    ({ gasUsed, hash, index, posting, tree }) =>
      `posting ${posting}: leaf ${index} of "${tree}" is shown, L1 transaction ${hash}, ${gasUsed} gas`,
  );
  if (failures.length === 0) {
    output.answer(lines.length === 0 ? ["nothing is demanded"] : lines, { answered });
    return;
  }
  const errors = failures.map(renderError);
  const failed = errors.map(({ code, message }) => `not shown: ${message} [${code}]`);
  output.answer([...lines, ...failed], { answered, error: errors[0], failures: errors });
  process.exitCode = 1;
}
