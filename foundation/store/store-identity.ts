/**
 * Identity of a data directory: a record in each (STORE.json) of the rollup and the kind of process that it belongs to, written
 * before anything else and compared at each start. A process that took another rollup's directory for its own would go on from
 * another ledger, and promise what nobody can keep.
 *
 * Addresses are deterministic: a chain that begins anew has a rollup at the same one. So a rollup is also named by the hash of the block
 * in which it was deployed, wherever that is known.
 *
 * A store that belongs to no rollup, since the names in it say what it holds (a cache by content hash), has
 * no record.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { z } from "zod";
import { processErrors } from "../error-table.ts";
import { isRollupError, type RollupError } from "../rollup-error.ts";
import { reasonOf, StoreDamage, storeFaultOf } from "./store-fault.ts";
import { STORE_KINDS, type StoreKind } from "./store-kinds.ts";

/** Block of L1 in which a rollup was deployed: no other chain has it. */
export interface DeploymentBlock {
  readonly blockHash: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
}

/** The rollup that a store belongs to, as the owner of the store names it. */
export interface StoreRollup {
  readonly chainId: number;
  readonly rollupAddress: string;
  /** Absent or null where the owner does not know it: then it is not compared. */
  readonly deployedIn?: DeploymentBlock | null | undefined;
}

/** A rollup by what a record or an owner knows of it. */
interface NamedRollup {
  readonly chainId: number | null;
  readonly rollupAddress: string | null;
  readonly deployedIn?: Pick<DeploymentBlock, "blockHash"> | null | undefined;
}

/** True for one rollup on one chain. Blocks of the deployment are compared where both are known. */
export const isSameRollup = (a: NamedRollup, b: NamedRollup): boolean =>
  a.chainId === b.chainId &&
  a.rollupAddress?.toLowerCase() === b.rollupAddress?.toLowerCase() &&
  isSameBlock(a.deployedIn?.blockHash, b.deployedIn?.blockHash);

const isSameBlock = (a: string | undefined, b: string | undefined): boolean =>
  a === undefined || b === undefined || a.toLowerCase() === b.toLowerCase();

/** The rollup that a record names. */
export const rollupOf = ({ chainId, deploymentBlock, rollupAddress }: StoreRecord): NamedRollup => ({
  chainId,
  rollupAddress,
  deployedIn: deploymentBlock === undefined ? null : { blockHash: deploymentBlock },
});

export interface StoreIdentity {
  readonly kind: StoreKind;
  /** Rollup of the store; null for a store that serves any rollup: only its kind and format are compared. */
  readonly rollup: StoreRollup | null;
}

/** Name of the record in a directory. LevelDB leaves unknown files alone. */
export const STORE_FILE = "STORE.json";

const { version: SOFTWARE_VERSION } = createRequire(import.meta.url)("../package.json") as {
  version: string;
};

/**
 * Files that other programs put into an empty directory: LevelDB when it looks at one, a file system at its
 * top.
 */
const NO_DATA = new Set(["LOCK", "LOG", "LOG.old", "lost+found"]);

const recordSchema = z.object({
  kind: z.string(),
  format: z.number().int(),
  chainId: z.number().int().nullable(),
  rollupAddress: z.string().nullable(),
  /** Hash of the block in which the rollup was deployed; absent until an owner knows it. */
  deploymentBlock: z.string().optional(),
  /** Version of the software that made the directory. */
  version: z.string(),
});

/** Record in a directory. */
export type StoreRecord = z.output<typeof recordSchema>;

/** Raises the owner's own error for a directory that is not its own. */
export type RaiseWrongDirectory = (message: string, data: object) => RollupError;

const raiseWrongDirectory: RaiseWrongDirectory = (message, data) =>
  processErrors.raise("SRV_WRONG_DIRECTORY", message, { data });

/**
 * Compares the record of a directory with the one that the process expects, and writes it where the directory is empty or
 * missing. Nothing is changed where it throws.
 * @throws SRV_WRONG_DIRECTORY, or the owner's own error, for another rollup's directory, that of an earlier chain, or another kind's; SRV_STORE_FORMAT for
 * another format, or data without a record; SRV_STORE_CORRUPT for a record that is not as it was written; SRV_STORE_FAILED
 */
