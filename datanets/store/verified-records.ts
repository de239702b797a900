import { datanetError } from "../datanet-errors.ts";
import type { SignedRecord, VerifiedBody } from "../records/record.ts";

/** Strangers whose recomputations of one model are stored: all are in memory, under a kilobyte each. */
export const MAX_VERIFIED_LEAVES = 1_000;
/** Settlements of one model that a leaf has recomputed: the oldest epoch goes. */
export const MAX_VERIFIED_EPOCHS = 64;

export type VerifiedRecord = SignedRecord & { readonly body: VerifiedBody };

export const isVerifiedRecord = (record: SignedRecord): record is VerifiedRecord =>
  record.body.kind === "verified";

interface Entry {
  readonly id: string;
  readonly record: VerifiedRecord;
}

/** A leaf's entries by epoch; 0 is the model itself, since the first epoch that is paid is 1. */
type LeafEntries = Map<number, Entry>;

const epochOf = ({ epoch }: VerifiedBody) => epoch ?? 0;

/** Leaves that have recomputed the models of a Datanet: the last record of each leaf about a model or a settlement. */
export class VerifiedRecords {
  readonly #leavesByModel = new Map<number, Map<number, LeafEntries>>();
  readonly #ids = new Set<string>();

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** @param isOfTeam always has room. @throws DNT_VERIFIED_FULL */
  requireRoomFor({ leafId, modelId }: VerifiedBody, isOfTeam: boolean): void {
    const leaves = this.#leavesByModel.get(modelId);
    if (isOfTeam || leaves === undefined || leaves.has(leafId) || leaves.size < MAX_VERIFIED_LEAVES) return;
    throw datanetError(
      "DNT_VERIFIED_FULL",
      `${leaves.size} leaves have recomputed model ${modelId}, and the host takes no more`,
      { data: { modelId, maxLeaves: MAX_VERIFIED_LEAVES } },
    );
  }

  /**
   * Puts a record in the place of the leaf's earlier one about the same.
   * @returns records that are dropped for it: of epochs that are too many
   */
  add(id: string, record: VerifiedRecord): VerifiedRecord[] {
    const { leafId, modelId } = record.body;
    const leaves = this.#leavesByModel.get(modelId) ?? new Map<number, LeafEntries>();
    this.#leavesByModel.set(modelId, leaves);
    const entries: LeafEntries = leaves.get(leafId) ?? new Map();
    leaves.set(leafId, entries);
    const replaced = entries.get(epochOf(record.body));
    if (replaced !== undefined) this.#ids.delete(replaced.id);
    entries.set(epochOf(record.body), { id, record });
    this.#ids.add(id);
    const epochs = [...entries.keys()].filter((epoch) => epoch > 0).sort((a, b) => a - b);
    return epochs.slice(0, Math.max(0, epochs.length - MAX_VERIFIED_EPOCHS)).map((epoch) => {
      const dropped = entries.get(epoch)!;
      entries.delete(epoch);
      this.#ids.delete(dropped.id);
      return dropped.record;
    });
  }

  /** Differences first, then the newest. @param modelId null for all models */
  list(modelId: number | null): VerifiedRecord[] {
    const models =
      modelId === null
        ? [...this.#leavesByModel.values()]
        : [this.#leavesByModel.get(modelId) ?? new Map<number, LeafEntries>()];
    return models
      .flatMap((leaves) => [...leaves.values()].flatMap((entries) => [...entries.values()]))
      .map(({ record }) => record)
      .sort((a, b) => rankOf(a.body) - rankOf(b.body) || b.body.atMs - a.body.atMs);
  }
}

const rankOf = ({ difference }: VerifiedBody) => (difference === null ? 1 : 0);
