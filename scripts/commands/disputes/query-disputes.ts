/** Disputes over queries of language models: docs/lm-disputes.md. */
import { setTimeout as sleep } from "node:timers/promises";
import { parseEther } from "viem";
import {
  deployGenesisGates,
  deployLedgerMath,
  missingChunks,
  storeChunks,
} from "../../../contracts/build/deploy-disputes.ts";
import { deployTraceGame } from "../../../contracts/build/deploy-trace-game.ts";
import { traceGameAbi } from "../../../contracts/build/trace-abi.ts";
import { receiptClaim } from "../../../models/disputing/receipt-claim.ts";
import type { PlayedRound } from "../../../models/disputing/trace-player.ts";
import { tracedPlayer } from "../../../models/disputing/traced-player.ts";
import { textFamily } from "../../../models/registered/text-family.ts";
import { openPromisedModel } from "../../claiming/promised-model.ts";
import { type GlobalOptions, openReader, parseAddress } from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/l1-sender.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { traceSenderOf } from "./trace-sender.ts";

export interface DeployGameOptions {
  windowDays: string;
  sideHours: string;
  math?: string;
  beside?: string[];
  bond: string;
  stake: string;
}

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
  mostStake?: string;
}

export async function deployGame({ options, output }: CommandContext<DeployGameOptions>): Promise<void> {
  const sender = await l1SenderOf(options);
  const clients = { walletClient: sender.walletClient, publicClient: sender.publicClient };
  const math = options.math === undefined ? await deployLedgerMath(clients) : parseAddress(options.math);
  const missing = await missingChunks(sender.publicClient, math, 0);
  output.progress(`storing ${missing.length} chunks of constants, some 5 million gas each`);
  await storeChunks(clients, math, missing);
  const terms = {
    windowSeconds: BigInt(Math.round(Number(options.windowDays) * 86_400)),
    sideSeconds: BigInt(Math.round(Number(options.sideHours) * 3_600)),
    leastBondWei: parseEther(options.bond),
    stakeWei: parseEther(options.stake),
  };
  const { game, rules } = await deployTraceGame(clients, terms, math);
  const members = [game, ...(options.beside ?? []).map(parseAddress)];
  const gate = await deployGenesisGates(clients, members);
  const lines = [
    `LedgerTraces ${game}, TraceRules ${rules}, LedgerMath ${math}`,
    `GenesisGates ${gate} before ${members.length} contracts: a rollup's deploy.json says "genesisGate": "${gate}"`,
  ];
  output.answer(lines, { game, rules, math, gate, members });
}

/** @throws CMD_USAGE for a model of another kind */
export async function claimQuery({ options, args, output }: CommandContext<ClaimOptions>): Promise<void> {
  const prompt = args[2]!;
  const { game, ...sender } = await traceSenderOf(options, parseAddress(args[0]!), parseId(options.modelId));
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
  const { game, ...sender } = await traceSenderOf(options, parseAddress(args[0]!), parseId(options.modelId));
  const { setting, terms, traced } = await openPromised(args[1]!, options, output.progress);
  const player = tracedPlayer({
    ...{ publicClient: sender.publicClient, game, challenges: true, traced, terms },
    ...{ kernels: setting.kernels, onProgress: output.progress },
    account: { address: sender.address, send: (call) => sender.send(call, "a move") },
    // Who looks once has no next look.
    ...(options.every === undefined ? { mostTraced: Number.POSITIVE_INFINITY } : {}),
    ...mostStakeOf(options),
  });
  for (;;) {
    const played = await player.playOnce().catch((error: unknown) => {
      if (options.every === undefined) throw error;
      output.progress(`nothing could be played: ${messageOf(error)}`);
      return null;
    });
    if (played !== null) {
      const { lines, view } = describeRound(played);
      output.answer(lines, view);
    }
    if (options.every === undefined) {
      if (played!.failures.length > 0) throw played!.failures[0]!.error;
      return;
    }
    if (played === null || played.waiting.length === 0) await sleep(Number(options.every) * 60_000);
  }
}

/** What was done and what failed, for people and for programs. */
export function describeRound({ failures, moves, waiting, warnings }: PlayedRound) {
  const where = ({ claimId, gameId }: { readonly claimId: bigint; readonly gameId: bigint | null }) =>
    `claim ${claimId}${gameId === null ? "" : `, game ${gameId}`}`;
  const lines = [
    ...moves.map((move) => `${where(move)}: ${move.what}, ${move.gasUsed} gas`),
    ...failures.map((failure) => `${where(failure)} could not be played: ${messageOf(failure.error)}`),
    ...warnings.map(({ claimId, why }) => `claim ${claimId}, do not approve it: ${why}`),
    ...(waiting.length === 0 ? [] : [`${waiting.length} claims wait for the next look`]),
  ];
  const failed = failures.map(({ error, ...place }) => ({ ...place, reason: messageOf(error) }));
  return {
    lines: lines.length === 0 ? ["no move to make"] : lines,
    view: { moves, failures: failed, waiting, warnings },
  };
}

/** What one challenge may cost. */
export const mostStakeOf = ({ mostStake }: { readonly mostStake?: string }) =>
  mostStake === undefined ? {} : { mostStakeWei: parseEther(mostStake) };

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

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
