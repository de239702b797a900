/** Recomputes a model commitment and challenges by itself. */

import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import {
  type Address,
  type ContractFunctionArgs,
  type ContractFunctionName,
  encodeFunctionData,
  type Hex,
  isAddressEqual,
  type PublicClient,
  parseEventLogs,
} from "viem";
import { challengerError } from "../challenger-errors.ts";
import type { Verdict } from "../challenger-state.ts";
import { readDisputes } from "../events/read-contracts.ts";
import { type LeafPlace, TREES, type TreeName } from "../statements/committed-model.ts";
import { allLeaves } from "../statements/known-leaves.ts";
import { statementTuple } from "../statements/model-commitment-calls.ts";
import { type Examined, examineModelCommitment, type PublishedFiles } from "./examine-model-commitment.ts";
import type { ModelCommitmentKind, PostedFault, ShownModelCommitment } from "./model-commitment-kind.ts";
import type { AvailabilityChallenges, ModelCommitment } from "./read-model-commitments.ts";
import type { ModelCommitmentWindow } from "./read-windows.ts";
import { type BegunGame, MOST_TRANSACTION_GAS, NOBODY, tryChallenges } from "./try-challenges.ts";

const DAY_SECONDS = 86_400n;
/** A base fee at most doubles in six full blocks. What is paid above the price comes back with the fee. */
const FEE_MARGIN = 2n;
/** Before the window's end: later nobody asks for a leaf. */
const LATEST_DAYS = 2n;
/** A challenge's, with a third of room: so much is kept back of what an account has for fees, beside stakes. */
const CHALLENGE_GAS = 6_000_000n;
const REQUEST_GAS = 500_000n;
/** Kept back, too: of a false claim, and of a false row. */
const KEPT_STAKES = 2n;
/** In all of a model that is not served, unless the fees of all may be paid: who shows each has the fees. */
const MOST_UNSERVED = 4;
/** Leaves asked for at a fee that wait for an answer, each for a day at most: what one wrong place of a model takes. */
const MOST_WAITING = 8;

/** Who challenges. Returns once the transaction is mined. */
export interface Watcher {
  readonly address: Address;
  send(call: { readonly data: Hex; readonly valueWei: bigint }): Promise<{ hash: Hex; gasUsed: bigint }>;
  /** What he spends at most on data-availability challenges of one model commitment's leaves, fees that come back among it. 0 challenges nothing. */
  readonly mostAvailabilityChallengesWei: bigint;
  /** Of this model commitment's, by his own book. */
  readonly spentWei: bigint;
  /** Writes it down before it is sent; below 0 where nothing was sent. */
  spend(id: bigint, wei: bigint): Promise<void>;
}

/** Games over rows of model commitments: here they are begun. Somebody else makes the moves. */
export interface RowGames {
  /** Challenges a row, with a stake, where somebody plays and this watcher has had no game about the model commitment. */
  challenge(modelCommitment: ModelCommitment, shown: ShownModelCommitment, row: number): Promise<BegunGame>;
  /** What the first challenge of a claim or row takes now. */
  stakeWei(): Promise<bigint>;
}

export const NOTHING_WRONG = {
  ...{ fault: null, wanted: [], warnings: [], isBlind: false, isHidden: false },
} as const satisfies Examined;

/** Where one model commitment is, and who looks at it. */
export interface CommitmentWatch {
  readonly publicClient: PublicClient;
  /** null only looks. */
  readonly watcher: Watcher | null;
  readonly disputes: Address;
  readonly kind: ModelCommitmentKind;
  /** Of a kind that has them: without it, rows that take a game are only named. */
  readonly games?: RowGames | undefined;
  /** Rollup whose models are served; others' unserved model commitments are nobody's here. Default: all are. */
  readonly rollup?: Address | undefined;
  /** null where the files cannot be had. */
  readonly filesOf: () => Promise<PublishedFiles | null>;
  /** What is known of it and of these files; default: nothing. */
  readonly known?: Verdict | null;
  /** Whether a model whose places are right is trained again at once; default: yes. */
  readonly trains?: boolean;
}

export interface WatchedCommitment {
  /** null where the files cannot be had. */
  readonly examined: Found | null;
  /** Whether nobody serves what it is made of, or what is served cannot be read. */
  readonly isUnserved: boolean;
  /** What was sent: the contract's function and its transaction; null where nothing was. */
  readonly sent: {
    readonly what: "challenge" | "game" | "challengeAvailability" | "requestLeaves" | "unanswered";
    readonly hash: `0x${string}`;
    readonly gasUsed: bigint;
  } | null;
  /** Why it was not recomputed, or nothing was sent: its files are none, or somebody was faster. null where nothing failed. */
  readonly failure: Error | null;
  /** For the next look; null where nothing was found out. */
  readonly verdict: Verdict | null;
  /** Whether its places are right, and it is left to train it again. */
  readonly isUntrained: boolean;
  /** Whether all of it was recomputed, and is right: nothing is left to look at. */
  readonly isRecomputed: boolean;
}

