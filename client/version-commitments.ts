import { hashTagged } from "../circuits/poseidon.ts";
import { TAG } from "../circuits/protocol.ts";
import { clientError } from "./client-errors.ts";
import { treeDepth, treeRoot } from "./rows-tree.ts";

/** A row of a version and the two leaves that it earns for. */
export interface VersionRow {
  readonly rowHash: bigint;
  readonly contributorId: number;
  readonly validatorId: number;
}

/** A reward slot: a (contributor, validator) pair and how many rows it has. */
export interface VersionSlot {
  readonly contributorId: number;
  readonly validatorId: number;
  readonly rowCount: number;
}

/** What PublishVersion carries, and the two tables behind it. */
export interface VersionCommitments {
  readonly rowsRoot: bigint;
  readonly ownersCommitment: bigint;
  readonly slotRoot: bigint;
  readonly rowCount: number;
  /** In the version's order: by slot, and within a slot as contributed. */
  readonly rows: readonly VersionRow[];
  readonly slots: readonly VersionSlot[];
}

/** 8^4 = 4,096 slots. Fixed, unlike the rows' depth: rewards of every model are claimed along paths of this length. */
export const SLOT_TREE_DEPTH = 4;
const MAX_SLOT_COUNT = 8 ** SLOT_TREE_DEPTH;

/**
 * The commitments of a version (docs/client.md, "Versions"). Needs `initPoseidon`, as every client has done.
 * @throws CLI_TOO_MANY_SLOTS
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
  const owners = slots.flatMap((slot, index) => Array<bigint>(slot.rowCount).fill(BigInt(index)));
  const depth = treeDepth(rows.length);
  return {
    rowsRoot: treeRoot(TAG.versionNode, rows.map(hashVersionRow), depth),
    ownersCommitment: treeRoot(TAG.ownersNode, owners, depth),
    slotRoot: treeRoot(TAG.slotNode, slots.map(hashEmptySlot), SLOT_TREE_DEPTH),
    rowCount: rows.length,
    rows,
    slots,
  };
}

export function hashVersionRow(row: VersionRow): bigint {
  return hashTagged(TAG.versionRow, [row.rowHash, BigInt(row.contributorId), BigInt(row.validatorId)]);
}

/** A slot before anything was earned: both amounts are 0. */
export function hashEmptySlot(slot: Pick<VersionSlot, "contributorId" | "validatorId">): bigint {
  return hashTagged(TAG.slot, [BigInt(slot.contributorId), BigInt(slot.validatorId), 0n, 0n]);
}

type Owners = Pick<VersionSlot, "contributorId" | "validatorId">;

function compareSlots(a: Owners, b: Owners): number {
  return a.contributorId - b.contributorId || a.validatorId - b.validatorId;
}

function slotTable(rows: readonly VersionRow[]): VersionSlot[] {
  const slots = new Map<string, VersionSlot>();
  for (const { contributorId, validatorId } of rows) {
    const name = `${contributorId}/${validatorId}`;
    const rowCount = (slots.get(name)?.rowCount ?? 0) + 1;
    slots.set(name, { contributorId, validatorId, rowCount });
  }
  return [...slots.values()].sort(compareSlots);
}
