/**
 * Leaves of the ledger's tree: their fields, packings and hashes (docs/reference/ledger.md). The rules of
 * operations change them, the batch circuits open them; amounts are wei, times Unix seconds.
 */
import { operationError } from "../circuit-errors.ts";
import { hashTagged } from "../field/poseidon.ts";
import { BINDING, COUNTERS, DATANET_COUNT_MAX, ID_BITS, LEAF_KIND, TAG } from "../protocol.ts";
import type { ModelRewards } from "./rewards.ts";

/** One account, datanet or model as the tree commits to it. Fields and widths: docs/reference/ledger.md. */
export interface Leaf {
  /** Kind of the leaf, of LEAF_KIND. */
  readonly kind: number;
  readonly nonce: bigint;
  /** Ethereum address, 160 bits. */
  readonly l1Owner: bigint;
  /** x-coordinate of the key that signs; 0 for none. */
  readonly keyX: bigint;
  /** Wei. */
  readonly balance: bigint;
  /** Hash chain of a model's payments, or of a datanet's commits. */
  readonly chain: bigint;
  /** Wei paid to a model in its open epoch. */
  readonly openAmount: bigint;
  /** Packed counters: `packCounters` for a model. */
  readonly counters: bigint;
  /** Hash of the body's opening; 0 for an account. */
  readonly body: bigint;
}

/** Opening of a datanet's body. */
export interface DatanetBody {
  readonly version: bigint;
  readonly rowCount: bigint;
  /** Unix seconds. */
  readonly publishedAt: bigint;
  readonly policy: bigint;
  readonly rowsRoot: bigint;
  readonly ownersCommitment: bigint;
  readonly payeeRoot: bigint;
}

/** Opening of a model's statics. `binding` packs a ModelBinding, `split` both parts. */
export interface ModelStatics {
  readonly featuresCommitment: bigint;
  readonly ownersCommitment: bigint;
  readonly payeeRoot: bigint;
  readonly binding: bigint;
  readonly split: bigint;
}

/** Opening of a model's body. */
export interface ModelBody {
  readonly statics: ModelStatics;
  readonly closed: bigint;
  readonly accruedRoot: bigint;
  readonly claimedRoot: bigint;
  /** Timestamp of the batch that opened the present epoch; 0 before the activation. */
  readonly epochStart: bigint;
}

/** Leaf with the opening of its body: all that the operator has to store of it. */
export interface LeafState {
  readonly leaf: Leaf;
  readonly datanet?: DatanetBody;
  readonly model?: ModelBody;
  /** Opening of the body's roots and of its closed epoch, for models from their activation on. */
  readonly rewards?: ModelRewards;
}

/** Fields of a model's packed counters. */
export interface ModelCounters {
  readonly isReady: boolean;
  readonly isApproved: boolean;
  readonly cap: bigint;
  readonly paymentCount: bigint;
  readonly epoch: bigint;
  readonly priceWei: bigint;
  /**
   * Partial approvals of a model of several datanets: bit s is set if datanet s has approved and others have
   * not. 0 if `isApproved`.
   */
  readonly approvals: number;
}

/** Fields of a model's packed binding: what its statics tie it to. */
export interface ModelBinding {
  /** Datanet 0, and its version. */
  readonly datanetId: bigint;
  readonly version: bigint;
  /** Rows of all datanets. */
  readonly rowCount: bigint;
  readonly predecessorId: bigint;
  /** log2 of the draws of an epoch, at most 7. Only a settlement circuit with so many draws settles the model. */
  readonly drawBits: bigint;
  /** d, zero columns included: that of its settlement circuit. */
  readonly featureCount: bigint;
  /** Ids of datanets 1 … 5 of a model of several, whose shard s is datanet s's. Empty: one datanet, of all shards. */
  readonly furtherDatanets: readonly number[];
}

/** Input of `packBinding`. `furtherDatanets` may be left out for a model of one datanet. */
type PackedBinding = Omit<ModelBinding, "furtherDatanets"> & Partial<Pick<ModelBinding, "furtherDatanets">>;

/** Body of a datanet that has published no version. */
export const EMPTY_DATANET_BODY: DatanetBody = {
  version: 0n,
  rowCount: 0n,
  publishedAt: 0n,
  policy: 0n,
  rowsRoot: 0n,
  ownersCommitment: 0n,
  payeeRoot: 0n,
};

/** Empty leaf, all zero: a slot opens it at an empty position of the tree. Its hash is never used. */
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

/** Makes an account's leaf; without a key it cannot sign. @param fields `balance` in wei */
export function accountLeaf(fields: { l1Owner: bigint; keyX?: bigint; balance?: bigint }): Leaf {
  return {
    ...EMPTY_LEAF,
    kind: LEAF_KIND.account,
    l1Owner: fields.l1Owner,
    keyX: fields.keyX ?? 0n,
    balance: fields.balance ?? 0n,
  };
}

