import {
  ownersCommitment,
  type RewardSlot,
  type SlotOwners,
  slotRoot,
} from "../../../circuits/ledger/rewards.ts";
import { type VersionRow, versionRowsRoot } from "../../../circuits/ledger/version-rows.ts";
import { MAX_SLOT_COUNT } from "../../../circuits/protocol.ts";
import { clientError } from "../../client-errors.ts";

/** What PublishVersion carries, and the two tables behind it. */
export interface VersionCommitments {
  readonly rowsRoot: bigint;
  readonly ownersCommitment: bigint;
  readonly slotRoot: bigint;
  readonly rowCount: number;
  /** In the version's order: by slot, and within a slot as contributed. */
  readonly rows: readonly VersionRow[];
  readonly slots: readonly RewardSlot[];
}

export type CommitVersionErrorCode = "CLI_TOO_MANY_SLOTS";

/**
 * The commitments of a version (docs/client.md, "Versions"). Needs `initPoseidon`, as every client has done.
 * @throws CLI_TOO_MANY_SLOTS
 * @example
 * ```ts
 * const { rowHashes } = await readContribution(store, rowsRoot);
 * const version = commitVersion(rowHashes.map((rowHash) => ({ rowHash, contributorId: 7, validatorId: 8 })));
 * ```
 */
export function commitVersion(unsorted: readonly VersionRow[]): VersionCommitments {
  const slots = slotTable(unsorted);
  if (slots.length > MAX_SLOT_COUNT) {
    throw clientError(
      "CLI_TOO_MANY_SLOTS",
      `a version has at most ${MAX_SLOT_COUNT} slots, not ${slots.length}`,
      {
        data: { slotCount: slots.length, maxSlotCount: MAX_SLOT_COUNT },
      },
    );
  }
  // Sorting is stable: within a slot the order of contribution stays.
  const rows = [...unsorted].sort(compareSlots);
  return {
    rowsRoot: versionRowsRoot(rows),
    ownersCommitment: ownersCommitment(slots.map((slot) => slot.rowCount)),
    slotRoot: slotRoot(slots),
    rowCount: rows.length,
    rows,
    slots,
  };
}

function compareSlots(a: SlotOwners, b: SlotOwners): number {
  return a.contributorId - b.contributorId || a.validatorId - b.validatorId;
}

function slotTable(rows: readonly VersionRow[]): RewardSlot[] {
  const slots = new Map<string, RewardSlot>();
  for (const { contributorId, validatorId } of rows) {
    const name = `${contributorId}/${validatorId}`;
    const rowCount = (slots.get(name)?.rowCount ?? 0) + 1;
    slots.set(name, { contributorId, validatorId, rowCount });
  }
  return [...slots.values()].sort(compareSlots);
}
