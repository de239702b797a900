/**
 * Contribution of rows to a Datanet: as its card says them, under the terms that it demands, committed before anybody sees them, and
 * brought to a host once the commit is final. The command, the page, the MCP tool and the devnet draw it; a call that was cut off is
 * repeated, and pays for no commit twice.
 */
import type { Card } from "@openledger/datanets/card/card";
import { datanetError } from "@openledger/datanets/datanet-errors";
import { TERMS_SENTENCE } from "@openledger/datanets/records/record";
import { conditionsOf } from "@openledger/datanets/terms/licence-conditions";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { RowStore, StoredContribution } from "../actions/data/row-store.ts";
import { saltByCard } from "../actions/data/salted-contribution.ts";
import { type CommitDataErrorCode, commitData } from "../actions/ledger/commit-data.ts";
import type { SendResult, SigningOptions } from "../actions/ledger/send-operation.ts";
import { type StoreRowsErrorCode, storeRows } from "../datanets/contribute-rows.ts";
import {
  contributionSource,
  type UploadRowsErrorCode,
  type UploadRowsReturnType,
  uploadRows,
} from "../datanets/upload-rows.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { getLeaf, readOperations } from "../sequencer/ledger-reads.ts";
import type { SequencerAccess, SequencerErrorCode } from "../sequencer/sequencer-request.ts";
import type { LeafOperation } from "../sequencer/sequencer-schemas.ts";
import { requireBalance, requireKind, requireSigner } from "./before-signing.ts";

export interface PlanContributionParameters {
  datanetId: number;
  store: RowStore;
  /** Card of the Datanet; null if nobody knows it: the rows are committed as they are, under no terms. */
  card: Card | null;
  rows: readonly Uint8Array[];
  /** Contributor's label of each row; null for none. */
  labels?: readonly (string | null)[];
  /** Licence whose terms the contributor agrees to sign: the card's. */
  agreedLicence?: string | undefined;
}
export interface PlannedContribution {
  readonly datanetId: number;
  readonly store: RowStore;
  /** Rows as the card says them. */
  readonly rows: readonly Uint8Array[];
  readonly labels?: readonly (string | null)[];
  /** Card whose terms are signed; absent: the card demands none. */
  readonly givenUnder?: Card;
}
export type AgreedTermsParameters = Pick<PlanContributionParameters, "datanetId" | "card" | "agreedLicence">;
export type AgreedTermsErrorCode = "DNT_TERMS_UNSIGNED";

/**
 * Returns the card whose terms the contributor agrees to sign; undefined where it demands none.
 * @throws DNT_TERMS_UNSIGNED with the terms, where the card has contributors sign, and the agreed licence is missing or another one
 * @example
 * ```ts
 * const agreed = agreedTerms({ datanetId: 10, card, agreedLicence: "CC-BY-4.0" });
 * console.log(agreed === undefined ? "nothing to sign" : `signed under ${agreed.licence}`);
 * ```
 */
export function agreedTerms({ agreedLicence, card, datanetId }: AgreedTermsParameters): Card | undefined {
  if (card?.terms === undefined) return undefined;
  const { licence, terms } = card;
  if (agreedLicence === licence) return card;
  const what =
    agreedLicence === undefined
      ? `datanet ${datanetId} has contributors sign its terms, ${licence}`
      : `"${agreedLicence}" is another licence than the card's, ${licence}`;
  const words = [conditionsOf(licence)?.plain, terms.file?.about].filter((one) => one !== undefined);
  throw datanetError("DNT_TERMS_UNSIGNED", [what, ...words, `you sign: ${TERMS_SENTENCE}`].join("; "), {
    data: { datanetId, licence },
  });
}

export type PlanContributionErrorCode = AgreedTermsErrorCode;

/**
 * Makes the rows what the card says, and requires the contributor's word for the terms that it demands: a host takes no row without,
 * and the fee of the commit would be lost.
 * @throws DNT_TERMS_UNSIGNED where the card has contributors sign, and the agreed licence is missing or another one
 * @example
 * ```ts
 * const planned = await planContribution(client, { datanetId: 10, store, card, rows, agreedLicence: card.licence });
 * const { contribution } = await commitContribution(client, { ...planned });
 * ```
 */
export async function planContribution(
  { domain }: Pick<LedgerClient, "domain">,
  { agreedLicence, card, datanetId, labels, rows, store }: PlanContributionParameters,
): Promise<PlannedContribution> {
  const givenUnder = agreedTerms({ datanetId, card, agreedLicence });
  return {
    ...{ datanetId, store },
    rows: card === null ? rows : await saltByCard({ card, datanetId, domain, store, rows }),
    ...(labels && { labels }),
    ...(givenUnder && { givenUnder }),
  };
}

export type StoreContributedErrorCode = StoreRowsErrorCode;

/**
 * Stores the planned rows with labels and signed terms, and commits nothing: for a commit that the contributor forces through L1.
 * @throws CLI_INPUT_INVALID for rows that are not as the card says, and for an empty or repeated one
 * @example
 * ```ts
 * const planned = await planContribution(client, { datanetId: 10, store, card: null, rows });
 * const { rowsRoot, rowCount } = await storeContributed(client, planned);
 * const operations = [{ type: "commitData", id: 7, datanetId: 10, rowsRoot, rowCount }] as const;
 * await forceOperations(client, { operations });
 * ```
 */