/**
 * Fields of a leaf in the circuits' order: [tag, nonce, l1Owner, keyX, balance, chain, openAmount, counters,
 * body].
 */
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

/** Hash of chain, openAmount, counters and body, all of which are 0 for an account. */
export function hashLeafRest({ chain, openAmount, counters, body }: Omit<Leaf, "kind">): bigint {
  const isEmpty = (chain | openAmount | counters | body) === 0n;
  if (isEmpty && emptyRest !== undefined) return emptyRest;
  const hash = hashTagged(TAG.leafRest, [chain, openAmount, counters, body, 0n]);
  if (isEmpty) emptyRest = hash;
  return hash;
}
let emptyRest: bigint | undefined;

/** Inputs of a leaf's hash: [tag, nonce, l1Owner, keyX, balance, rest]. */
export function leafHead(leaf: Leaf): [tag: bigint, ...inputs: bigint[]] {
  const [tag, nonce, l1Owner, keyX, balance] = leafFields(leaf);
  return [tag, nonce!, l1Owner!, keyX!, balance!, hashLeafRest(leaf)];
}

export function hashLeaf(leaf: Leaf): bigint {
  const [tag, ...inputs] = leafHead(leaf);
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

/** Packs a model's counters. `approvals` may be left out if there are none. */
export function packCounters(
  c: Omit<ModelCounters, "approvals"> & Partial<Pick<ModelCounters, "approvals">>,
): bigint {
  return (
    (BigInt(c.isReady) << COUNTERS.ready) |
    (BigInt(c.isApproved) << COUNTERS.approved) |
    (c.cap << COUNTERS.cap) |
    (c.paymentCount << COUNTERS.paymentCount) |
    (c.epoch << COUNTERS.epoch) |
    (c.priceWei << COUNTERS.price) |
    (BigInt(c.approvals ?? 0) << COUNTERS.approvals)
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
    priceWei: bits(counters, COUNTERS.price, 96n),
    approvals: Number(counters >> COUNTERS.approvals),
  };
}

const furtherPosition = (index: number) => BINDING.further + BigInt(index * ID_BITS);

export function packBinding({ furtherDatanets = [], ...b }: PackedBinding): bigint {
  return (
    (b.datanetId << BINDING.datanet) |
    (b.version << BINDING.version) |
    (b.rowCount << BINDING.rowCount) |
    (b.predecessorId << BINDING.predecessor) |
    (b.drawBits << BINDING.drawBits) |
    (b.featureCount << BINDING.featureCount) |
    furtherDatanets.reduce((sum, id, i) => sum | (BigInt(id) << furtherPosition(i)), 0n)
  );
}

/**
 * Unpacks a binding that a signer may have filled freely. Bits above the binding stay in the last further id,
 * and an id of 0 before another id is returned: a proof bounds only the binding of an approved or ready
 * model.
 */
export function unpackBinding(binding: bigint): ModelBinding {
  const last = DATANET_COUNT_MAX - 2;
  const furtherIds = Array.from({ length: last + 1 }, (_, i) =>
    Number(i === last ? binding >> furtherPosition(i) : bits(binding, furtherPosition(i), BigInt(ID_BITS))),
  );
  return {
    datanetId: bits(binding, BINDING.datanet, 24n),
    version: bits(binding, BINDING.version, 32n),
    rowCount: bits(binding, BINDING.rowCount, 32n),
    predecessorId: bits(binding, BINDING.predecessor, 24n),
    drawBits: bits(binding, BINDING.drawBits, 3n),
    featureCount: bits(binding, BINDING.featureCount, 12n),
    furtherDatanets: furtherIds.slice(0, furtherIds.findLastIndex((id) => id !== 0) + 1),
  };
}

/** The ids of a model's datanets, datanet 0 first. */
export const datanetIds = ({ datanetId, furtherDatanets }: ModelBinding): number[] => [
  Number(datanetId),
  ...furtherDatanets,
];

/**
 * True if a model's shards can match its datanets: with one datanet any number fits; with several each has
 * one shard, and every id must be in range.
 */
export const areShards = (binding: ModelBinding, shardCount: number): boolean =>
  binding.furtherDatanets.length === 0 ||
  (shardCount === datanetIds(binding).length &&
    binding.furtherDatanets.every((id) => id > 0 && id < 2 ** ID_BITS));

/** Requires a leaf of this kind. @throws OP_WRONG_LEAF_KIND */
export function requireKind(state: LeafState, kind: number, id: number): void {
  if (state.leaf.kind === kind) return;
  const name = kind === LEAF_KIND.datanet ? "datanet" : "model";
  throw operationError("OP_WRONG_LEAF_KIND", `leaf ${id} is not a ${name}`, {
    data: { id, expectedKind: kind, kind: state.leaf.kind },
  });
}
