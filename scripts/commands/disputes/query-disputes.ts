/** Disputes over queries of language models: docs/explanation/fault-proofs.md. */

import { readModel } from "@openledger/attribution/model/model-directory";
import { readGame } from "@openledger/challenger/events/read-contracts";
import { receiptClaim } from "@openledger/challenger/games/claims/receipt-claim";
import { OpenedModels } from "@openledger/challenger/playing/opened-models";
import { traceSenderOf } from "@openledger/challenger/playing/trace-sender";
import { textSetting } from "@openledger/models/registered/model-families";
import { type TextParts, textFamily } from "@openledger/models/registered/text-family";
import { type GlobalOptions, openReader, parseAddress } from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/open-l1-sender.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import type { ClaimOptions } from "./disputes-options.ts";

/** @throws CMD_USAGE for a model of another kind */
export async function claimQuery({ options, args, output }: CommandContext<ClaimOptions>): Promise<void> {
  const prompt = args[2]!;
  const { game, ...sender } = await traceSenderOf(await l1SenderOf(options), parseAddress(args[0]!));
  const { parts, setting, terms, traced } = await openPromised(args[1]!, options, output.progress);
  const answer = options.answer ?? (await textFamily(setting).open(parts)).answer(prompt).text;
  output.progress("tracing the query");
  const receipt = { payerId: parseId(options.payer), salt: BigInt(options.salt), prompt, answer };
  const { data, query } = receiptClaim({ traced, terms, kernels: setting.kernels }, receipt);
  const valueWei = await readGame(sender.publicClient, game)("leastBondWei", []);
  const sent = await sender.send({ data, valueWei }, "the claim");
  const lines = [
    `claimed the query of ${query.text.tokens.length} tokens: ${query.program.length} operations`,
    `L1 transaction ${sent.hash}, ${sent.gasUsed} gas`,
  ];
  output.answer(lines, { opCount: query.program.length, ...sent });
}

/** @throws CMD_USAGE for a model that promises no claims of its own numbers */
export async function openPromised(
  folder: string,
  options: GlobalOptions & { readonly modelId: string; readonly base?: string },
  progress: (line: string) => void,
) {
  const { rollupAddress: rollup } = await openReader(options);
  const parts = await readModel<TextParts>(folder, [textFamily(await textSetting(options))]);
  const named = { rollup, modelId: BigInt(parseId(options.modelId)) };
  return { parts, ...(await new OpenedModels(options.base, progress).require(named, parts)) };
}
