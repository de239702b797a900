/**
 * Board of a Datanet's earnings: what its models' settlements have paid, by account. Only accounts that have signed that they agree are
 * named; of the others there is the sum. Amounts are in wei.
 */
import { RollupError } from "@openledger/foundation/rollup-error";
import type { LedgerClient } from "../ledger-client.ts";
import { findLeaves } from "../sequencer/ledger-reads.ts";
import { getModel } from "../sequencer/model-reads.ts";
import { hostFalse } from "./host-false.ts";
import type { HostAccess, HostErrorCode, HostedDatanetLocation } from "./host-request.ts";
import { sayRecords } from "./signed-records.ts";
import { type DroppedRecord, type HostRecords, readSoundRecords } from "./sound-records.ts";

export interface ShowEarningsParameters extends HostedDatanetLocation {
  /** False takes the consent back. */
  isShown: boolean;
  /** Account; default: the client's. */
  from?: number;
}
export type ShowEarningsErrorCode = "DNT_NOT_HOSTED" | "DNT_RECORD_NOT_ALLOWED" | HostErrorCode;

/**
 * Signs that a Datanet's board may name the account and what it earns, or no longer. What the ledger has paid to whom is public
 * all the same: a board without a consent only does not point at it.
 * @throws DNT_NOT_HOSTED, DNT_RECORD_NOT_ALLOWED
 * @example
 * ```ts
 * await showEarnings(client, { hostUrl, datanetId: 10, isShown: true });
 * ```
 */
export async function showEarnings(
  client: LedgerClient,
  { isShown, ...place }: ShowEarningsParameters,
): Promise<void> {
  const [result] = await sayRecords(client, { ...place, records: [{ kind: "showEarnings", isShown }] });
  const { error } = result!;
  if (error !== null) throw new RollupError(error.code, error.message);
}

export interface BoardEntry {
  readonly leafId: number;
  /** Earned as contributor and as validator, in all settled epochs. */
  readonly earnedWei: bigint;
  /** Rows that the account has contributed to the models, each model's counted. */
  readonly rowCount: number;
}

export interface EarningsBoard {
  /** Models of this Datanet alone, which the sums are of: a model of several is on no board. */
  readonly modelIds: readonly number[];
  /** Accounts that agree, who earned most first. */
  readonly entries: readonly BoardEntry[];
  /** Accounts that agree, whether they have earned or not. */
  readonly agreedIds: readonly number[];
  /** Consents that count for nothing: the present key of their account has not signed them. */
  readonly dropped: readonly DroppedRecord[];
  /** All that the models' payees have earned. */
  readonly earnedWei: bigint;
  /** Part of it of accounts that are not named. */
  readonly hiddenWei: bigint;
  readonly hiddenCount: number;
}

export type ReadEarningsBoardParameters = HostedDatanetLocation;
export type ReadEarningsBoardErrorCode = "CLI_DATANET_HOST_FALSE" | HostErrorCode;

/** Models that a board sums up, the newest. */
const MAX_MODELS = 100;

/**
 * Reads a Datanet's board: earnings from the ledger's settled epochs, which proofs have divided, and consents from a host, each
 * signed by the key that its account has now.
 * @throws CLI_DATANET_HOST_FALSE where a consent is not signed, DNT_NOT_HOSTED
 * @example
 * ```ts
 * const { entries, hiddenWei } = await readEarningsBoard(client, { hostUrl, datanetId: 10 });
 * for (const { earnedWei, leafId } of entries) console.log(leafId, formatOpen(earnedWei));
 * ```
 */
export async function readEarningsBoard(
  client: HostAccess,
  { datanetId, hostUrl }: ReadEarningsBoardParameters,
): Promise<EarningsBoard> {
  const { dropped, records } = await readConsents(client, { datanetId, hostUrl });
  const agreed = new Set(records.map(({ body }) => body.leafId));
  const leaves = await findLeaves(client, { datanetId });
  const newest = leaves.map(({ id }) => id).sort((a, b) => b - a);
  const sums = new Map<number, { earnedWei: bigint; rowCount: number }>();
  const modelIds: number[] = [];
  // One after another: a sequencer refuses many long lists at once.
  for (const modelId of newest.slice(0, MAX_MODELS)) {
    const { model, payees } = await getModel(client, modelId);
    if (model.furtherDatanets.length > 0) continue;
    modelIds.push(modelId);
    for (const { contributor, contributorId, rowCount, validator, validatorId } of payees) {
      add(sums, contributorId, contributor.earnedWei, rowCount);
      add(sums, validatorId, validator.earnedWei, 0);
    }
  }
  const all = [...sums]
    .map(([leafId, sum]) => ({ leafId, ...sum }))
    .filter(({ earnedWei }) => earnedWei > 0n);
  const entries = all
    .filter(({ leafId }) => agreed.has(leafId))
    .sort((a, b) => (a.earnedWei === b.earnedWei ? a.leafId - b.leafId : a.earnedWei < b.earnedWei ? 1 : -1));
  const sumOf = (some: readonly BoardEntry[]) => some.reduce((sum, { earnedWei }) => sum + earnedWei, 0n);
  return {
    modelIds,
    entries,
    agreedIds: [...agreed],
    dropped,
    earnedWei: sumOf(all),
    hiddenWei: sumOf(all) - sumOf(entries),
    hiddenCount: all.length - entries.length,
  };
}

function add(
  sums: Map<number, { earnedWei: bigint; rowCount: number }>,
  leafId: number,
  earnedWei: bigint,
  rowCount: number,
): void {
  const known = sums.get(leafId) ?? { earnedWei: 0n, rowCount: 0 };
  sums.set(leafId, { earnedWei: known.earnedWei + earnedWei, rowCount: known.rowCount + rowCount });
}

/** Consents by the key that each account has now: a former key has no say about its owner's name. */
async function readConsents(
  client: HostAccess,
  { datanetId, hostUrl }: HostedDatanetLocation,
): Promise<HostRecords<"showEarnings">> {
  const list = { route: "earnings-consents", kind: "showEarnings", what: "consent" } as const;
  const found = await readSoundRecords(client, { datanetId, hostUrl, ...list });
  if (found.records.some(({ body }) => !body.isShown)) throw hostFalse("record", "a consent", {});
  return found;
}
