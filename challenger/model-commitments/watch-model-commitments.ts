/** Recomputes each new model commitment and challenges by itself. */

import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { type Address, encodeFunctionData, type Hex, isAddressEqual, type PublicClient } from "viem";
import { TREES } from "../statements/committed-model.ts";
import { allLeaves } from "../statements/known-leaves.ts";
import { statementTuple } from "../statements/model-commitment-calls.ts";
import { type Examined, examineModelCommitment, type PublishedFiles } from "./examine-model-commitment.ts";
import {
  MAIL_MODEL_COMMITMENTS,
  type ModelCommitmentKind,
  type ModelCommitmentKinds,
  type ShownModelCommitment,
} from "./model-commitment-kind.ts";
import { type AvailabilityChallenges, readAvailabilityChallenges } from "./open-availability-challenges.ts";
import { type ModelCommitment, readModelCommitments } from "./read-model-commitments.ts";
import { type BegunGame, MOST_TRANSACTION_GAS, tryChallenges } from "./try-challenges.ts";

const DAY_SECONDS = 86_400n;
/** A base fee at most doubles in six full blocks. What is paid above the price comes back with the fee. */
const FEE_MARGIN = 2n;
/** Before the window's end: later nobody asks for a leaf. */
const LATEST_DAYS = 2n;

/** Who challenges. Returns once the transaction is mined. */
export interface Watcher {
  readonly address: Address;
  send(call: { readonly data: Hex; readonly valueWei: bigint }): Promise<{ hash: Hex; gasUsed: bigint }>;
  /** What he spends at most on data-availability challenges of one model commitment's leaves, fees that come back among it. 0 challenges nothing. */
  readonly mostAvailabilityChallengesWei: bigint;
}

/** Games over rows of model commitments: here they are begun. Somebody else makes the moves. */
export interface RowGames {
  /** Challenges a row, with a stake, where somebody plays and this watcher has had no game about the model commitment. */
  challenge(modelCommitment: ModelCommitment, shown: ShownModelCommitment, row: number): Promise<BegunGame>;
}

interface WatchOptions {
  readonly publicClient: PublicClient;
  /** null only looks. */
  readonly watcher: Watcher | null;
  readonly disputes: Address;
  /** Of the families that are watched. Default: e-mails alone. */
  readonly kinds?: ModelCommitmentKinds;
  /** Of a kind that has them: without it, rows that take a game are only named. */
  readonly games?: RowGames;
  readonly modelId?: number;
  /** Rollup whose models are served; others' unserved model commitments are nobody's here. Default: all are. */
  readonly rollup?: Address;
  /** null for a model commitment whose files cannot be had. A throw is of this model commitment alone. */
  readonly filesOf: (modelCommitment: ModelCommitment) => Promise<PublishedFiles | null>;
  /** Called after each model commitment that was recomputed, before the next: a training takes hours, and somebody's clock may run. */
  readonly between?: () => Promise<void>;
}

export interface Watched {
  readonly modelCommitment: ModelCommitment;
  /** null where the files cannot be had. */
  readonly examined: Examined | null;
  /** Whether it is open, and nobody serves what it is made of, or what is served cannot be read. */
  readonly isUnserved: boolean;
  /** What was sent: the contract's function and its transaction; null where nothing was. */
  readonly sent: {
    readonly what: "challenge" | "game" | "challengeAvailability" | "requestLeaves" | "unanswered" | "attest";
    readonly hash: `0x${string}`;
    readonly gasUsed: bigint;
  } | null;
  /** Why it was not recomputed, or nothing was sent: its files are none, or somebody was faster. null where nothing failed. */
  readonly failure: Error | null;
}

/**
 * One look at every model commitment that is open and that this watcher has not attested.
 * Attack: files that no program can read, served beside one model commitment, would keep a watcher from all others.
 */
