/**
 * Kinds of data directories (sequencer, full node, bridge …), and the format number of each: the one place that has these
 * numbers. store-identity.ts compares them at each start.
 *
 * Raise the number in the change that makes directories unreadable, or that reads them differently: another key, another
 * encoding of a value, another meaning of a field, another hash beside a record. A number never goes down and is never used
 * for two formats. Nothing is converted: a directory of another number is refused by `SRV_STORE_FORMAT`, and `remedy` says
 * what an operator does then. docs/how-to/upgrade.md lists every format; testing/stores/ of each owner has directories of old
 * ones, and a test that they are refused.
 */
interface StoreKindRow {
  readonly format: number;
  /** Name of such a directory in a sentence. */
  readonly name: string;
  /** Remedy for a directory of another format. */
  readonly remedy: string;
}

const UPGRADE = "docs/how-to/upgrade.md";

export const STORE_KINDS = {
  sequencer: {
    format: 1,
    name: "a sequencer's ledger",
    remedy: `Let the version that wrote it post everything and stop it, or keep the folder; then make a new one with openledger restore --from-l1 or --from-full-node: ${UPGRADE}.`,
  },
  "full-node-ledger": {
    format: 1,
    name: "a full node's ledger",
    remedy: `Move the full node's whole folder away and start again: it makes a new one from L1: ${UPGRADE}.`,
  },
  "full-node": {
    format: 1,
    name: "a full node's folder",
    remedy: `Move the folder away and start again: the full node makes a new one from L1. Keep evidence/ of the old one: ${UPGRADE}.`,
  },
  bridge: {
    format: 1,
    name: "a bridge's folder",
    remedy: `Move the folder away and start again: the bridge reads L1 again and does nothing twice: ${UPGRADE}.`,
  },
  "datanet-host": {
    // Tables of PostgreSQL (datanets/store/host-schema.ts): a folder is of an earlier version.
    format: 2,
    name: "a Datanet host's folder",
    remedy: `Start the version that wrote it on another port, mirror that host into this one (openledger datanet upload ID --from URL --host URL), and move the folder away: ${UPGRADE}.`,
  },
  factory: {
    // Tables of PostgreSQL (models/factory/store/factory-schema.ts): a folder with a store is of an earlier version.
    format: 3,
    name: "a factory's folder",
    remedy: `Let the version that wrote it serve until its answers are settled, and download the models and rows; then start with an empty folder: ${UPGRADE}.`,
  },
  watcher: {
    format: 1,
    name: "a watcher's folder",
    remedy: `Move the folder away and start again: the watcher reads L1 again and recomputes everything: ${UPGRADE}.`,
  },
  "answer-server": {
    format: 2,
    name: "an answer server's folder",
    remedy: `Let the version that wrote it serve until its answers are settled, then start with an empty folder and issue the keys again (openledger models keys): ${UPGRADE}.`,
  },
  gateway: {
    format: 1,
    name: "a gateway's folder",
    remedy: `Let the version that wrote it return the money (openledger gateway --end NAME), then start with another name: ${UPGRADE}.`,
  },
} as const satisfies Readonly<Record<string, StoreKindRow>>;

export type StoreKind = keyof typeof STORE_KINDS;
