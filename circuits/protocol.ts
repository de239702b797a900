/**
 * Constants of the protocol that circuits, contracts and all TypeScript share: sizes, hash tags, kinds of operations and leaves
 * (docs/reference/ledger.md). Encodings that libraries disagree on: G2 coordinates are (c0, c1) in snarkjs and here, imaginary
 * first in the EVM; public signals are [C, y, z] because circom puts outputs before inputs.
 */

/** Order of BN254's scalar field (EIP-197). */
export const FIELD_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

export const TREE_ARITY = 8;
/** 8^8 leaves. */
export const TREE_DEPTH = 8;
export const ID_BITS = 24;
/** Maximum leaves. Ids are assigned in order; `nextId` reaches this value when the tree is full. */
export const MAX_LEAF_COUNT = 2 ** ID_BITS;

/** Poseidon domain tags: the initial capacity element. Leaves use LEAF + kind. 0 is the dummy signature's; operations are signed under the rollup's domain. */
export const TAG = {
  node: 2n,
  message: 3n,
  words: 4n,
  data: 5n,
  commit: 6n,
  payment: 7n,
  datanetBody: 8n,
  modelBody: 9n,
  statics: 10n,
  // Settlements (docs/reference/settlement.md).
  closed: 11n,
  settlement: 12n,
  activation: 13n,
  challenge: 14n,
  features: 16n,
  query: 17n,
  receipt: 18n,
  // The query of a direct model.
  counts: 20n,
  // Challenges of a batch (docs/explanation/leaf-table.md); terms.circom has them.
  tableChallenge: 21n,
  // Messages of ledger keys that are no operations.
  offChain: 23n,
  // Parts of a leaf besides owner, key and balance.
  leafRest: 24n,
  // A datanet's rows and owners (docs/reference/ledger.md, "Rows and owners").
  contributionNode: 32n,
  versionRow: 33n,
  versionNode: 34n,
  owners: 35n,
  payeeNode: 37n,
  // Settlements in shards.
  shardLink: 38n,
  shardFeatures: 39n,
  shardOwners: 40n,
  // Columns of pairs of labels.
  pairNode: 41n,
  leaf: 256n,
} as const;

export const LEAF_KIND = { account: 1, datanet: 2, model: 3 } as const;

export const KIND = {
  null: 0,
  transfer: 1,
  commitData: 2,
  payInference: 3,
  createAccount: 4,
  createDatanet: 5,
  createModel: 6,
  withdraw: 7,
  publishVersion: 8,
  approveModel: 9,
  revokeModel: 10,
  setKey: 11,
  closeEpoch: 12,
  settle: 13,
  claimRewards: 14,
  activation: 15,
  depositNew: 16,
  depositTo: 17,
  forcedWithdraw: 18,
  forcedSetKey: 19,
  forcedSetOwner: 20,
  forcedClaimRewards: 21,
  forcedTransfer: 22,
  forcedCloseEpoch: 23,
  forcedPayInference: 24,
  forcedRevokeModel: 25,
  forcedApproveModel: 26,
  forcedCommitData: 27,
  forcedPublishVersion: 28,
} as const;
export type KindName = keyof typeof KIND;

export interface KindRule {
  readonly name: KindName;
  readonly kind: number;
  /** Number of words (the payload of a narrow kind is its one word). */
  readonly wordCount: number;
  /** Fee units of a signed operation; 0 for unsigned ones. About 1 per 12 posted bytes, plus 1 per leaf. */
  readonly weight: number;
  readonly isNarrow: boolean;
  readonly isSigned: boolean;
  readonly isQueue: boolean;
  /** True for a kind that takes a settlement with a proof of its own. */
  readonly isSettlement: boolean;
  /** The amount field is a decimal float of wei that A pays. */
  readonly movesAmount: boolean;
  readonly usesA: boolean;
  readonly usesB: boolean;
  /** Opens the next id. */
  readonly isCreate: boolean;
}

/**
 * Properties of an operation kind besides its name: words, weight, and the flags of `KindRule` that are true.
 */
interface KindTraits {
  readonly words: number;
  readonly weight: number;
  readonly flags: readonly KindFlag[];
}
type KindFlag = "isNarrow" | "isQueue" | "isSettlement" | "movesAmount" | "usesA" | "usesB" | "isCreate";

const rule = (name: KindName, { words, weight, flags }: KindTraits): KindRule => ({
  name,
  kind: KIND[name],
  wordCount: words,
  weight,
  isNarrow: flags.includes("isNarrow"),
  isSigned: weight > 0,
  isQueue: flags.includes("isQueue"),
  isSettlement: flags.includes("isSettlement"),
  movesAmount: flags.includes("movesAmount"),
  usesA: flags.includes("usesA"),
  usesB: flags.includes("usesB"),
  isCreate: flags.includes("isCreate"),
});