export async function watchOnce(options: WatchOptions): Promise<Watched[]> {
  const { publicClient, disputes, kinds = { direct: MAIL_MODEL_COMMITMENTS }, modelId, watcher } = options;
  const modelCommitments = await readModelCommitments(publicClient, disputes, {
    ...(modelId === undefined ? {} : { modelId }),
    ...(watcher === null ? {} : { attestor: watcher.address }),
  });
  const watched: Watched[] = [];
  for (const modelCommitment of modelCommitments) {
    const kind = modelCommitment.family === null ? undefined : kinds[modelCommitment.family];
    const isKnown =
      kind === undefined ||
      modelCommitment.state !== "open" ||
      (watcher !== null && modelCommitment.attestedBy?.includes(watcher.address) === true);
    let examined: Examined | null = null;
    let sent: Watched["sent"] = null;
    let failure: Error | null = null;
    let isRecomputed = false;
    let isUnserved = false;
    try {
      const isRefuted = modelCommitment.state === "refuted";
      if (isRefuted && watcher !== null && watcher.mostAvailabilityChallengesWei > 0n)
        sent = await feeBack({ ...options, watcher }, modelCommitment);
      isRecomputed = !isKnown;
      // Attack: files that no program can read. Nobody can recompute the model, as if there were none.
      const files = isRecomputed
        ? await options.filesOf(modelCommitment).catch((error: unknown) => {
            failure = error as Error;
            return null;
          })
        : null;
      const isOurs = options.rollup === undefined || isAddressEqual(options.rollup, modelCommitment.rollup);
      isUnserved = isRecomputed && files === null && isOurs;
      if (isUnserved && watcher !== null) {
        const availabilityChallenges = await readAvailabilityChallenges(
          publicClient,
          disputes,
          modelCommitment.id,
        );
        const wanted = allLeaves(modelCommitment.statement, kind!.rows);
        const nothing = { fault: null, wanted, warnings: [] };
        sent = await act(
          { ...options, watcher, kind: kind! },
          modelCommitment,
          nothing,
          availabilityChallenges,
          false,
        );
      }
      if (files !== null) {
        const availabilityChallenges = await readAvailabilityChallenges(
          publicClient,
          disputes,
          modelCommitment.id,
        );
        examined = await examineModelCommitment(modelCommitment, files, kind!, availabilityChallenges.shown);
        if (watcher !== null)
          sent = await act(
            { ...options, watcher, kind: kind! },
            modelCommitment,
            examined,
            availabilityChallenges,
          );
      }
    } catch (error) {
      failure = error as Error;
    }
    watched.push({ modelCommitment, examined, isUnserved, sent, failure });
    if (isRecomputed) await options.between?.();
  }
  return watched;
}

async function act(
  {
    publicClient,
    watcher,
    disputes,
    games,
    kind,
  }: WatchOptions & { watcher: Watcher; kind: ModelCommitmentKind },
  modelCommitment: ModelCommitment,
  { fault, wanted, warnings }: Examined,
  availabilityChallenges: AvailabilityChallenges,
  isServed = true,
): Promise<Watched["sent"]> {
  const { attestedBy, endsAtSeconds, id } = modelCommitment;
  const abi = disputesAbi;
  const send = async (data: Hex, valueWei = 0n) => {
    const call = { account: watcher.address, to: disputes, data, value: valueWei };
    // Said no by a call, it costs nothing.
    await publicClient.call({ ...call, gas: MOST_TRANSACTION_GAS });
    return watcher.send({ data, valueWei });
  };
  let failure: Error | null = null;
  if (fault !== null) {
    const playFor =
      games === undefined
        ? {}
        : {
            playFor: (shown: ShownModelCommitment, row: number) =>
              games.challenge(modelCommitment, shown, row),
          };
    const tried = await tryChallenges(fault, { publicClient, disputes, kind, id, send, ...playFor });
    if ("sent" in tried) return tried.sent;
    failure = tried.failure;
  }
  if (wanted.length > 0) {
    const { timestamp } = await publicClient.getBlock();
    const overdue = availabilityChallenges.open.find(({ answerBySeconds }) => answerBySeconds < timestamp);
    if (overdue !== undefined) {
      const args = [id, overdue.tree, overdue.index] as const;
      const data = encodeFunctionData({ abi, functionName: "challengeUnanswered", args });
      return { what: "unanswered", ...(await send(data)) };
    }
    const leftSeconds = endsAtSeconds - timestamp;
    const isFree = !isServed || watcher.mostAvailabilityChallengesWei === 0n;
    if (isFree && !availabilityChallenges.isRequested && leftSeconds > LATEST_DAYS * DAY_SECONDS) {
      const args = [id, statementTuple(modelCommitment.statement)] as const;
      const data = encodeFunctionData({ abi, functionName: "requestLeaves", args });
      return { what: "requestLeaves", ...(await send(data)) };
    }
    // A server that is down for an hour takes no fees: what was asked for without one has time until the last day for others.
    const availabilityChallenge =
      !isServed && leftSeconds > (LATEST_DAYS + 1n) * DAY_SECONDS
        ? null
        : await nextAvailabilityChallenge(wanted, availabilityChallenges, watcher, async () => {
            const { baseFeePerGas } = await publicClient.getBlock();
            return publicClient.readContract({
              ...{ address: disputes, abi, functionName: "availabilityFeeFor" },
              args: [FEE_MARGIN * (baseFeePerGas ?? 0n)],
            });
          });
    if (availabilityChallenge !== null) {
      const args = [
        id,
        TREES.indexOf(availabilityChallenge.tree),
        BigInt(availabilityChallenge.index),
      ] as const;
      const data = encodeFunctionData({ abi, functionName: "challengeAvailability", args });
      return { what: "challengeAvailability", ...(await send(data, availabilityChallenge.feeWei)) };
    }
  }
  if (failure !== null) throw failure;
  // Where nobody tells whether he has attested it, every look would pay for it anew.
  if (!isServed || warnings.length > 0 || wanted.length > 0 || attestedBy === null) return null;
  const data = encodeFunctionData({ abi, functionName: "attest", args: [id] });
  return { what: "attest", ...(await send(data)) };
}

