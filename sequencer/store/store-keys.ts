/** Keys of all records in the sequencer's LevelDB. Numbers are fixed-width hex, so that keys sort as they count. */

/** Number of 48 bits as key text. */
const wide = (value: number) => value.toString(16).padStart(12, "0");
/** Id of a leaf, 24 bits, as key text. */
const id = (value: number) => value.toString(16).padStart(6, "0");

/** One change of the store; without a value the key is deleted. */
export interface StoreWrite {
  readonly key: string;
  readonly value?: unknown;
}

/** Keys by the sort of their record. */
export const storeKeys = {
  /** An entry of the log. */
  log: (sequence: number) => `log!${wide(sequence)}`,
  /** Sequence of an acknowledged operation, by its hash. */
  operation: (hash: string) => `operation!${hash}`,
  /** An acknowledged operation that could not be executed again after a batch of somebody else. */
  dropped: (hash: string) => `dropped!${hash}`,
  /** An operation that acts on a leaf, in the log's order. */
  leafOperation: (leafId: number, sequence: number) => `leaf-operation!${id(leafId)}!${wide(sequence)}`,
  /** An executed queue entry that acts on a leaf, behind the operations acknowledged up to that sequence. */
  leafQueueEntry: (leafId: number, sequence: number, queueIndex: number) =>
    `leaf-operation!${id(leafId)}!${wide(sequence)}!${wide(queueIndex)}`,
  /** Sequence of an executed queue entry; of one in a batch of somebody else, the last before it. */
  queueSequence: (queueIndex: number) => `queue-sequence!${wide(queueIndex)}`,
  /** Record of a closed batch. */
  batch: (batchNumber: number) => `batch!${wide(batchNumber)}`,
  /** Inputs from which the circuit's inputs follow (ClosedDraft), for a batch that is not final. */
  draft: (batchNumber: number) => `draft!${wide(batchNumber)}`,
  /** Leaves as a batch that is not final leaves them. */
  changes: (batchNumber: number) => `changes!${wide(batchNumber)}`,
  /** A leaf as the last final batch left it, where it changed since the file of all leaves was begun. */
  leaf: (leafId: number) => `leaf!${id(leafId)}`,
  /** Record of the valid file of all leaves (final-leaves.ts). */
  leafFile: "leaf-file",
  /** A payment of a model's epoch, by its place in the epoch's chain. */
  payment: (modelId: number, epoch: number, index: number) =>
    `payment!${id(modelId)}!${id(epoch)}!${wide(index)}`,
  /** A closed epoch. */
  epoch: (modelId: number, epoch: number) => `epoch!${id(modelId)}!${id(epoch)}`,
  /** Sequence of the entry that settled a model's epoch; the activation is epoch 0. */
  settlement: (modelId: number, epoch: number) => `settlement!${id(modelId)}!${id(epoch)}`,
  /** Place on L1 of a batch with a CloseEpoch, and the randomness that followed. */
  epochCloseOnL1: (batchNumber: number) => `l1-close!${wide(batchNumber)}`,
  queueEntry: (queueIndex: number) => `queue!${wide(queueIndex)}`,
  /** Target of a hash that is not an operation's (hash-index.ts). */
  hash: (hash: string, what: string, number: number) => `hash!${hash}!${what}!${wide(number)}`,
  /** Position of the last batch that was pruned (pruning.ts). */
  prunedTo: "pruned-to",
  /** Position of the last final batch. */
  finalPosition: "final-position",
  /** Content hashes of the batches' circuits that this directory is written for (stored-circuits.ts). */
  circuits: "circuits",
  /** The fee of a unit in the batch that is opened next, written with the first operation of the one before. */
  nextFee: "next-fee",
  /** Places that get no preconfirmation (unpromised-positions.ts). */
  unpromisedPositions: "unpromised-places",
} as const;

/** Id of the leaf of a key; null where the key is not a leaf's. */
export const leafIdOf = (key: string): number | null =>
  key.startsWith("leaf!") ? Number.parseInt(key.slice("leaf!".length), 16) : null;

/** Keys that start with `prefix` and a separator. */
export function underPrefix(prefix: string): { gt: string; lt: string } {
  // "!" is the separator, and '"' the character after it.
  return { gt: `${prefix}!`, lt: `${prefix}"` };
}

/** Keys of hashes that begin with `start`, which is 0x-hex in lower case. */
export function ofHashes(family: "operation" | "hash", start: string): { gte: string; lt: string } {
  // "g" is the first character after every digit, and after the separator.
  return { gte: `${family}!${start}`, lt: `${family}!${start}g` };
}