/** What was found of it, as it passes between threads. */
export interface Found extends Omit<Examined, "fault"> {
  /** The first wrong place. */
  readonly fault: PostedFault | null;
}

/**
 * Recomputes an open model commitment, and does what follows.
 * Attack: files that no program can read, or compute with. Nobody can recompute the model, as if there were none.
 * Attack: a recipe of a million steps, beside a false place. No training comes before the challenge.
 */
export async function watchCommitment(
  options: CommitmentWatch,
  modelCommitment: ModelCommitment,
  asked: AvailabilityChallenges,
): Promise<WatchedCommitment> {
  const { kind, known = null, rollup, trains = true, watcher } = options;
  // What L1 was shown with it nobody asks for.
  const shown = [...(modelCommitment.posted?.leaves ?? []), ...asked.shown];
  const { statement } = modelCommitment;
  let failure: Error | null = null;
  const files = await options.filesOf().catch((error: unknown) => {
    failure = error as Error;
    return null;
  });
  const isOurs = rollup === undefined || isAddressEqual(rollup, modelCommitment.rollup);
  let isUnserved = false;
  let [examined, found, sent]: [Examined | null, Found | null, WatchedCommitment["sent"]] = [
    null,
    null,
    null,
  ];
  let [isRight, isUntrained] = [false, false];
  let judged = files?.verdict;
  // Attack: a right model commitment under the number of another one, which is served: fees of its leaves are the liar's.
  const isOfServed = files?.model.staticsHash === statement.staticsHash;
  const actOn = async (on: Examined, isServed: boolean) => {
    if (watcher === null) return;
    sent = await act({ ...options, watcher }, modelCommitment, on, { ...asked, shown }, { isOurs, isServed });
  };
  try {
    const isKnown = known?.isRight === true && known.filesHash === files?.verdict?.filesHash;
    if (isKnown) examined = { ...NOTHING_WRONG, warnings: known.warnings };
    else if (files !== null || asked.shown.length > 0)
      examined = await examineModelCommitment(modelCommitment, files, kind, asked.shown).catch(
        (error: unknown) => {
          failure = error as Error;
          return null;
        },
      );
    isUnserved = (files === null || examined === null) && isOurs;
    if (isUnserved && (examined?.fault ?? null) === null) {
      const wanted = allLeaves(statement, kind.family);
      await actOn({ ...NOTHING_WRONG, wanted, isBlind: true, isHidden: true }, false);
    } else if (examined !== null && (files !== null || examined.fault !== null)) {
      const { fault, isBlind, isHidden, wanted } = examined;
      isRight = fault === null && wanted.length === 0 && !isHidden && !isBlind;
      isUntrained = isRight && files?.train !== undefined && !trains;
      if (isRight && files?.train !== undefined && trains) {
        const { mismatch, verdict } = await files.train();
        judged = verdict;
        if (mismatch !== null) examined = { ...examined, warnings: [...examined.warnings, mismatch] };
      }
      found = { ...examined, fault: examined.fault?.fault ?? null };
      if (!isUntrained) await actOn(examined, isOfServed && !examined.isBlind);
    }
  } catch (error) {
    failure = error as Error;
  }
  const warnings = found?.warnings ?? [];
  const verdict = judged ? { ...judged, isRight, warnings } : null;
  // A fee of one's own that waits is looked at until its day ends, whatever is published meanwhile.
  const waits = asked.open.some(({ feeWei, who }) => feeWei > 0n && who === watcher?.address);
  const isRecomputed =
    isRight && !isUntrained && !waits && isOfServed && failure === null && warnings.length === 0;
  return { examined: found, isUnserved, isUntrained, isRecomputed, sent, failure, verdict };
}

