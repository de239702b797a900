/** Claims of language models: a liar's, a friend's games about a right one, and an honest owner who is challenged about all. */

import { readGame } from "@openledger/challenger/events/read-contracts";
import { claimOf, type TracedQuery } from "@openledger/challenger/games/claims/traced-model";
import type { ShownClaim } from "@openledger/challenger/games/read-games";
import { challengeCall, statementHash } from "@openledger/challenger/games/trace-moves";
import { TracePlayer } from "@openledger/challenger/games/trace-player";
import { answerHash, queryCommitment, receiptHash } from "@openledger/circuits/ledger/model-query";
import { payInference } from "@openledger/client/actions/ledger/pay-inference";
import { getModel } from "@openledger/client/sequencer/model-reads";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { fixedState } from "@openledger/contracts/testing/fixed-state";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { getContractAddress, hexToString, isAddressEqual } from "viem";
import { type DrillAccountName, drillAccount } from "../../world/accounts.ts";
import { drillError } from "../../world/drill-errors.ts";
import { STEP_TIMEOUT_MS } from "../../world/world.ts";
import {
  type ClaimedModel,
  type ClaimLie,
  claimCall,
  falseClaim,
  type MadeClaim,
  rightClaim,
} from "./claim-lies.ts";
import { LIE_TIMEOUT_MS, readerOf } from "./commitments.ts";
import type { DisputeWorld } from "./world.ts";

/** Of the games that raise a stake by one: beside so many the next costs two. */
const LADDER = 256;
const FLOOD = 1_000;
const FLOODED_CLAIMS = 32;
/** Blocks of L1 have room for so much; those of the flood for more, so that it is over in seconds. */
const BLOCK_GAS = 30_000_000n;
const FLOOD_BLOCK_GAS = 600_000_000n;
const MOST_GAS = 16_000_000n;
const CHALLENGE_GAS = 500_000n;
const CREATION_GAS = 100_000n;
const GAS_PRICE_WEI = 10n ** 10n;
/** L1 has computed the number, and the owner is right. */
const ENDED_RIGHT = "TraceNothingWrong";

export interface ClaimedLie {
  readonly lie: ClaimLie;
  readonly claimId: bigint;
  readonly made: MadeClaim;
}

const bondOf = ({ game, l1 }: DisputeWorld) => readGame(l1, game)("leastBondWei", []);

/** Pays a model in the hostile owner's name, for a receipt of what is claimed. */
export async function payFor(
  { clients: { hostile }, world }: DisputeWorld,
  { answering, modelId, published }: ClaimedModel,
  { answer, prompt, trace }: MadeClaim,
  salt: bigint,
): Promise<void> {
  const right = answering.answer(prompt).query;
  const query = Int16Array.from(right, (entry, j) => trace.query[j] ?? entry);
  const receipt = receiptHash({
    ...{ statics: published.staticsHash, payerId: hostile.leafId!, salt },
    ...{ answerHash: answerHash(prompt, answer), queryCommitment: queryCommitment(query) },
  });
  const { priceWei } = (await getModel(hostile, modelId)).counters;
  await world.patiently(() => payInference(hostile, { modelId, amountWei: priceWei, receipt }));
}

/** @returns the claim's number */
export async function claim(
  f: DisputeWorld,
  model: ClaimedModel,
  made: MadeClaim,
  salt: bigint,
): Promise<bigint> {
  const data = claimCall(model, made, { payerId: f.clients.hostile.leafId!, salt });
  await f.account(model.owner, f.game).send({ data, valueWei: await bondOf(f) });
  const { claims } = await readerOf(f).claims({ rollup: f.rollup, modelId: BigInt(model.modelId) });
  return claims.at(-1)!.claimId;
}

/** A liar's friend opens games about a right claim, so that stakes rise before the false one is made. */
export async function climbLadder(f: DisputeWorld, model: ClaimedModel): Promise<void> {
  const made = rightClaim(model, "The debt?");
  const claimId = await claim(f, model, made, 900n);
  const friend = f.account("customer", f.game);
  const data = challengeCall(claimId, statementHash(claimOf(model.traced.model, made.trace).statement));
  const stakeWei = () => readGame(f.l1, f.game)("stakeFor", [claimId, 0n]);
  const [first, games] = [await stakeWei(), await hashesOf(f, "customer")];
  for (let one = 0; one < LADDER; one++) games.push({ to: f.game, data, value: first, gas: CHALLENGE_GAS });
  await games.mined();
  if ((await stakeWei()) !== 2n * first)
    throw drillError("DRL_UNEXPECTED", `beside ${LADDER} games a challenge costs ${await stakeWei()} wei`);
  f.tell(`${LADDER} games of ${friend.address} are open about a right claim of the liar`);
}

