/**
 * Checks the sequencer's signed promises (preconfirmations) against what L1 holds, for `openledger verify preconfirmations` and
 * for full nodes. A preconfirmation promises that an operation is number opIndex of all signed ones and is on L1 by a deadline.
 * Two signed facts contradict each other where the batches on L1, which only the operator's address can fill with signed
 * operations, have another operation in that place; where the deadline has passed; or where two preconfirmations name different
 * operations for one place. The last needs no batch at all.
 *
 * L1 does not show the whole order of a batch (table-positions.ts). So preconfirmations are contradicted
 * where no order that L1 allows keeps them all. Those of lower places count as kept; it is all of them that contradict.
 *
 * What is compared is what L1 posts: kind, A, B, amount and words, and A's nonce, which is the number of operations that
 * A had signed before. L1 does not hold an operation's fee limit; the proof holds the fee to it.
 */

import { bridgeError } from "@openledger/bridge/bridge-errors";
import { l1Call } from "@openledger/bridge/l1/l1-client";
import { readL1History } from "@openledger/bridge/l1/l1-history";
import type { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { type Hex, isAddressEqual } from "viem";
import {
  isSameOperation,
  type PostedOperation,
  type Promised,
  postedOperations,
} from "../replay/posted-operations.ts";
import {
  type PreconfirmationContext,
  type PreconfirmationEvidence,
  requireOperatorsPreconfirmation,
} from "./preconfirmation-evidence.ts";

/** Posted operation with the sender of its transaction, and the time of its L1 block in seconds. */
export interface PostedFacts extends PostedOperation {
  readonly transactionFrom: Hex;
  readonly blockTimeSeconds: number;
}

type Verdict =
  | { readonly verdict: "consistent"; readonly posted: PostedFacts }
  | { readonly verdict: "not-posted"; readonly l1TimeSeconds: number }
  | {
      readonly verdict: "broken";
      readonly reason: "other-operation" | "late";
      readonly posted: PostedFacts;
      /** Promised operation in another place; null if L1 does not have it. */
      readonly elsewhere: PostedFacts | null;
    }
  | {
      readonly verdict: "broken";
      readonly reason: "overdue";
      readonly l1TimeSeconds: number;
      readonly elsewhere: PostedFacts | null;
    }
  | {
      readonly verdict: "broken";
      readonly reason: "two-preconfirmations";
      readonly other: PreconfirmationEvidence;
    };

export interface CheckedPreconfirmation {
  readonly evidence: PreconfirmationEvidence;
  readonly verdict: Verdict;
}

export interface PreconfirmationCheck {
  readonly context: PreconfirmationContext;
  /** L1 up to here was read. */
  readonly blockNumber: number;
  readonly checked: readonly CheckedPreconfirmation[];
}

/** Reads from L1 which rollup a preconfirmation has to be of, and who signs for it. */
export async function preconfirmationContext(rollup: RollupContract): Promise<PreconfirmationContext> {
  const [chainId, sequencerAddress, domain] = await Promise.all([
    l1Call("read the chain id", () => rollup.client.getChainId()),
    rollup.sequencer(),
    rollup.domain(),
  ]);
  return { chainId, sequencerAddress, domain, rollupAddress: rollup.address };
}

/** Pairs of preconfirmations that name different operations for one place; the operator's signatures are checked already. */
function findEquivocations(
  evidences: readonly PreconfirmationEvidence[],
): [PreconfirmationEvidence, PreconfirmationEvidence][] {
  const first = new Map<number, PreconfirmationEvidence>();
  return evidences.flatMap((evidence): [PreconfirmationEvidence, PreconfirmationEvidence][] => {
    const { opIndex, operationHash } = evidence.preconfirmation;
    const known = first.get(opIndex);
    if (known === undefined) first.set(opIndex, evidence);
    return known === undefined || BigInt(known.preconfirmation.operationHash) === BigInt(operationHash)
      ? []
      : [[known, evidence]];
  });
}

/**
 * Reads L1's batches once and judges every preconfirmation. Batches are decoded, not executed: the contract has done that.
 * @throws BRG_PRECONFIRMATION_INVALID, also if a place is taken on L1 and the preconfirmation's operation is
 * not beside it; BRG_HISTORY_UNREADABLE, BRG_BATCH_NOT_IN_CALL, BRG_L1_*
 */
export async function checkPreconfirmations(
  rollup: RollupContract,
  evidences: readonly PreconfirmationEvidence[],
  options: { fromBlock?: bigint | undefined; toBlock?: bigint } = {},
): Promise<PreconfirmationCheck> {
  const { client } = rollup;
  const context = await preconfirmationContext(rollup);
  for (const evidence of evidences) await requireOperatorsPreconfirmation(evidence, context);
  const others = new Map(
    findEquivocations(evidences).flatMap(([one, other]) => [
      [one, other],
      [other, one],
    ]),
  );
  const blockNumber =
    options.toBlock ?? (await l1Call("read the newest block's number", () => client.getBlockNumber()));
  const found = await findPosted(rollup, evidences, { fromBlock: options.fromBlock, toBlock: blockNumber });
  const head = await l1Call("read the newest block", () => client.getBlock({ blockNumber }));
  const l1TimeSeconds = Number(head.timestamp);
  const facts = (posted: PostedOperation) => postedFacts(rollup, posted);

  const judge = async (evidence: PreconfirmationEvidence): Promise<Verdict> => {
    const other = others.get(evidence);
    if (other !== undefined) return { verdict: "broken", reason: "two-preconfirmations", other };
    const { opening, preconfirmation } = evidence;
    const posted = found.byIndex.get(preconfirmation.opIndex);
    const same = opening === null ? undefined : found.byNonce.get(nonceKey(opening.operation));
    const elsewhere =
      same === undefined ||
      same.opIndex === preconfirmation.opIndex ||
      !isSameOperation(opening!.operation, same)
        ? null
        : await facts(same);
    if (posted === undefined) {
      if (l1TimeSeconds <= preconfirmation.deadlineSeconds) return { verdict: "not-posted", l1TimeSeconds };
      return { verdict: "broken", reason: "overdue", l1TimeSeconds, elsewhere };
    }
    if (opening === null) {
      throw bridgeError(
        "BRG_PRECONFIRMATION_INVALID",
        `operation ${preconfirmation.opIndex} is on L1, and what the preconfirmation's hash is of is not beside it`,
        {
          data: {
            reason: "unopened",
            opIndex: preconfirmation.opIndex,
            operationHash: preconfirmation.operationHash,
          },
        },
      );
    }
    const taken = await facts(posted);
    const isSame = isSameOperation(opening.operation, posted);
    if (!isSame) return { verdict: "broken", reason: "other-operation", posted: taken, elsewhere };
    if (taken.blockTimeSeconds > preconfirmation.deadlineSeconds)
      return { verdict: "broken", reason: "late", posted: taken, elsewhere: null };
    return { verdict: "consistent", posted: taken };
  };
  const checked: CheckedPreconfirmation[] = [];
  for (const evidence of evidences) checked.push({ evidence, verdict: await judge(evidence) });
  return { context, blockNumber: Number(blockNumber), checked };
}

const nonceKey = ({ a, nonce }: { a: number; nonce: bigint | number }) => `${a}/${nonce}`;

/** Finds L1's operations in the preconfirmations' places, and under the nonces of their operations. */
async function findPosted(
  rollup: RollupContract,
  evidences: readonly PreconfirmationEvidence[],
  range: { fromBlock: bigint | undefined; toBlock: bigint },
) {
  const positions = new Set(evidences.map(({ preconfirmation }) => preconfirmation.opIndex));
  const nonces = new Set(
    evidences.flatMap(({ opening }) => (opening === null ? [] : [nonceKey(opening.operation)])),
  );
  const promised: Promised = (opIndex) =>
    evidences.flatMap(({ opening, preconfirmation }) =>
      opening === null || preconfirmation.opIndex !== opIndex ? [] : [opening.operation],
    );
  const byIndex = new Map<number, PostedOperation>();
  const byNonce = new Map<string, PostedOperation>();
  const nonceOf = new Map<number, number>();
  const { fromBlock, toBlock } = range;
  const source = readL1History({ rollup, toBlock, ...(fromBlock === undefined ? {} : { fromBlock }) });
  for await (const event of source) {
    if (event.type !== "batch") continue;
    for (const posted of postedOperations(event, nonceOf, promised)) {
      if (positions.has(posted.opIndex)) byIndex.set(posted.opIndex, posted);
      if (nonces.has(nonceKey(posted))) byNonce.set(nonceKey(posted), posted);
    }
  }
  return { byIndex, byNonce };
}

async function postedFacts({ client }: RollupContract, posted: PostedOperation): Promise<PostedFacts> {
  const { blockNumber, transactionHash: hash } = posted;
  // The transaction is read by its block, as in l1-submission.ts: nodes forget hashes after about a year.
  const block = await l1Call(`read block ${blockNumber}`, () =>
    client.getBlock({ blockNumber: BigInt(blockNumber), includeTransactions: true }),
  );
  const transaction = block.transactions.find((one) => one.hash === hash);
  if (transaction === undefined) {
    throw bridgeError("BRG_L1_REFUSED", `block ${blockNumber} has no transaction ${hash} any more`, {
      data: { blockNumber, transactionHash: hash },
    });
  }
  return { ...posted, transactionFrom: transaction.from, blockTimeSeconds: Number(block.timestamp) };
}

/** True if the operator's own key sent the transaction, not a contract in between. */
export const isOperatorsTransaction = (
  { transactionFrom }: PostedFacts,
  context: PreconfirmationContext,
): boolean => isAddressEqual(transactionFrom, context.sequencerAddress);
