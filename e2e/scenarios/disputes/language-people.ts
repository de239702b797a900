/** Who lies about a language model's queries: an owner in his claims, a challenger in a game about a right one. */

import { claimReceiptCall } from "@openledger/challenger/games/ledger-claims";
import { tracedOf } from "@openledger/challenger/games/traced-recipe";
import { GameReader } from "@openledger/challenger/internal/games/read-games";
import { TracePlayer } from "@openledger/challenger/internal/games/trace-player";
import type { TracedQuery } from "@openledger/challenger/internal/games/traced-model";
import { sendingTo } from "@openledger/challenger/playing/trace-sender";
import { queryCommitment } from "@openledger/circuits/internal/ledger/model-query";
import { answerHash, receiptHash } from "@openledger/circuits/ledger/model-query";
import { payInference } from "@openledger/client/internal/actions/ledger/pay-inference";
import { getModel } from "@openledger/client/sequencer/model-reads";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import type { Address, Hex, PublicClient } from "viem";
import type { DrillAccountName } from "../../world/accounts.ts";
import { drillError } from "../../world/drill-errors.ts";
import { STEP_TIMEOUT_MS } from "../../world/world.ts";
import type { LanguageLie } from "./language-lies.ts";
import { BOND_WEI, type LanguageWorld, type PlayedModel } from "./language-world.ts";

/** Calls a contract of games with an account's key; returns once it is mined. @param at default: of queries */
export function playerAccount(
  { game, world }: Pick<LanguageWorld, "game" | "world">,
  name: DrillAccountName,
  at: Address = game,
) {
  const { client } = world.l1;
  const wallet = world.l1.walletOf(name);
  const sender = {
    address: wallet.account.address,
    publicClient: client as unknown as PublicClient,
    async send(call: { readonly to: Address; readonly data: Hex; readonly valueWei: bigint }) {
      const hash = await wallet.sendTransaction({ to: call.to, data: call.data, value: call.valueWei });
      const { gasUsed, status } = await client.waitForTransactionReceipt({ hash });
      if (status !== "success") throw drillError("DRL_UNEXPECTED", `${hash} was reverted`);
      return { hash, gasUsed };
    },
  };
  const { send } = sendingTo(sender, at);
  return {
    address: wallet.account.address,
    /** @throws CLI_L1_REVERTED with the contract's name for it */
    send: (call: { readonly data: Hex; readonly valueWei: bigint }) => send(call, "a move"),
  };
}

/** Pays the model for a receipt with this query, or that of the right pass, in the hostile owner's name. */
export async function payFor(
  { clients, world }: LanguageWorld,
  { answering, modelId, published }: PlayedModel,
  {
    prompt,
    query: own,
    salt,
  }: { readonly prompt: string; readonly salt: bigint; readonly query?: Int16Array },
): Promise<void> {
  const { hostile } = clients;
  const { query: right, text } = answering.answer(prompt);
  const query = Int16Array.from(right, (entry, j) => own?.[j] ?? entry);
  const receipt = receiptHash({
    ...{ statics: published.staticsHash, payerId: hostile.leafId!, salt },
    ...{ answerHash: answerHash(prompt, text), queryCommitment: queryCommitment(query) },
  });
  const { priceWei } = (await getModel(hostile, modelId)).counters;
  await world.patiently(() => payInference(hostile, { modelId, amountWei: priceWei, receipt }));
}

/** @returns the claim's number */
export async function claimLie(
  f: LanguageWorld,
  model: PlayedModel,
  {
    lie: { prompt },
    salt,
    trace,
  }: { readonly lie: LanguageLie; readonly trace: TracedQuery; readonly salt: bigint },
): Promise<bigint> {
  const { answering, published, traced } = model;
  const owner = playerAccount(f, "hostile");
  const data = claimReceiptCall(traced.model, tracedOf(traced, published.recipe, owner.address), trace, {
    ...{ payerId: f.clients.hostile.leafId!, salt, prompt, answer: answering.answer(prompt).text },
    lengths: traced.lengthsOf(prompt),
  });
  await owner.send({ data, valueWei: BOND_WEI });
  const { claims } = await readerOf(f).claims(traced.model);
  return claims.at(-1)!.claimId;
}

export const readerOf = ({ game, world }: LanguageWorld) => new GameReader(world.l1.client as never, game);

/** The liar's moves in games about his claims, until they are refuted. @param traces of those that he fights for */
export async function fightFor(
  f: LanguageWorld,
  { traced }: PlayedModel,
  traces: ReadonlyMap<bigint, TracedQuery>,
): Promise<void> {
  const player = new TracePlayer({
    ...{ publicClient: f.world.l1.client as never, game: f.game, account: playerAccount(f, "hostile") },
    ...{ model: traced.model, challenges: false },
    traceOf: ({ claimId }) => traces.get(claimId) ?? null,
  });
  await f.world.waitFor(
    "the false claims that are fought for to be refuted",
    async () => {
      await player.playOnce();
      return (await Promise.all([...traces.keys()].map((id) => isRefuted(f, id)))).every(Boolean);
    },
    STEP_TIMEOUT_MS,
  );
}

/** A challenger of a right claim, who goes on until L1 has computed the number that he disputes. @returns his last refusal */
export async function challengeFalsely(
  f: LanguageWorld,
  { traced }: PlayedModel,
  { claimId, trace }: { readonly claimId: bigint; readonly trace: TracedQuery },
): Promise<string> {
  const player = new TracePlayer({
    ...{ publicClient: f.world.l1.client as never, game: f.game, account: playerAccount(f, "customer") },
    ...{ model: traced.model, challenges: true },
    traceOf: (claim) => (claim.claimId === claimId ? trace : null),
  });
  return f.world.waitFor(
    "L1 to compute the number that the challenger disputes",
    async () => {
      const { failures } = await player.playOnce();
      const said = failures
        .map(({ error }) => String(error))
        .find((text) => text.includes("TraceNothingWrong"));
      return said === undefined ? null : "TraceNothingWrong";
    },
    STEP_TIMEOUT_MS,
  );
}

export async function isRefuted({ game, world }: LanguageWorld, claimId: bigint): Promise<boolean> {
  const call = { address: game, abi: traceGameAbi, functionName: "claims", args: [claimId] } as const;
  return (await world.l1.client.readContract(call))[3];
}
