/**
 * Helpers that the rules of all operations share: refusals, range checks, changed copies of a leaf's state. Amounts are wei.
 */
import { type OperationErrorCode, operationError } from "../circuit-errors.ts";
import { AMOUNT_BITS, COUNTERS, KIND, LEAF_KIND, MAX_AMOUNT_WEI } from "../protocol.ts";
import {
  EMPTY_DATANET_BODY,
  EMPTY_LEAF,
  hashDatanetBody,
  hashModelBody,
  type Leaf,
  type LeafState,
  type ModelBody,
} from "./leaf.ts";
import { EMPTY_CLAIMED_ROOT, type ModelRewards } from "./rewards.ts";

export function refuse(code: OperationErrorCode, message: string, data: Record<string, unknown>): never {
  throw operationError(code, message, { data });
}

export const inRange = (value: bigint, bits: number): boolean => value >= 0n && value < 1n << BigInt(bits);

export const withLeaf = (state: LeafState, changes: Partial<Leaf>): LeafState => ({
  ...state,
  leaf: { ...state.leaf, ...changes },
});

/** Replaces a model's body, to which its leaf commits again, and the body's hidden contents. */
export function withModel(
  state: LeafState,
  changes: {
    readonly leaf?: Partial<Leaf>;
    readonly body?: Partial<ModelBody>;
    readonly rewards?: ModelRewards;
  },
): LeafState {
  const model: ModelBody = { ...state.model!, ...changes.body };
  const rewards = changes.rewards ?? state.rewards;
  return {
    leaf: { ...state.leaf, ...changes.leaf, body: hashModelBody(model) },
    model,
    ...(rewards === undefined ? {} : { rewards }),
  };
}

/** The body that a CreateModel's words make. */
export function createdModelBody(words: readonly bigint[]): ModelBody {
  const [, , featuresCommitment, ownersCommitment, payeeRoot, binding, priceAndSplit] = words as bigint[];
  return {
    statics: {
      featuresCommitment: featuresCommitment!,
      ownersCommitment: ownersCommitment!,
      payeeRoot: payeeRoot!,
      binding: binding!,
      split: priceAndSplit! >> BigInt(AMOUNT_BITS),
    },
    closed: 0n,
    accruedRoot: payeeRoot!,
    claimedRoot: EMPTY_CLAIMED_ROOT,
    epochStart: 0n,
  };
}

/** The supply (10^27 wei) is below 2^90, so a credit above 96 bits is a broken invariant, not a user's mistake. */
export function credit(balance: bigint, amountWei: bigint): bigint {
  const sum = balance + amountWei;
  if (sum > MAX_AMOUNT_WEI) {
    refuse("OP_BALANCE_OVERFLOW", `a balance of ${sum} wei is above 96 bits`, { balanceWei: sum.toString() });
  }
  return sum;
}

/** The leaf that a Create opens; a deposit's as CreateAccount. `words`: the operation's. */
export function createdRecord(kind: number, words: readonly bigint[], balance: bigint): LeafState {
  const base: Leaf = { ...EMPTY_LEAF, l1Owner: words[0]!, keyX: words[1]!, balance: credit(0n, balance) };
  if (kind === KIND.createAccount) return { leaf: { ...base, kind: LEAF_KIND.account } };
  if (kind === KIND.createDatanet) {
    const datanet = EMPTY_DATANET_BODY;
    return { leaf: { ...base, kind: LEAF_KIND.datanet, body: hashDatanetBody(datanet) }, datanet };
  }
  const model = createdModelBody(words);
  const counters = (words[6]! & MAX_AMOUNT_WEI) << COUNTERS.price;
  return { leaf: { ...base, kind: LEAF_KIND.model, counters, body: hashModelBody(model) }, model };
}