/**
 * Operation kinds that a slot can prove. `circuits/batch/wide/wide-kinds.circom` is written from this table.
 */
export const KIND_RULES: readonly KindRule[] = [
  rule("null", { words: 0, weight: 0, flags: ["isNarrow"] }),
  rule("transfer", { words: 0, weight: 10, flags: ["isNarrow", "movesAmount", "usesA", "usesB"] }),
  rule("commitData", { words: 1, weight: 14, flags: ["isNarrow", "usesA", "usesB"] }),
  rule("payInference", { words: 1, weight: 14, flags: ["isNarrow", "movesAmount", "usesA", "usesB"] }),
  rule("createAccount", { words: 2, weight: 30, flags: ["movesAmount", "usesA", "usesB", "isCreate"] }),
  rule("createDatanet", { words: 2, weight: 30, flags: ["movesAmount", "usesA", "usesB", "isCreate"] }),
  rule("createModel", { words: 7, weight: 50, flags: ["movesAmount", "usesA", "usesB", "isCreate"] }),
  rule("withdraw", { words: 2, weight: 40, flags: ["usesA"] }),
  rule("publishVersion", { words: 5, weight: 40, flags: ["usesA"] }),
  rule("approveModel", { words: 1, weight: 25, flags: ["usesA", "usesB"] }),
  rule("revokeModel", { words: 0, weight: 20, flags: ["usesA", "usesB"] }),
  rule("setKey", { words: 1, weight: 25, flags: ["usesA"] }),
  rule("closeEpoch", { words: 0, weight: 30, flags: ["usesA", "usesB"] }),
  // Settlements are nobody's operations: their own proofs stand for them. Their A is the treasury, or unused.
  rule("settle", { words: 1, weight: 0, flags: ["isSettlement", "usesA", "usesB"] }),
  rule("claimRewards", { words: 1, weight: 30, flags: ["usesA", "usesB"] }),
  rule("activation", { words: 1, weight: 0, flags: ["isSettlement", "usesB"] }),
  rule("depositNew", { words: 4, weight: 0, flags: ["isQueue"] }),
  rule("depositTo", { words: 4, weight: 0, flags: ["isQueue", "usesB"] }),
  rule("forcedWithdraw", { words: 5, weight: 0, flags: ["isQueue", "usesA"] }),
  rule("forcedSetKey", { words: 4, weight: 0, flags: ["isQueue", "usesA"] }),
  rule("forcedSetOwner", { words: 4, weight: 0, flags: ["isQueue", "usesA"] }),
  rule("forcedClaimRewards", { words: 4, weight: 0, flags: ["isQueue", "usesA", "usesB"] }),
  rule("forcedTransfer", { words: 4, weight: 0, flags: ["isQueue", "usesA", "usesB"] }),
  rule("forcedCloseEpoch", { words: 4, weight: 0, flags: ["isQueue", "usesB"] }),
  rule("forcedPayInference", { words: 4, weight: 0, flags: ["isQueue", "usesA", "usesB"] }),
  rule("forcedRevokeModel", { words: 4, weight: 0, flags: ["isQueue", "usesA", "usesB"] }),
  rule("forcedApproveModel", { words: 4, weight: 0, flags: ["isQueue", "usesA", "usesB"] }),
  rule("forcedCommitData", { words: 4, weight: 0, flags: ["isQueue", "usesA", "usesB"] }),
  rule("forcedPublishVersion", { words: 6, weight: 0, flags: ["isQueue", "usesA"] }),
];

/** Queue entries whose number is wei; of the others it is a count of rows, a time, or nothing. */
export const QUEUED_WEI_KINDS: ReadonlySet<number> = new Set([
  KIND.depositNew,
  KIND.depositTo,
  KIND.forcedWithdraw,
  KIND.forcedTransfer,
  KIND.forcedPayInference,
]);

const ruleByKind = new Map(KIND_RULES.map((r) => [r.kind, r]));

/** The rule of a kind, or undefined for a reserved or unknown number. */
export function kindRule(kind: number): KindRule | undefined {
  return ruleByKind.get(kind);
}

/** Word places of a wide slot (CreateModel fills them). */
export const WIDE_WORD_COUNT = 7;
export const HEADER_ELEMENT_COUNT = 5;
/** Elements absorbed per Poseidon call of C: 16 inputs less the running hash. */
export const DATA_CHUNK = 15;

