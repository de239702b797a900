/** Everything that an account has to do about a model on L1: leaves to show, and moves in games (docs/explanation/disputes.md). */

import { setTimeout as sleep } from "node:timers/promises";
import { readModel } from "@openledger/attribution/model/model-directory";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { claimantOf } from "@openledger/attribution/model/recipe-fields";
import { tracedPlayer } from "@openledger/challenger/games/traced-player";
import { readRegistry } from "@openledger/challenger/model-commitments/registry";
import { answerAvailabilityChallenges } from "@openledger/challenger/playing/answer-availability-challenges";
import { describeRound, messageOf } from "@openledger/challenger/playing/describe-round";
import { promisesModelCommitment } from "@openledger/challenger/playing/disputes-contracts";
import { disputesSenderOf } from "@openledger/challenger/playing/disputes-sender";
import { gamesAt, sendingTo } from "@openledger/challenger/playing/trace-sender";
import { inOrder } from "@openledger/challenger/sending/l1-queue";
import type { L1Sender } from "@openledger/challenger/sending/l1-sender";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { modelFamilies } from "@openledger/models/registered/model-families";
import type { Address } from "viem";
import { parseAddress } from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/open-l1-sender.ts";
import { parseId } from "../../cli/parse-id.ts";
import { renderError } from "../../cli/render-error.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { openPromised } from "./query-disputes.ts";

export interface PlayOptions {
  modelId: string;
  every?: string;
  base?: string;
}

interface Looking {
  readonly context: CommandContext<PlayOptions>;
  readonly sender: L1Sender;
  readonly given: Address;
  readonly model: PublishedModel;
}

interface Looked {
  readonly lines: readonly string[];
  readonly facts: object;
  readonly failures: readonly unknown[];
  /** Whether a game has more to do at once. */
  readonly isWaiting?: boolean;
}
type Look = () => Promise<Looked>;

/** Shows challenged leaves and makes moves, once or again and again. @throws CMD_USAGE for a model that promises neither */
export async function playDisputes(context: CommandContext<PlayOptions>): Promise<void> {
  const { options, args, output } = context;
  await initPoseidon();
  const given = parseAddress(args[0]!);
  const model = await readModel(args[1]!, await modelFamilies(options));
  const sender = inOrder(await l1SenderOf(options), output.progress);
  const looking = { context, sender, given, model };
  const availabilityChallenges = await availabilityChallengesLook(looking);
  const isClaimed = claimantOf(model.recipe) !== null;
  const looks = [
    ...(availabilityChallenges === null ? [] : [availabilityChallenges]),
    ...(isClaimed || availabilityChallenges === null ? [await gameLook(looking)] : []),
  ];
  for (;;) {
    const looked: Looked[] = [];
    for (const look of looks)
      looked.push(
        await look().catch((error: unknown) => ({
          lines: [`could not be played: ${messageOf(error)}`],
          facts: {},
          failures: [error],
        })),
      );
    const lines = looked.flatMap((one) => one.lines);
    const failures = looked.flatMap((one) => one.failures).map(renderError);
    const [error] = failures;
    output.answer(lines, {
      looked: looked.map(({ facts }) => facts),
      ...(error === undefined ? {} : { error, failures }),
    });
    if (options.every === undefined) {
      if (error !== undefined) process.exitCode = 1;
      return;
    }
    if (!looked.some(({ isWaiting }) => isWaiting === true)) await sleep(Number(options.every) * 60_000);
  }
}

/** Null where nothing of the model is posted at this contract. @throws CMD_USAGE */
async function availabilityChallengesLook({ context, given, model, sender }: Looking): Promise<Look | null> {
  const { args, options, output } = context;
  if (!promisesModelCommitment(model)) return null;
  // Games may be named by themselves: nothing is posted there.
  const isOfGames =
    claimantOf(model.recipe) !== null && (await readRegistry(sender.publicClient, given)) === null;
  if (isOfGames) return null;
  const modelId = parseId(options.modelId);
  const disputes = await disputesSenderOf(sender, given);
  return async () => {
    const availabilityChallenged = { model, folder: args[1]!, modelId, base: options.base };
    const { answered, failures } = await answerAvailabilityChallenges(
      disputes,
      availabilityChallenged,
      output.progress,
    );
    const lines = [
      ...answered.map(
        ({ gasUsed, hash, index, modelCommitment, tree }) =>
          `model commitment ${modelCommitment}: leaf ${index} of "${tree}" is shown, L1 transaction ${hash}, ${gasUsed} gas`,
      ),
      ...failures.map(renderError).map(({ code, message }) => `not shown: ${message} [${code}]`),
    ];
    return {
      lines: lines.length === 0 ? ["nothing is challenged"] : lines,
      facts: { about: "availability-challenges", answered },
      failures,
    };
  };
}

/** Moves in games over queries and rows. Signs only what games ask of this account. */
async function gameLook({ context, given, sender }: Looking): Promise<Look> {
  const { args, options, output } = context;
  const { publicClient } = sender;
  const game = await gamesAt(publicClient, given);
  const { setting, terms, traced } = await openPromised(args[1]!, options, output.progress);
  const { address, send } = sendingTo(sender, game);
  const player = tracedPlayer({
    ...{ publicClient, game, traced, terms, challenges: true },
    ...{ kernels: setting.kernels, onProgress: output.progress },
    account: { address, send: (call) => send(call, "a move") },
    // Who looks once has no next look.
    mostTraced: options.every === undefined ? Number.POSITIVE_INFINITY : undefined,
  });
  return async () => {
    const played = await player.playOnce();
    const { lines, view } = describeRound(played);
    return {
      lines,
      facts: { about: "games", ...view },
      failures: played.failures.map(({ error }) => error),
      isWaiting: played.waiting.length > 0,
    };
  };
}