export function claimStore(
  folder: string,
  identity: StoreIdentity,
  raise: RaiseWrongDirectory = raiseWrongDirectory,
): void {
  const recordPath = join(folder, STORE_FILE);
  try {
    const found = readRecord(recordPath);
    if (found !== null) {
      requireSame(folder, found, identity, raise);
      nameDeployment(folder, found, identity, raise);
      return;
    }
    if (hasData(folder)) throw formatError(folder, null, identity.kind);
    writeStoreRecord(recordPath, recordOf(identity));
    // Another process may have been faster.
    requireSame(folder, readRecord(recordPath)!, identity, raise);
  } catch (cause) {
    if (isRollupError(cause)) throw cause;
    const isDamage = storeFaultOf(cause) === "corrupt";
    const remedy = isDamage
      ? `Put ${recordPath} back from a copy of this store. ${STORE_KINDS[identity.kind].remedy}`
      : "Make room on the disk, or give the process its rights to the folder; then start again.";
    const reason = reasonOf(cause);
    throw processErrors.raise(
      isDamage ? "SRV_STORE_CORRUPT" : "SRV_STORE_FAILED",
      `cannot open the store ${folder}: ${reason}. ${remedy}`,
      { data: { path: folder, reason, remedy }, cause },
    );
  }
}

/** The record of a directory; null if it has none. @throws StoreDamage */
export function readStoreRecord(folder: string): StoreRecord | null {
  return readRecord(join(folder, STORE_FILE));
}

function readRecord(path: string): StoreRecord | null {
  return existsSync(path) ? decodeStoreRecord(readFileSync(path, "utf8")) : null;
}

/**
 * Replaces the record of a directory that this process makes out of another one.
 * @param folder of nobody else's: a copy that has no name yet
 */
export function replaceStoreRecord(folder: string, identity: StoreIdentity): void {
  const path = join(folder, STORE_FILE);
  writeStoreRecord(path, recordOf(identity), true);
}

function requireSame(
  address: string,
  found: StoreRecord,
  { kind, rollup }: StoreIdentity,
  raise: RaiseWrongDirectory,
): void {
  const expected = { kind, chainId: rollup?.chainId ?? null, rollupAddress: rollup?.rollupAddress ?? null };
  if (found.kind !== kind) {
    const known = Object.hasOwn(STORE_KINDS, found.kind) ? STORE_KINDS[found.kind as StoreKind].name : null;
    throw raise(
      `${address} is ${known ?? `a store of kind ${JSON.stringify(found.kind)}`}, and this process needs ${STORE_KINDS[kind].name}: name the right directory, or an empty one`,
      { reason: "other-kind", path: address, found, expected },
    );
  }
  const isSameAddress = found.rollupAddress?.toLowerCase() === expected.rollupAddress?.toLowerCase();
  if (found.chainId !== expected.chainId || !isSameAddress) {
    throw raise(
      `${address} belongs to ${rollupText(found)}, and this process was started for ${rollupText(expected)}: name that rollup's own directory, or an empty one; if the deployment record is the wrong one, name the right record`,
      { reason: "other-rollup", path: address, found, expected },
    );
  }
  const deployedIn = rollup?.deployedIn ?? null;
  if (deployedIn !== null && !isSameBlock(found.deploymentBlock, deployedIn.blockHash))
    throw earlierChain(address, found, deployedIn, raise);
  if (found.format !== STORE_KINDS[kind].format) throw formatError(address, found, kind);
}

/**
 * Writes the deployment's block into a record that does not name one. A record that is older than the block is an earlier chain's.
 */
function nameDeployment(
  address: string,
  found: StoreRecord,
  identity: StoreIdentity,
  raise: RaiseWrongDirectory,
): void {
  const deployedIn = identity.rollup?.deployedIn ?? null;
  if (deployedIn === null || found.deploymentBlock !== undefined) return;
  const path = join(address, STORE_FILE);
  if (isBefore(statSync(path).mtimeMs, deployedIn)) throw earlierChain(address, found, deployedIn, raise);
  writeStoreRecord(path, { ...recordOf(identity), version: found.version }, true);
}

