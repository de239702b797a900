/** Sizes of the devnet: everything that differs between `npm start`, and `npm start --` with `--small`, `--joint`. */
import type { SettlementSize } from "@openledger/circuits/settlement/settlement-size";
import type { TableShape } from "@openledger/circuits/table/table-shape";
import { COMMITS_EACH, CONTRIBUTORS, type ContributorName, CUSTOMERS, DEVNET_TABLE } from "./config.ts";

export interface DevnetPlan {
  /** Size of the circuit that settles models of texts. */
  readonly settlement: SettlementSize;
  /** Size of the circuit that settles the spam filter, a direct model. */
  readonly direct: SettlementSize;
  /**
   * Size of the circuits that settle a direct model of several Datanets: `rows` and `payees` are of each Datanet. null by
   * default, since no job needs them.
   */
  readonly joint: SettlementSize | null;
  /** Shape of the batches' table, in calldata. Its twin in a blob is deployed as well. */
  readonly table: TableShape;
  /** Payees of the circuit that activations and default splits are proven with. */
  readonly tablePayees: number;
  /** Rows of one of a contributor's commits. */
  readonly rowsPerCommit: Readonly<Record<ContributorName, number>>;
  /** E-mails on which the labellers differ. */
  readonly disputedCount: number;
  /** Held-out e-mails that customers ask about. */
  readonly questionCount: number;
  /** The second half: a language model that is tuned on passages of speeches. */
  readonly speeches: {
    readonly rowsOf: Readonly<Record<ContributorName, number>>;
    readonly questionCount: number;
    /** Tokens of an answer. */
    readonly answerTokens: number;
  };
}

export const PLAN_NAMES = ["full", "small"] as const;
type PlanName = (typeof PLAN_NAMES)[number];

/** Up to six Datanets: 15,869 constraints of the draws, within 2^14, and 57,264 of a shard. 128 buckets are too few for e-mails. */
export const JOINT: SettlementSize = {
  rows: 64,
  features: 256,
  payees: 16,
  payments: 16,
  draws: 2,
  shards: 6,
  isDirect: true,
};
const COMMON = { table: DEVNET_TABLE, joint: null } as const;

// For 448 rows, twice the e-mails; 122,366 constraints, and 161,986 of direct models, of any number of labels. A key and a proof
// take twice as long above 131,072.
const FULL: SettlementSize = { rows: 448, features: 256, payees: 64, payments: 16, draws: 2 };
const SMALL: SettlementSize = { rows: 64, features: 32, payees: 16, payments: 16, draws: 2 };

export const PLANS: Readonly<Record<PlanName, DevnetPlan>> = {
  full: {
    ...COMMON,
    settlement: FULL,
    direct: { ...FULL, features: 512, isDirect: true },
    tablePayees: 64,
    rowsPerCommit: { bob: 28, carol: 22, dave: 6 },
    disputedCount: 16,
    questionCount: 10,
    speeches: { rowsOf: { bob: 24, carol: 18, dave: 10 }, questionCount: 4, answerTokens: 40 },
  },
  // For tests: circuits that compile in seconds.
  small: {
    ...COMMON,
    settlement: SMALL,
    direct: { ...SMALL, features: 128, isDirect: true },
    tablePayees: 16,
    // Seven rows with wrong labels are enough for the test that refuses commits; three would not be.
    rowsPerCommit: { bob: 6, carol: 3, dave: 7 },
    disputedCount: 12,
    questionCount: 8,
    speeches: { rowsOf: { bob: 12, carol: 9, dave: 6 }, questionCount: 4, answerTokens: 16 },
  },
};

interface PlanChoices {
  /** true: circuits for direct models of several Datanets are deployed too. */
  readonly isJoint?: boolean;
}

export function planOf(name: PlanName, { isJoint = false }: PlanChoices): DevnetPlan {
  return { ...PLANS[name], ...(isJoint && { joint: JOINT }) };
}

/** The contributor of commit `index` of the job, whose commits take turns. */
export function contributorOf(index: number): ContributorName {
  return CONTRIBUTORS[index % CONTRIBUTORS.length]!;
}

export const COMMIT_COUNT = CONTRIBUTORS.length * COMMITS_EACH;

export function rowCountOf(plan: DevnetPlan, name: ContributorName): number {
  return COMMITS_EACH * plan.rowsPerCommit[name];
}

export function totalRowCount(plan: DevnetPlan): number {
  return CONTRIBUTORS.reduce((sum, name) => sum + rowCountOf(plan, name), 0);
}

/** Returns the validator of commit `index`, who vouches for it if its labels are right: vera for bob's and half of carol's. */
export function validatorOf(index: number): "vera" | "walt" {
  const name = contributorOf(index);
  if (name === "bob") return "vera";
  if (name === "dave") return "walt";
  return Math.floor(index / CONTRIBUTORS.length) % 2 === 0 ? "vera" : "walt";
}

/** Returns the customer who asks question `index`: they take turns. */
export function customerOf(index: number): (typeof CUSTOMERS)[number] {
  return CUSTOMERS[index % CUSTOMERS.length]!;
}