async function act(
  { publicClient, watcher, disputes, games, kind }: CommitmentWatch & { watcher: Watcher },
  modelCommitment: ModelCommitment,
  { fault, isHidden, wanted }: Examined,
  availabilityChallenges: AvailabilityChallenges,
  { isOurs, isServed }: { readonly isOurs: boolean; readonly isServed: boolean },
): Promise<WatchedCommitment["sent"]> {
  const { endsAtSeconds, id } = modelCommitment;
  const abi = disputesAbi;
  const send = async (data: Hex, valueWei = 0n) => {
    const call = { account: watcher.address, to: disputes, data, value: valueWei };
    // Said no by a call, it costs nothing.
    await publicClient.call({ ...call, gas: MOST_TRANSACTION_GAS });
    return watcher.send({ data, valueWei });
  };
  let failure: Error | null = null;
  if (fault !== null) {
    const playFor = (shown: ShownModelCommitment, row: number) =>
      games === undefined ? NOBODY : games.challenge(modelCommitment, shown, row);
    const tried = await tryChallenges(fault, { publicClient, disputes, kind, id, send, playFor });
    if ("sent" in tried) return tried.sent;
    failure = tried.failure;
  }
  const { open, paid } = availabilityChallenges;
  const isAsking = (wanted.length > 0 || isHidden) && isOurs;
  const { timestamp } = isAsking || open.length > 0 ? await publicClient.getBlock() : { timestamp: 0n };
  const isDue = ({ answerBySeconds, who }: AvailabilityChallenges["open"][number]) =>
    answerBySeconds < timestamp && (isAsking || who === watcher.address);
  const overdue = open.find(isDue);
  if (overdue !== undefined) {
    const data = callOf("challengeUnanswered", [id, overdue.tree, overdue.index]);
    return { what: "unanswered", ...(await send(data)) };
  }
  // Attack: rollups that are made up for their model commitments' fees. Of others' nobody here is paid by a leaf.
  if (isAsking) {
    const leftSeconds = endsAtSeconds - timestamp;
    // Attack: roots that nobody has leaves of, around a right model. Nothing depends on them, so they take no fee.
    const isFree = !isServed || wanted.length === 0 || watcher.mostAvailabilityChallengesWei === 0n;
    // Attack: an owner who asks for the own last leaves at a fee, and then requests them: no event says so.
    const mayRequest = isFree && leftSeconds > LATEST_DAYS * DAY_SECONDS;
    // A server that is down for an hour takes no fees: what was asked for without one has time until the last day for others.
    const mayPay = isServed || leftSeconds <= (LATEST_DAYS + 1n) * DAY_SECONDS;
    const readFees = async (trees: readonly TreeName[]) => {
      const [{ baseFeePerGas }, balanceWei] = await Promise.all([
        publicClient.getBlock(),
        publicClient.getBalance({ address: watcher.address }),
      ]);
      const gasPriceWei = FEE_MARGIN * (baseFeePerGas ?? 0n);
      const feeOf = (tree: TreeName) =>
        readDisputes(publicClient, disputes)("availabilityFeeFor", [id, TREES.indexOf(tree), gasPriceWei]);
      const stakesWei = KEPT_STAKES * ((await games?.stakeWei()) ?? 0n);
      const feesWei = await Promise.all(trees.map(feeOf));
      const spareWei = balanceWei - CHALLENGE_GAS * gasPriceWei - stakesWei;
      return { balanceWei, feesWei, gasPriceWei, spareWei };
    };
    if (mayRequest && !(await readDisputes(publicClient, disputes)("isRequested", [id]))) {
      const { balanceWei, gasPriceWei, spareWei } = await readFees([]);
      // Attack: model commitments that nobody serves, until requests have spent what a challenge takes.
      if (spareWei < REQUEST_GAS * gasPriceWei)
        throw challengerError("CMD_NO_ETHER", `${watcher.address} keeps its ether for challenges`, {
          data: { account: watcher.address, balanceWei, valueWei: 0n },
        });
      const data = callOf("requestLeaves", [id, statementTuple(modelCommitment.statement)]);
      return { what: "requestLeaves", ...(await send(data)) };
    }
    let sent: WatchedCommitment["sent"] = null;
    let { spentWei } = watcher;
    const asked = { ...availabilityChallenges, open: [...open], paid: [...paid] };
    // All at once that one wrong place takes. Attack: looks of hours, of which each asks for one leaf.
    for (let count = mayPay ? 0 : MOST_WAITING; count < MOST_WAITING; count++) {
      const next = await nextAvailabilityChallenge(
        wanted,
        asked,
        { ...watcher, spentWei },
        isServed,
        readFees,
      );
      if (next === null) break;
      const [tree, index] = [TREES.indexOf(next.tree), BigInt(next.index)];
      const data = callOf("challengeAvailability", [id, tree, index]);
      await watcher.spend(id, next.feeWei);
      try {
        sent = { what: "challengeAvailability", ...(await send(data, next.feeWei)) };
      } catch (error) {
        // What is on its way may still be mined. Attack: a base fee above the cap, in which each look writes down a fee.
        const isUnsent = (data: { readonly isSent?: unknown }) => data.isSent === false;
        const isOnItsWay = isRollupError(error, "CMD_L1_PENDING") && !isUnsent(error.data);
        if (!isOnItsWay) await watcher.spend(id, -next.feeWei);
        throw error;
      }
      // What is paid above the price at its block comes back.
      const { logs } = await publicClient.getTransactionReceipt({ hash: sent.hash });
      const [told] = parseEventLogs({ abi, eventName: "AvailabilityChallenged", logs });
      const feeWei = told?.args.feeWei ?? next.feeWei;
      if (feeWei !== next.feeWei) await watcher.spend(id, feeWei - next.feeWei);
      spentWei += feeWei;
      const mine = { tree, index, feeWei, who: watcher.address, answerBySeconds: timestamp + DAY_SECONDS };
      asked.open.push(mine);
      asked.paid.push(mine);
      // What a row's answer says makes others needless; of a model that is not served each answer is a surprise.
      if (!isServed || next.tree === "rows") break;
    }
    if (sent !== null) return sent;
  }
  if (failure !== null) throw failure;
  return null;
}

