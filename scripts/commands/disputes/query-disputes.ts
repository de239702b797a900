/** Disputes over queries of language models: docs/lm-disputes.md. */

import { setTimeout as sleep } from "node:timers/promises";
import { openPromisedModel } from "@openledger/challenger/claiming/promised-model";
import { receiptClaim } from "@openledger/challenger/games/receipt-claim";
import { tracedPlayer } from "@openledger/challenger/games/traced-player";
import { describeRound, messageOf } from "@openledger/challenger/playing/describe-round";
import {
  type SoughtModel,
  sendingTo,
  traceContractAt,
  traceSenderOf,
} from "@openledger/challenger/playing/trace-sender";
import { inOrder } from "@openledger/challenger/sending/l1-queue";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { textFamily } from "@openledger/models/registered/text-family";
import { type GlobalOptions, openReader, parseAddress } from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/open-l1-sender.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";

export interface ClaimOptions {
  modelId: string;
  payer: string;
  salt: string;
  answer?: string;
  base?: string;
}

export interface PlayOptions {
  modelId: string;
  every?: string;
  base?: string;
}

/** @throws CMD_USAGE for a model of another kind */
export async function claimQuery({ options, args, output }: CommandContext<ClaimOptions>): Promise<void> {
  const prompt = args[2]!;
  const { game, ...sender } = await traceSenderOf(
    await l1SenderOf(options),
    parseAddress(args[0]!),
    soughtModel(options, parseId(options.modelId)),
  );
  const { parts, setting, terms, traced } = await openPromised(args[1]!, options, output.progress);
  const answer = options.answer ?? (await textFamily(setting).open(parts)).answer(prompt).text;
  output.progress("tracing the query");
  const receipt = { payerId: parseId(options.payer), salt: BigInt(options.salt), prompt, answer };
  const { data, query } = receiptClaim({ traced, terms, kernels: setting.kernels }, receipt);
  const contract = { address: game, abi: traceGameAbi } as const;
  const valueWei = await sender.publicClient.readContract({ ...contract, functionName: "leastBondWei" });
  const sent = await sender.send({ data, valueWei }, "the claim");
  const lines = [
    `claimed the query of ${query.text.tokens.length} tokens: ${query.program.length} operations`,
    `L1 transaction ${sent.hash}, ${sent.gasUsed} gas`,
  ];
  output.answer(lines, { opCount: query.program.length, ...sent });
}

/** Signs only what the games ask of this account. @throws CMD_USAGE for a model of another kind */
export async function playGames({ options, args, output }: CommandContext<PlayOptions>): Promise<void> {
  const given = parseAddress(args[0]!);
  const modelId = parseId(options.modelId);
  const sender = inOrder(await l1SenderOf(options), output.progress);
  const { publicClient } = sender;
  const game = await traceContractAt(publicClient, given, soughtModel(options, modelId));
  const { setting, terms, traced } = await openPromised(args[1]!, options, output.progress);
  const { address, send } = sendingTo(sender, game);
  const player = tracedPlayer({
    ...{ publicClient, game, traced, terms, challenges: true },
    ...{ kernels: setting.kernels, onProgress: output.progress },
    account: { address, send: (call) => send(call, "a move") },
    // Who looks once has no next look.
    mostTraced: options.every === undefined ? Number.POSITIVE_INFINITY : undefined,
  });
  for (;;) {
    const failures: unknown[] = [];
    let isWaiting = false;
    try {
      const played = await player.playOnce();
      const { lines, view } = describeRound(played);
      output.answer(lines, view);
      failures.push(...played.failures.map(({ error }) => error));
      isWaiting = played.waiting.length > 0;
    } catch (error) {
      failures.push(error);
    }
    if (options.every === undefined) {
      if (failures.length > 0) throw failures[0];
      return;
    }
    for (const failure of failures) output.progress(`could not be played: ${messageOf(failure)}`);
    if (!isWaiting) await sleep(Number(options.every) * 60_000);
  }
}

/** Model of the rollup that the options name. */
export const soughtModel = (options: GlobalOptions, modelId: number): SoughtModel => ({
  modelId,
  rollup: async () => (await openReader(options)).rollupAddress,
});

/** @throws CMD_USAGE for a model of another kind, and for one that promises no claims of its own numbers */
export async function openPromised(
  folder: string,
  options: GlobalOptions & { readonly modelId: string; readonly base?: string },
  progress: (line: string) => void,
) {
  const { rollupAddress: rollup } = await openReader(options);
  const { base, modelId } = options;
  return openPromisedModel({ folder, rollup, modelId: parseId(modelId), base }, progress);
}