/** Difference between the clocks of L1 and of the machine, in milliseconds, that proves nothing. */
const CLOCK_SLACK_MS = 60_000;
/** True if what was written at a time was there before the deployment. */
export const isBefore = (writtenAtMs: number, { timestamp }: DeploymentBlock): boolean =>
  writtenAtMs < timestamp * 1_000 - CLOCK_SLACK_MS;

function earlierChain(
  address: string,
  found: StoreRecord,
  { blockHash }: DeploymentBlock,
  raise: RaiseWrongDirectory,
): RollupError {
  const { deploymentBlock = null } = found;
  const why =
    deploymentBlock === null
      ? "it is older than the deployment"
      : `its rollup was deployed in block ${deploymentBlock}`;
  return raise(
    `${address} belongs to a rollup of the same address on another chain: ${why}, and this process was started for the one that was deployed in block ${blockHash}: name this rollup's own directory, or an empty one`,
    { reason: "other-deployment", path: address, found, expected: { deploymentBlock: blockHash } },
  );
}

const rollupText = ({ chainId, rollupAddress }: Pick<StoreRecord, "chainId" | "rollupAddress">) =>
  rollupAddress === null ? "no rollup" : `rollup ${rollupAddress} on chain ${chainId}`;

function formatError(address: string, found: StoreRecord | null, kind: StoreKind): RollupError {
  const { format, name, remedy } = STORE_KINDS[kind];
  const isNewer = found !== null && found.format > format;
  const reason = found === null ? "no-record" : isNewer ? "newer" : "older";
  const what =
    found === null
      ? `holds data and no ${STORE_FILE}: an earlier version wrote it, or the file was lost`
      : `has format ${found.format}, which version ${found.version} wrote`;
  const todo = isNewer ? `Start version ${found.version} or a later one on it. ${remedy}` : remedy;
  return processErrors.raise(
    "SRV_STORE_FORMAT",
    `${address} ${what}; this version (${SOFTWARE_VERSION}) reads format ${format} of ${name}. ${todo}`,
    { data: { reason, path: address, kind, found: found?.format ?? null, expected: format, remedy: todo } },
  );
}

function hasData(folder: string): boolean {
  if (!existsSync(folder)) return false;
  return readdirSync(folder).some((name) => !NO_DATA.has(name) && !name.startsWith(`${STORE_FILE}.`));
}

function recordOf({ kind, rollup }: StoreIdentity): StoreRecord {
  const block = rollup?.deployedIn?.blockHash.toLowerCase();
  return {
    kind,
    format: STORE_KINDS[kind].format,
    chainId: rollup?.chainId ?? null,
    rollupAddress: rollup?.rollupAddress ?? null,
    ...(block !== undefined && { deploymentBlock: block }),
    version: SOFTWARE_VERSION,
  };
}

/** The first of two processes wins, unless it replaces what is there; durable when it returns. */
function writeStoreRecord(path: string, record: StoreRecord, replaces = false): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true });
  const part = `${path}.${process.pid}.part`;
  try {
    const file = openSync(part, "w");
    try {
      writeSync(file, encodeStoreRecord(record));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    if (replaces) renameSync(part, path);
    else linkOrRename(part, path);
  } finally {
    rmSync(part, { force: true });
  }
  const directory = openSync(folder, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function linkOrRename(part: string, path: string): void {
  try {
    linkSync(part, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    // A file system without hard links.
    renameSync(part, path);
  }
}

const checksumOf = (record: StoreRecord) => crc32(JSON.stringify(record)).toString(16).padStart(8, "0");

export function encodeStoreRecord(record: StoreRecord): string {
  return `${JSON.stringify({ ...record, checksum: checksumOf(record) }, null, 2)}\n`;
}

/** @throws StoreDamage */
export function decodeStoreRecord(text: string): StoreRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new StoreDamage(STORE_FILE, "is no JSON", cause);
  }
  const parsed = recordSchema.extend({ checksum: z.string() }).safeParse(value);
  if (!parsed.success) throw new StoreDamage(STORE_FILE, "is no store's record");
  const { checksum, ...record } = parsed.data;
  if (checksumOf(record) !== checksum) throw new StoreDamage(STORE_FILE, "has the wrong checksum");
  return record;
}