const callOf = <const Name extends ContractFunctionName<typeof disputesAbi, "nonpayable" | "payable">>(
  functionName: Name,
  args: ContractFunctionArgs<typeof disputesAbi, "nonpayable" | "payable", Name>,
): Hex => encodeFunctionData({ abi: disputesAbi, functionName, args } as never);

/** The watcher's fees of data-availability challenges on a model commitment that something else has refuted, one a look. */
export async function feeBack(
  {
    publicClient,
    watcher,
    disputes,
  }: Pick<CommitmentWatch, "publicClient" | "disputes"> & { watcher: Pick<Watcher, "address" | "send"> },
  { id, openAvailabilityChallengeCount }: ModelCommitmentWindow,
  readAsked: () => Promise<Pick<AvailabilityChallenges, "paid">>,
): Promise<WatchedCommitment["sent"]> {
  const earnedWei = () => readDisputes(publicClient, disputes)("earnedWei", [id]);
  if (openAvailabilityChallengeCount === 0 && (await earnedWei()) === 0n) return null;
  const { paid } = await readAsked();
  for (const { tree, index, who } of paid) {
    if (who !== watcher.address) continue;
    const data = callOf("challengeUnanswered", [id, tree, index]);
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
 * The first leaf that was never shown. A few wait at once: an answer says what else is needed, or refutes the model commitment.
 * Attack: an owner who answers one after the other for their fees: at most so much is given. Attack: right commitments, each with
 * leaves that nobody publishes, before a false one or a false claim: what its challenge costs is kept, the stakes of games among it.
 */
async function nextAvailabilityChallenge(
  wanted: Examined["wanted"],
  { open, paid: fees, shown }: AvailabilityChallenges,
  { address, mostAvailabilityChallengesWei, spentWei }: Watcher,
  isServed: boolean,
  readFees: (trees: readonly TreeName[]) => Promise<{ feesWei: readonly bigint[]; spareWei: bigint }>,
): Promise<(Examined["wanted"][number] & { feeWei: bigint }) | null> {
  if (mostAvailabilityChallengesWei === 0n) return null;
  const keyOf = (tree: string, index: number | bigint) => `${tree}/${index}`;
  // One with a fee takes the place of one without, which has more time.
  const withFee = open.filter(({ feeWei }) => feeWei > 0n);
  const openKeys = new Set(withFee.map(({ tree, index }) => keyOf(TREES[tree]!, index)));
  // Attack: an owner who asks for the own leaves, so that others wait for these.
  const isMine = ({ who }: { readonly who: string }) => who === address;
  const mine = new Set(withFee.filter(isMine).map(({ tree, index }) => keyOf(TREES[tree]!, index)));
  const waiting = wanted.filter(({ tree, index }) => mine.has(keyOf(tree, index)));
  const known = new Set([...openKeys, ...shown.map(({ tree, index }) => keyOf(tree, index))]);
  const left = wanted.filter(({ tree, index }) => !known.has(keyOf(tree, index)));
  const [next] = left;
  if (next === undefined || (isServed && waiting.length >= MOST_WAITING)) return null;
  const trees = [...new Set(wanted.map(({ tree }) => tree))];
  const { feesWei, spareWei } = await readFees(trees);
  const feeOf = ({ tree }: LeafPlace) => feesWei[trees.indexOf(tree)]!;
  const feeWei = feeOf(next);
  if (feeWei > spareWei) return null;
  const paid = fees.filter(isMine);
  const seenWei = paid.reduce((sum, one) => sum + one.feeWei, 0n);
  // A node that tells of fewer, or L1 itself where it goes back, takes nothing off what was spent.
  const beforeWei = spentWei > seenWei ? spentWei : seenWei;
  const hasRoom = (wei: bigint) => beforeWei + wei <= mostAvailabilityChallengesWei;
  const ofAllWei = left.reduce((sum, one) => sum + feeOf(one), 0n);
  if (!isServed && paid.length >= MOST_UNSERVED && !hasRoom(ofAllWei)) return null;
  return hasRoom(feeWei) ? { ...next, feeWei } : null;
}