export const NONCE_BITS = 40;
export const AMOUNT_BITS = 96;
export const FEE_PER_UNIT_BITS = 64;
export const ROW_COUNT_BITS = 40;
export const MAX_AMOUNT_WEI = 2n ** 96n - 1n;
/** Amount of a forced withdrawal that takes the whole balance. */
export const WITHDRAW_ALL_WEI = MAX_AMOUNT_WEI;

/**
 * Minimum time between the timestamps of PublishVersion's batch and ApproveModel's, so that contributors can
 * see what was dropped. A timestamp may be an hour older than its block, so on L1 the delay is 23 hours or
 * more.
 */
export const APPROVAL_DELAY_SECONDS = 24 * 60 * 60;

/** Positions in a narrow slot's core, the part that is posted; its kind has the lowest bits. */
export const NARROW_CORE = { a: 4n, b: 28n, amount: 52n } as const;
/** Positions in a wide slot's core. */
export const WIDE_CORE = { a: 5n, b: 29n, amount: 53n, valid: 93n } as const;
/** Positions in the core that is signed. */
export const MESSAGE_CORE = { a: 5n, b: 29n, amount: 53n, nonce: 93n, maxFee: 133n } as const;
/** Position of the kind in the reference to a leaf, above its owner. */
export const REFERENCE = { kind: 160n } as const;
/** Positions in a model's counters. */
export const COUNTERS = {
  ready: 0n,
  approved: 1n,
  cap: 2n,
  paymentCount: 18n,
  epoch: 50n,
  price: 74n,
  approvals: 170n,
} as const;
/** Positions in a model's binding. */
export const BINDING = {
  datanet: 0n,
  version: 24n,
  rowCount: 56n,
  predecessor: 88n,
  drawBits: 112n,
  featureCount: 115n,
  further: 127n,
} as const;
/** Bits of a whole binding. A Create may carry more bits; its model is then never approved. */
export const BINDING_BITS = 247n;
/** Datanets of a model: the binding's first and five further ones, each a shard. */
export const DATANET_COUNT_MAX = 6;
/** Bits above N in a binding of one datanet: predecessor, log2 K and d. A ForcedApproveModel names them. */
export const BINDING_REST_BITS = 39;

/** Time after which anyone may close a model's open epoch. */
export const EPOCH_SECONDS = 24 * 60 * 60;
/** The treasury's part of every payment, in 65,536ths: just above 5 %. */
export const TREASURY_PARTS = 3_277n;
/** Depth of a model's accrued and claimed trees: 4,096 places, one a payee in each. */
export const PAYEE_TREE_DEPTH = 4;
/** Payees of one circuit: the positions below one of the eight nodes under a payee tree's root. */
export const MAX_PAYEE_COUNT = 512;
/** Shards of a model: as many as nodes under a payee tree's root. */
export const SHARD_COUNT_MAX = 8;

export const TREASURY_ID = 0;
export const GENESIS_FEE_ACCOUNT_ID = 1;
export const GENESIS_NEXT_ID = 2;

/** Number of slots of each sort in a batch circuit. `narrow` is even: two cores share an element. */
export interface BatchShape {
  /** Slots of the leaf table: they are applied at once (docs/explanation/leaf-table.md). */
  readonly narrow: number;
  readonly wide: number;
  readonly table: TableSizes;
}

export interface TableSizes {
  /** Narrow slots of the second section: commits and payments. Those before are transfers. */
  readonly members: number;
  /** Leaves that the narrow slots may touch. */
  readonly rows: number;
  /** Maximum datanets and models among these leaves whose chains may change. */
  readonly units: number;
  /** Levels from a leaf to its subtree's root, and from there to the window's. */
  readonly low: number;
  readonly top: number;
  /**
   * True if the narrow slots are in a blob of the transaction, not in its calldata
   * (docs/explanation/data-availability.md). Default: false.
   */
  readonly isBlob?: boolean;
}
export const isBlobShape = ({ table }: BatchShape): boolean => table.isBlob === true;

/** Location of a batch's narrow slots in its transaction. */
export type DataSource = "blob" | "calldata";
/** Choices of the position when a batch is closed; auto: the cheaper one by L1's prices. */
export const DATA_MODES = ["auto", "calldata", "blob"] as const;
export type DataMode = (typeof DATA_MODES)[number];
export const dataSourceOf = (shape: BatchShape): DataSource => (isBlobShape(shape) ? "blob" : "calldata");

export function shapeName({ narrow, wide, table }: BatchShape): string {
  const { members, rows, units, low, top, isBlob } = table;
  const name = `table-${[narrow - members, members, wide, rows, units, low, top].join("-")}`;
  return isBlob ? `${name}-blob` : name;
}