/** The first challenge of a claim costs one stake, whatever else is open. */
export async function stakesOf(f: DisputeWorld, claimIds: readonly bigint[]): Promise<readonly bigint[]> {
  const all = await f.l1.getContractEvents({
    ...{ address: f.game, abi: traceGameAbi, eventName: "Challenged", fromBlock: 0n, strict: true },
    args: { challenger: drillAccount("watcher").address },
  });
  const own = all.filter(({ args }) => claimIds.includes(args.claimId));
  return Promise.all(
    own.map(async ({ transactionHash: hash }) => (await f.l1.getTransaction({ hash })).value),
  );
}

/** The liar's moves in games about claims that it defends, until they are refuted or time is over. */
export async function defendLies(
  f: DisputeWorld,
  model: ClaimedModel,
  lies: readonly ClaimedLie[],
): Promise<string[]> {
  const traces = new Map(
    lies.flatMap(({ claimId, lie, made }) => (lie.isFought ? [[claimId, made.trace] as const] : [])),
  );
  const player = playerOf(f, "hostile", model, false, ({ claimId }) => traces.get(claimId) ?? null);
  const wanted = lies.filter(({ lie }) => lie.isShown || lie.isFought);
  return refutedInTime(f, wanted, () => playTelling(f, player));
}

/** @returns names of those that nobody has refuted */
export async function refutedInTime(
  f: DisputeWorld,
  lies: readonly ClaimedLie[],
  meanwhile: () => Promise<unknown> = async () => {},
): Promise<string[]> {
  const isOpen = new Set(lies);
  try {
    await f.world.waitFor(
      "watch to refute false claims",
      async () => {
        await meanwhile();
        for (const one of isOpen)
          if (await isRefutedClaim(f, one.claimId)) {
            isOpen.delete(one);
            f.tell(`claim-${one.lie.name}: refuted`);
          }
        return isOpen.size === 0;
      },
      2 * LIE_TIMEOUT_MS,
    );
  } catch (error) {
    if (!isRollupError(error, "DRL_TIMEOUT")) throw error;
  }
  return [...isOpen].map(({ claimId, lie }) => {
    f.tell(`claim-${lie.name}: NOT REFUTED, claim ${claimId}`);
    return lie.name;
  });
}

/** Challenges every claim of an honest owner, and goes on in each game until L1 has computed the number that is disputed. */
export async function challengeAll(f: DisputeWorld, model: ClaimedModel): Promise<number> {
  const traces = new Map<bigint, TracedQuery>();
  const traceOf = ({ claimId, shown }: ShownClaim) => {
    const known = traces.get(claimId) ?? falseClaim(model, hexToString(shown!.prompt), "chain").trace;
    traces.set(claimId, known);
    return known;
  };
  const player = playerOf(f, "customer", model, true, traceOf);
  const { claims } = await readerOf(f).claims({ rollup: f.rollup, modelId: BigInt(model.modelId) });
  const refused = new Set<bigint>();
  await f.world.waitFor(
    `the honest owner to answer in ${claims.length} games, and L1 to compute what is disputed in each`,
    async () => {
      for (const { claimId, error } of await playTelling(f, player))
        if (String(error).includes(ENDED_RIGHT)) refused.add(claimId);
      return refused.size === claims.length;
    },
    STEP_TIMEOUT_MS,
  );
  return claims.length;
}

/** One look, of which only what was not said before is told. */
async function playTelling(f: DisputeWorld, player: TracePlayer) {
  const { failures } = await player.playOnce();
  for (const { claimId, error } of failures) {
    const line = `a move about claim ${claimId} fails: ${String(error).split("\n")[0]}`;
    if (told.has(line) || line.includes(ENDED_RIGHT)) continue;
    told.add(line);
    f.tell(line);
  }
  return failures;
}

const told = new Set<string>();

const playerOf = (
  f: DisputeWorld,
  name: DrillAccountName,
  { modelId }: ClaimedModel,
  challenges: boolean,
  traceOf: (claim: ShownClaim) => TracedQuery | null,
) =>
  new TracePlayer({
    ...{ publicClient: f.l1, game: f.game, account: f.account(name, f.game), challenges, traceOf },
    ...{ model: { rollup: f.rollup, modelId: BigInt(modelId) }, mostTraced: Number.POSITIVE_INFINITY },
  });

