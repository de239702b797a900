/** Disputes over queries of language models: docs/lm-disputes.md. */
import { setTimeout as sleep } from "node:timers/promises";
import { getAddress, parseEther } from "viem";
import { readModel } from "../../../attribution/model/model-directory.ts";
import { initPoseidon } from "../../../circuits/field/poseidon.ts";
import {
  deployGenesisGates,
  deployLedgerMath,
  missingChunks,
  storeChunks,
} from "../../../contracts/build/deploy-disputes.ts";
import { deployTraceGame } from "../../../contracts/build/deploy-trace-game.ts";
import { traceGameAbi } from "../../../contracts/build/trace-abi.ts";
import { claimReceiptCall } from "../../../models/disputing/ledger-claims.ts";
import type { ClaimState } from "../../../models/disputing/read-games.ts";
import { type PlayedRound, TracePlayer } from "../../../models/disputing/trace-player.ts";
import { namesModel, textOf, traceQuery } from "../../../models/disputing/traced-model.ts";
import { isTracedBy, tracedOf } from "../../../models/disputing/traced-recipe.ts";
import { openTracedText } from "../../../models/disputing/traced-text.ts";
import { type TextParts, textFamily } from "../../../models/registered/text-family.ts";
import { chainKernels } from "../../../models/trace/run-trace.ts";
import { commandError } from "../../cli/cli-errors.ts";
import { type GlobalOptions, openReader, parseAddress } from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/l1-sender.ts";
import { textSetting } from "../../cli/model-families.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";

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
  const [address, prompt] = [parseAddress(args[0]!), args[2]!];
  const { kernelsOf, parts, setting, traced } = await openTraced(args[1]!, options, output.progress);
  const answer = options.answer ?? (await textFamily(setting).open(parts)).answer(prompt).text;
  const text = traced.textOf(prompt, answer);
  output.progress(`tracing ${text.tokens.length} tokens`);
  const query = traceQuery(traced.model, text, kernelsOf());
  const { tracing } = parts.recipe;
  if (tracing === undefined || !isTracedBy(traced, parts.recipe))
    throw commandError("CMD_USAGE", "the model's recipe promises no claims, or those of other numbers");
  const terms = tracedOf(traced, parts.recipe, getAddress(tracing.claimant));
  const lengths = traced.lengthsOf(prompt);
  const receipt = { payerId: parseId(options.payer), salt: BigInt(options.salt), prompt, answer, lengths };
  const sender = await l1SenderOf(options);
  const contract = { address, abi: traceGameAbi } as const;
  const valueWei = await sender.publicClient.readContract({ ...contract, functionName: "leastBondWei" });
  const data = claimReceiptCall(traced.model, terms, query, receipt);
  const sent = await sender.send({ to: address, data, valueWei });
  const lines = [
    `claimed the query of ${text.tokens.length} tokens: ${query.program.length} operations`,
    `L1 transaction ${sent.hash}, ${sent.gasUsed} gas`,
  ];
  output.answer(lines, { opCount: query.program.length, ...sent });
}

/** Signs only what the games ask of this account. @throws CMD_USAGE for a model of another kind */
export async function playGames({ options, args, output }: CommandContext<PlayOptions>): Promise<void> {
  const game = parseAddress(args[0]!);
  const { kernelsOf, traced } = await openTraced(args[1]!, options, output.progress);
  const sender = await l1SenderOf(options);
  const player = new TracePlayer({
    publicClient: sender.publicClient,
    game,
    challenges: true,
    model: traced.model,
    account: { address: sender.address, send: (call) => sender.send({ to: game, ...call }) },
    traceOf: ({ claimId, statement }: ClaimState) => {
      if (!namesModel(traced.model, statement)) {
        output.progress(`claim ${claimId} names other files than this model's: no game here can refute that`);
        return null;
      }
      output.progress(`tracing claim ${claimId}`);
      return traceQuery(traced.model, textOf(statement), kernelsOf());
    },
  });
  for (;;) {
    const played = await player.playOnce().catch((error: unknown) => {
      if (options.every === undefined) throw error;
      output.progress(`nothing could be played: ${messageOf(error)}`);
      return null;
    });
    if (played !== null) sayRound(played, output);
    if (options.every === undefined) {
      if (played!.failures.length > 0) throw played!.failures[0]!.error;
      return;
    }
    await sleep(Number(options.every) * 60_000);
  }
}

function sayRound({ failures, moves }: PlayedRound, output: CommandContext<PlayOptions>["output"]): void {
  const where = ({ claimId, gameId }: { readonly claimId: bigint; readonly gameId: bigint | null }) =>
    `claim ${claimId}${gameId === null ? "" : `, game ${gameId}`}`;
  const lines = [
    ...moves.map((move) => `${where(move)}: ${move.what}, ${move.gasUsed} gas`),
    ...failures.map((failure) => `${where(failure)} could not be played: ${messageOf(failure.error)}`),
  ];
  const failed = failures.map(({ error, ...place }) => ({ ...place, reason: messageOf(error) }));
  output.answer(lines.length === 0 ? ["no move to make"] : lines, { moves, failures: failed });
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

async function openTraced(
  folder: string,
  options: GlobalOptions & { readonly modelId: string; readonly base?: string },
  progress: (line: string) => void,
) {
  await initPoseidon();
  const setting = await textSetting({ base: options.base });
  const family = textFamily(setting);
  const model = await readModel<TextParts>(folder, [family]);
  if (model.family !== family) throw commandError("CMD_USAGE", "only queries of language models are traced");
  progress("reading the model, and the roots of its numbers");
  const { rollupAddress: rollup } = await openReader(options);
  const traced = await openTracedText({ rollup, modelId: BigInt(parseId(options.modelId)) }, model, setting);
  const { programs } = traced.model;
  const kernelsOf = () => chainKernels(setting.kernels, programs.slice(-1));
  return { parts: model, setting, traced, kernelsOf };
}
