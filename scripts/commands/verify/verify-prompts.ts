/**
 * `openledger verify settlement --prompts`: compares the published prompts of a direct (logistic) model with the queries of the
 * payments that were drawn, which Ethereum's randomness has sampled to be paid by score.
 */
import { hex32 } from "@openledger/foundation/hex";
import { type DrawVerdict, judgeDraws } from "@openledger/models/settling/verify-settlement";
import { openReader } from "../../cli/context.ts";
import { renderTable } from "../../cli/output.ts";
import { parseEpoch, parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { type PublishedOptions, publishedAt } from "../models/model-settle-direct.ts";

const WORDS: Readonly<Record<DrawVerdict, string>> = {
  same: "the prompt has these counts",
  withheld: "no prompt is published: only the payer could check it",
  "another-prompt": "⚠ the prompt or the answer is not the one of the receipt",
  dictated: "⚠ paid by counts that differ from its prompt",
  unverifiable: "⚠ not compared: the model's word vectors are not to be had here",
  unopened: "void: it was not opened",
  "false-opening": "void: the opening is not its receipt's",
  "false-answer": "⚠ void: the answer was not the model's",
};

/** Checks that the published prompts of a direct model's drawn payments are those that were paid for. */
export async function comparePrompts({
  options,
  args,
  output,
}: CommandContext<PublishedOptions>): Promise<void> {
  const target = { modelId: parseId(args[0]!), epoch: parseEpoch(args[1]!) };
  const client = await openReader(options);
  const published = await publishedAt(target.modelId, target.epoch, options, (text) => output.progress(text));
  const judged = await judgeDraws(client, target, published);
  const lines = renderTable([
    ["draw", "payment", "payer", "receipt", ""],
    ...judged.map(({ draw, paymentIndex, payerId, receipt, verdict }) => [
      String(draw),
      String(paymentIndex),
      `leaf ${payerId}`,
      hex32(receipt),
      WORDS[verdict],
    ]),
  ]);
  output.answer(lines, { ...target, draws: judged });
}
