/** Disputes over queries of language models: docs/lm-disputes.md. */
import { setTimeout as sleep } from "node:timers/promises";
import { encodeFunctionData, parseEther } from "viem";
import { readModel } from "../../../attribution/model/model-directory.ts";
import { initPoseidon } from "../../../circuits/field/poseidon.ts";
import { deployTraceGame } from "../../../contracts/build/deploy-trace-game.ts";
import { traceGameAbi } from "../../../contracts/build/trace-abi.ts";
import { type ClaimState, type PlayedRound, TracePlayer } from "../../../models/disputing/trace-player.ts";
import { claimOf, namesModel, textOf, traceQuery } from "../../../models/disputing/traced-model.ts";
import { openTracedText } from "../../../models/disputing/traced-text.ts";
import { type TextParts, textFamily } from "../../../models/registered/text-family.ts";
import { chainKernels } from "../../../models/trace/run-trace.ts";
import { commandError } from "../../cli/cli-errors.ts";
import { parseAddress } from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/l1-sender.ts";
import { textSetting } from "../../cli/model-families.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";

export interface DeployGameOptions {
  windowDays: string;
  sideHours: string;
  math?: string;
  bond: string;
  stake: string;
}

export interface ClaimOptions {
  modelId: string;
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
  const { game, rules } = await deployTraceGame(clients, {
    windowSeconds: BigInt(Math.round(Number(options.windowDays) * 86_400)),
    sideSeconds: BigInt(Math.round(Number(options.sideHours) * 3_600)),
    leastBondWei: parseEther(options.bond),
    stakeWei: parseEther(options.stake),
  });
  output.answer([`TraceGame ${game}, TraceRules ${rules}`], { game, rules });
}

/** @throws CMD_USAGE for a model of another kind */
export async function claimQuery({ options, args, output }: CommandContext<ClaimOptions>): Promise<void> {
  const [address, prompt] = [parseAddress(args[0]!), args[2]!];
  const { kernelsOf, parts, setting, traced } = await openTraced(args[1]!, options, output.progress);
  const answer = options.answer ?? (await textFamily(setting).open(parts)).answer(prompt).text;
  const text = traced.textOf(prompt, answer);
  output.progress(`tracing ${text.tokens.length} tokens`);
  const query = traceQuery(traced.model, text, kernelsOf());
  const { path, statement } = claimOf(traced.model, query);
  const sender = await l1SenderOf(options);
  const contract = { address, abi: traceGameAbi } as const;
  const valueWei = await sender.publicClient.readContract({ ...contract, functionName: "leastBondWei" });
  const data = encodeFunctionData({ ...contract, functionName: "claim", args: [statement, path] });
  const sent = await sender.send({ to: address, data, valueWei });
  const lines = [
    `claimed the query of ${text.tokens.length} tokens: ${query.program.length} operations, root ${statement.query}`,
    `L1 transaction ${sent.hash}, ${sent.gasUsed} gas`,
  ];
  output.answer(lines, { query: statement.query, opCount: query.program.length, ...sent });
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
    account: { address: sender.address, send: (call) => sender.send({ to: game, ...call }) },
    traceOf: ({ claimId, statement }: ClaimState) => {
      if (statement.modelId !== traced.model.modelId) return null;
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
  { base, modelId }: { readonly modelId: string; readonly base?: string },
  progress: (line: string) => void,
) {
  await initPoseidon();
  const setting = await textSetting({ base });
  const family = textFamily(setting);
  const model = await readModel<TextParts>(folder, [family]);
  if (model.family !== family) throw commandError("CMD_USAGE", "only queries of language models are traced");
  progress("reading the model, and the roots of its numbers");
  const traced = await openTracedText(BigInt(parseId(modelId)), model, setting);
  const { programs } = traced.model;
  const kernelsOf = () => chainKernels(setting.kernels, programs.slice(-1));
  return { parts: model, setting, traced, kernelsOf };
}