/** The watcher's fees of data-availability challenges on a model commitment that something else has refuted, one a look. */
async function feeBack(
  { publicClient, watcher, disputes }: WatchOptions & { watcher: Watcher },
  { id, openAvailabilityChallengeCount }: ModelCommitment,
): Promise<Watched["sent"]> {
  const earned = { address: disputes, abi: disputesAbi, functionName: "earnedWei", args: [id] } as const;
  if (openAvailabilityChallengeCount === 0 && (await publicClient.readContract(earned)) === 0n) return null;
  const { paid } = await readAvailabilityChallenges(publicClient, disputes, id);
  for (const { tree, index, who } of paid) {
    if (who !== watcher.address) continue;
    const args = [id, tree, index] as const;
    const data = encodeFunctionData({ abi: disputesAbi, functionName: "challengeUnanswered", args });
    const call = { account: watcher.address, to: disputes, data };
    // No event says which fees were given back; the contract refuses those.
    const isDue = await publicClient.call(call).then(
      () => true,
      () => false,
    );
    if (isDue) return { what: "unanswered", ...(await watcher.send({ data, valueWei: 0n })) };
  }
  return null;
}

/**
 * The first leaf that was never shown. Last leaves of trees at once, since answers may take a day each; the others one
 * at a time: while one is open, its answer may be what refutes the model commitment.
 * Attack: an owner who answers one after the other for their fees: at most so much is given.
 */
async function nextAvailabilityChallenge(
  wanted: Examined["wanted"],
  { open, shown, paid }: AvailabilityChallenges,
  { address, mostAvailabilityChallengesWei }: Watcher,
  readFeeWei: () => Promise<bigint>,
): Promise<(Examined["wanted"][number] & { feeWei: bigint }) | null> {
  if (mostAvailabilityChallengesWei === 0n) return null;
  const keyOf = (tree: string, index: number | bigint) => `${tree}/${index}`;
  // One with a fee takes the place of one without, which has more time.
  const withFee = open.filter(({ feeWei }) => feeWei > 0n);
  const openKeys = new Set(withFee.map(({ tree, index }) => keyOf(TREES[tree]!, index)));
  const isWaiting = wanted.some(({ tree, index }) => openKeys.has(keyOf(tree, index)));
  const known = new Set([...openKeys, ...shown.map(({ tree, index }) => keyOf(tree, index))]);
  const place = wanted.findIndex(({ tree, index }) => !known.has(keyOf(tree, index)));
  const next = wanted[place];
  const isLastLeaf = place === wanted.findIndex(({ tree }) => tree === next?.tree);
  if (next === undefined || (isWaiting && !isLastLeaf)) return null;
  const feeWei = await readFeeWei();
  const spentWei = paid.reduce((sum, one) => (one.who === address ? sum + one.feeWei : sum), 0n);
  return spentWei + feeWei > mostAvailabilityChallengesWei ? null : { ...next, feeWei };
}