export function storeContributed(
  client: LedgerClient,
  planned: PlannedContribution & Pick<SigningOptions, "from">,
): Promise<StoredContribution> {
  return storeRows(client, planned);
}

export interface CommitContributionReturnType {
  readonly contribution: StoredContribution;
  /** The signed commit; null where the ledger has one of these rows by this contributor. */
  readonly sent: SendResult | null;
  /** Name of the commit, for `waitFor`: this call's, or the one that the ledger has. */
  readonly target: { readonly hash: `0x${string}` } | { readonly queueIndex: number };
}
export type CommitContributionErrorCode =
  | "OP_BALANCE_TOO_LOW"
  | "OP_BAD_SIGNATURE"
  | "OP_WRONG_LEAF_KIND"
  | StoreRowsErrorCode
  | CommitDataErrorCode;

/**
 * Stores the planned rows with labels and signed terms, and commits their root. A second call after an interruption finds the commit,
 * and signs none.
 * @throws CLI_INPUT_INVALID for rows that are not as the card says; OP_WRONG_LEAF_KIND for a leaf that is no Datanet; OP_BAD_SIGNATURE,
 *   OP_BALANCE_TOO_LOW, CLI_LEAF_NOT_FOUND; the errors of `commitData`
 * @example
 * ```ts
 * const planned = await planContribution(client, { datanetId: 10, store, card: null, rows });
 * const { contribution } = await commitContribution(client, { ...planned, from: 7 });
 * ```
 */
export async function commitContribution(
  client: LedgerClient,
  planned: PlannedContribution & Pick<SigningOptions, "from" | "onSigned">,
): Promise<CommitContributionReturnType> {
  const { datanetId, from, onSigned } = planned;
  const [contributor, datanet] = await Promise.all([requireSigner(client, from), getLeaf(client, datanetId)]);
  requireKind(datanet, "datanet");
  const contribution = await storeRows(client, planned);
  const { rowCount, rowsRoot } = contribution;
  const commit = { datanetId, rowsRoot };
  const known = await findCommit(client, { ...commit, contributorId: contributor.id });
  if (known !== null) {
    const target = known.hash === null ? { queueIndex: known.queueIndex } : { hash: known.hash };
    return { contribution, sent: null, target };
  }
  await requireBalance(client, contributor, "commitData", 0n);
  const signing = { from: contributor.id, ...(onSigned && { onSigned }) };
  const sent = await commitData(client, { ...commit, rowCount, ...signing });
  return { contribution, sent, target: { hash: sent.hash } };
}

export interface FindCommitParameters {
  datanetId: number;
  contributorId: number;
  rowsRoot: bigint;
}
export type FindCommitErrorCode = SequencerErrorCode;

/** Operations of a contributor among which an earlier call's commit is looked for: the newest ones. */
const LOOKED_AT = 200;

/**
 * Finds a contributor's commit of rows among the contributor's newest 200 operations: what a call that was cut off has sent.
 * @returns null where there is none that the ledger may execute
 * @throws CLI_UNREACHABLE, CLI_ANSWER_INVALID
 * @example
 * ```ts
 * const { rowsRoot } = await storeContribution(store, rows);
 * const commit = await findCommit(client, { datanetId: 10, contributorId: 7, rowsRoot });
 * console.log(commit?.hash ?? "not committed");
 * ```
 */
export async function findCommit(
  client: SequencerAccess,
  { contributorId, datanetId, rowsRoot }: FindCommitParameters,
): Promise<LeafOperation | null> {
  const { operations } = await readOperations(client, contributorId, { limit: LOOKED_AT });
  const isIt = (operation: LeafOperation) =>
    operation.a === contributorId &&
    operation.b === datanetId &&
    (operation.hash === null
      ? operation.kind === "forcedCommitData" && operation.word2 === rowsRoot
      : operation.kind === "commitData" && operation.words[0] === rowsRoot && operation.status !== "dropped");
  return operations.find(isIt) ?? null;
}

export interface BringContributionParameters {
  datanetId: number;
  hostUrl: string;
  store: RowStore;
  rowsRoot: bigint;
  /** Leaf that signs; default: the client's. */
  from?: number;
  onProgress?: (received: number, rowCount: number) => void;
}
export type BringContributionErrorCode = UploadRowsErrorCode;

/**
 * Brings a commit's rows to a host, with labels and signed terms. Rows that the host has are not sent again.
 * @returns null until the commit is final on L1: call again later
 * @throws DNT_TERMS_UNSIGNED, DNT_UNKNOWN, SRV_QUOTA_USED, SRV_TOO_LARGE, CLI_ROWS_MISSING
 * @example
 * ```ts
 * const brought = await bringContribution(client, { datanetId: 10, hostUrl, store, rowsRoot });
 * console.log(brought === null ? "not final yet" : `${brought.rowCount} rows are there`);
 * ```
 */
export async function bringContribution(
  client: LedgerClient,
  { rowsRoot, store, ...place }: BringContributionParameters,
): Promise<UploadRowsReturnType | null> {
  const source = await contributionSource(store, rowsRoot);
  try {
    return await uploadRows(client, { ...place, source });
  } catch (error) {
    if (isRollupError(error, "DNT_NOT_ON_LEDGER")) return null;
    throw error;
  }
}
