import { operationError } from "../circuit-errors.ts";
import { hashTagged } from "../field/poseidon.ts";
import { BINDING, COUNTERS, LEAF_KIND, TAG } from "../protocol.ts";
import type { ModelRewards } from "./rewards.ts";

/** One account, datanet or model as the tree commits to it. Fields and widths: docs/reference/ledger.md. */
export interface Leaf {
  readonly kind: number;
  readonly nonce: bigint;
  readonly l1Owner: bigint;
  readonly keyX: bigint;
  readonly balance: bigint;
  readonly chain: bigint;
  readonly openAmount: bigint;
  readonly counters: bigint;
  readonly body: bigint;
}

/** What a datanet's body opens to. */
export interface DatanetBody {
  readonly version: bigint;
  readonly rowCount: bigint;
  readonly publishedAt: bigint;
  readonly policy: bigint;
  readonly rowsRoot: bigint;
  readonly ownersCommitment: bigint;
  readonly payeeRoot: bigint;
}

/** What a model's statics open to; `binding` packs what ModelBinding says, `split` both parts. */
export interface ModelStatics {
  readonly featuresCommitment: bigint;
  readonly ownersCommitment: bigint;
  readonly payeeRoot: bigint;
  readonly binding: bigint;
  readonly split: bigint;
}

/** What a model's body opens to. */
export interface ModelBody {
  readonly statics: ModelStatics;
  readonly closed: bigint;
  readonly accruedRoot: bigint;
  readonly claimedRoot: bigint;
  /** Timestamp of the batch that opened the present epoch; 0 before the activation. */
  readonly epochStart: bigint;
}

/** A leaf with the opening of its body: all that the operator has to know of it. */
export interface LeafState {
  readonly leaf: Leaf;
  readonly datanet?: DatanetBody;
  readonly model?: ModelBody;
  /** Models, from the activation on: what the body's roots and its closed epoch open to. */
  readonly rewards?: ModelRewards;
}

export interface ModelCounters {
  readonly isReady: boolean;
  readonly isApproved: boolean;
  readonly cap: bigint;
  readonly paymentCount: bigint;
  readonly epoch: bigint;
  readonly priceWei: bigint;
}

export interface ModelBinding {
  readonly datanetId: bigint;
  readonly version: bigint;
  readonly rowCount: bigint;
  readonly predecessorId: bigint;
  /** log2 of the draws of an epoch, at most 7. Only a settlement circuit with so many draws settles the model. */
  readonly drawBits: bigint;
  /** d, zero columns included: that of its settlement circuit. */
  readonly featureCount: bigint;
}

export const EMPTY_DATANET_BODY: DatanetBody = {
  version: 0n,
  rowCount: 0n,
  publishedAt: 0n,
  policy: 0n,
  rowsRoot: 0n,
  ownersCommitment: 0n,
  payeeRoot: 0n,
};

/** All zero: what a slot opens where the tree is empty. Its hash is never used. */
export const EMPTY_LEAF: Leaf = {
  kind: 0,
  nonce: 0n,
  l1Owner: 0n,
  keyX: 0n,
  balance: 0n,
  chain: 0n,
  openAmount: 0n,
  counters: 0n,
  body: 0n,
};

export function accountLeaf(fields: { l1Owner: bigint; keyX?: bigint; balance?: bigint }): Leaf {
  return {
    ...EMPTY_LEAF,
    kind: LEAF_KIND.account,
    l1Owner: fields.l1Owner,
    keyX: fields.keyX ?? 0n,
    balance: fields.balance ?? 0n,
  };
}

/** A leaf as the circuits take it: [tag, nonce, l1Owner, keyX, balance, chain, openAmount, counters, body]. */
export function leafFields(leaf: Leaf): [tag: bigint, ...inputs: bigint[]] {
  return [
    TAG.leaf + BigInt(leaf.kind),
    leaf.nonce,
    leaf.l1Owner,
    leaf.keyX,
    leaf.balance,
    leaf.chain,
    leaf.openAmount,
    leaf.counters,
    leaf.body,
  ];
}

export function hashLeaf(leaf: Leaf): bigint {
  const [tag, ...inputs] = leafFields(leaf);
  return hashTagged(tag, inputs);
}

export function hashDatanetBody(body: DatanetBody): bigint {
  return hashTagged(TAG.datanetBody, [
    body.version,
    body.rowCount,
    body.publishedAt,
    body.policy,
    body.rowsRoot,
    body.ownersCommitment,
    body.payeeRoot,
  ]);
}

export function hashStatics(statics: ModelStatics): bigint {
  return hashTagged(TAG.statics, [
    statics.featuresCommitment,
    statics.ownersCommitment,
    statics.payeeRoot,
    statics.binding,
    statics.split,
  ]);
}

export function hashModelBody(body: ModelBody): bigint {
  return hashTagged(TAG.modelBody, [
    hashStatics(body.statics),
    body.closed,
    body.accruedRoot,
    body.claimedRoot,
    body.epochStart,
  ]);
}

export function packCounters(c: ModelCounters): bigint {
  return (
    (BigInt(c.isReady) << COUNTERS.ready) |
    (BigInt(c.isApproved) << COUNTERS.approved) |
    (c.cap << COUNTERS.cap) |
    (c.paymentCount << COUNTERS.paymentCount) |
    (c.epoch << COUNTERS.epoch) |
    (c.priceWei << COUNTERS.price)
  );
}

const bits = (value: bigint, from: bigint, width: bigint) => (value >> from) & ((1n << width) - 1n);

export function unpackCounters(counters: bigint): ModelCounters {
  return {
    isReady: bits(counters, COUNTERS.ready, 1n) === 1n,
    isApproved: bits(counters, COUNTERS.approved, 1n) === 1n,
    cap: bits(counters, COUNTERS.cap, 16n),
    paymentCount: bits(counters, COUNTERS.paymentCount, 32n),
    epoch: bits(counters, COUNTERS.epoch, 24n),
    priceWei: counters >> COUNTERS.price,
  };
}

export function packBinding(b: ModelBinding): bigint {
  return (
    (b.datanetId << BINDING.datanet) |
    (b.version << BINDING.version) |
    (b.rowCount << BINDING.rowCount) |
    (b.predecessorId << BINDING.predecessor) |
    (b.drawBits << BINDING.drawBits) |
    (b.featureCount << BINDING.featureCount)
  );
}

/** What a signer put above the binding's bits stays in `featureCount`: only an approved model's is bounded by a proof. */
export function unpackBinding(binding: bigint): ModelBinding {
  return {
    datanetId: bits(binding, BINDING.datanet, 24n),
    version: bits(binding, BINDING.version, 32n),
    rowCount: bits(binding, BINDING.rowCount, 32n),
    predecessorId: bits(binding, BINDING.predecessor, 24n),
    drawBits: bits(binding, BINDING.drawBits, 3n),
    featureCount: binding >> BINDING.featureCount,
  };
}

/** @throws OP_WRONG_LEAF_KIND */
export function requireKind(state: LeafState, kind: number, id: number): void {
  if (state.leaf.kind === kind) return;
  const name = kind === LEAF_KIND.datanet ? "datanet" : "model";
  throw operationError("OP_WRONG_LEAF_KIND", `leaf ${id} is not a ${name}`, {
    data: { id, expectedKind: kind, kind: state.leaf.kind },
  });
}