const isRefutedClaim = async ({ game, l1 }: DisputeWorld, claimId: bigint): Promise<boolean> =>
  (await readGame(l1, game)("claims", [claimId]))[3];

/** Of an account's claims. */
export async function refutedClaimsOf(f: DisputeWorld, { modelId }: ClaimedModel): Promise<number> {
  const { claims } = await readerOf(f).claims({ rollup: f.rollup, modelId: BigInt(modelId) });
  return claims.filter(({ isRefuted }) => isRefuted).length;
}

/**
 * The liar's model is registered a thousand times, behind contracts that call themselves rollups and have the state of the
 * real one; then claims of the largest size are made there.
 */
export async function flood(f: DisputeWorld, model: ClaimedModel, largest: MadeClaim): Promise<void> {
  const at = { address: f.game, abi: traceGameAbi, fromBlock: 0n, strict: true } as const;
  const registered = await f.l1.getContractEvents({ ...at, eventName: "TracedModel" });
  const { blockNumber, transactionHash: hash } = registered.find(
    ({ args }) => args.modelId === BigInt(model.modelId) && isAddressEqual(args.rollup, f.rollup),
  )!;
  const { input } = await f.l1.getTransaction({ hash });
  const { gasUsed } = await f.l1.getTransactionReceipt({ hash });
  const batches = await f.l1.getContractEvents({
    ...{ address: f.rollup, abi: rollupAbi, eventName: "BatchAccepted", strict: true },
    ...{ fromBlock: 0n, toBlock: blockNumber },
  });
  const root = batches.at(-1)!.args.newRoot;
  const rollupWord = f.rollup.slice(2).toLowerCase();
  const { client } = f.world.l1;
  await client.setBlockGasLimit({ gasLimit: FLOOD_BLOCK_GAS });
  const sent = await hashesOf(f, "customer");
  const made: `0x${string}`[] = [];
  for (let one = 0; one < FLOOD; one++) {
    const from = drillAccount("customer").address;
    const rollup = getContractAddress({ from, nonce: BigInt(sent.nonce) });
    made.push(rollup);
    sent.push({ data: fixedState(root), gas: CREATION_GAS });
    const own = input.replace(rollupWord, rollup.slice(2).toLowerCase()) as `0x${string}`;
    sent.push({ to: f.game, data: own, gas: (5n * gasUsed) / 4n });
    if (one % 100 !== 99) continue;
    await sent.mined();
    f.tell(`${one + 1} of ${FLOOD} registrations under other rollups`);
  }
  const claims = await hashesOf(f, "hostile");
  const value = await bondOf(f);
  for (const [one, rollup] of made.slice(0, FLOODED_CLAIMS).entries()) {
    const behind = { ...model.traced, model: { ...model.traced.model, rollup } };
    const data = claimCall({ ...model, traced: behind }, largest, { payerId: 1, salt: BigInt(one) });
    claims.push({ to: f.game, data, value });
  }
  await claims.mined();
  await client.setBlockGasLimit({ gasLimit: BLOCK_GAS });
  f.tell(`${FLOOD} registrations and ${FLOODED_CLAIMS} of the largest claims are made under other rollups`);
}

/** Many transactions of one account, one behind the other. */
async function hashesOf(f: DisputeWorld, name: DrillAccountName) {
  const wallet = f.world.l1.walletOf(name);
  const { address } = wallet.account;
  let nonce = await f.l1.getTransactionCount({ address, blockTag: "pending" });
  let waiting: Promise<`0x${string}`>[] = [];
  return {
    get nonce() {
      return nonce;
    },
    push(call: {
      readonly to?: `0x${string}`;
      readonly data: `0x${string}`;
      readonly value?: bigint;
      readonly gas?: bigint;
    }): void {
      const priced = { gas: MOST_GAS, gasPrice: GAS_PRICE_WEI, ...call, nonce: nonce++ };
      const sending = wallet.sendTransaction(priced as never);
      // Heard of by `mined`.
      sending.catch(() => {});
      waiting.push(sending);
    },
    async mined(): Promise<void> {
      for (const hash of await Promise.all(waiting)) {
        const { status } = await f.world.l1.client.waitForTransactionReceipt({ hash });
        if (status !== "success") throw drillError("DRL_UNEXPECTED", `${hash} was reverted`);
      }
      waiting = [];
    },
  };
}
