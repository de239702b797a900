/** Refusals that every owner of a store makes before it changes anything, for the tests of all stores. */
import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import {
  decodeStoreRecord,
  encodeStoreRecord,
  readStoreRecord,
  replaceStoreRecord,
  STORE_FILE,
  type StoreIdentity,
  type StoreRollup,
} from "../store/store-identity.ts";
import { STORE_KINDS, type StoreKind } from "../store/store-kinds.ts";

export interface RefusedStores {
  /** Opens the store in a process's folder for a rollup, creates it if it is missing, and closes it. */
  readonly open: (folder: string, rollup: StoreRollup) => Promise<void>;
  readonly kind: StoreKind;
  /** Folder of the record, relative to the process's folder. */
  readonly recordIn?: string;
  readonly rollup: StoreRollup;
  /** The owner's code for a directory that is not its own. */
  readonly code: string;
  /** A folder as a version without records wrote it. */
  readonly formatless: string;
  /** Folder that does not exist yet. */
  readonly folder: string;
}

/** Tries another rollup's folder, another chain's, another kind's, an older, a newer and a format without a record. */
export async function expectRefusals(stores: RefusedStores): Promise<void> {
  const { code, folder, kind, open, recordIn = "", rollup } = stores;
  await open(folder, rollup);
  const address = join(folder, recordIn);
  const record = readStoreRecord(address);
  expect(record).toMatchObject({ kind, format: STORE_KINDS[kind].format, ...rollup });
  const refused = async (at: string, other: StoreRollup, expected: object, what: string) => {
    const before = digestOf(at);
    await expect(open(at, other), what).rejects.toMatchObject(expected);
    await expect(open(at, other), `${what}, again`).rejects.toMatchObject(expected);
    expect(digestOf(at), `${what}: nothing is written`).toBe(before);
  };
  const otherRollup = { ...rollup, rollupAddress: "0x00000000000000000000000000000000000000b2" };
  const names = expect.stringMatching(
    new RegExp(`${rollup.rollupAddress}.*${otherRollup.rollupAddress}`, "s"),
  );
  await refused(
    folder,
    otherRollup,
    { code, message: names, data: { reason: "other-rollup" } },
    "another rollup",
  );
  const otherChain = { ...rollup, chainId: rollup.chainId + 1 };
  await refused(folder, otherChain, { code, data: { reason: "other-rollup" } }, "another chain");

  // A chain that began anew has a rollup at the same address.
  const deployed = `${folder}.deployed`;
  const inBlock = (digit: string, timestamp = 1) => ({
    ...rollup,
    deployedIn: { blockHash: `0x${digit.repeat(64)}`, timestamp },
  });
  await open(deployed, inBlock("a"));
  const earlier = { code, data: { reason: "other-deployment" } };
  await refused(deployed, inBlock("b"), earlier, "another deployment");
  await open(deployed, inBlock("a"));
  await open(deployed, rollup);
  rmSync(deployed, { recursive: true });
  // A record of an earlier version takes the block on, unless it is older than that.
  const unnamed = `${folder}.unnamed`;
  await open(unnamed, rollup);
  await refused(unnamed, inBlock("a", Date.now() / 1_000 + 3_600), earlier, "a record before the deployment");
  await open(unnamed, inBlock("a"));
  await refused(unnamed, inBlock("b"), earlier, "another deployment than the one that it took on");
  rmSync(unnamed, { recursive: true });

  const otherKind = kind === "bridge" ? "factory" : "bridge";
  const changed = async (identity: StoreIdentity, format: number | null, expected: object, what: string) => {
    const copy = `${folder}.changed`;
    cpSync(folder, copy, { recursive: true });
    replaceStoreRecord(join(copy, recordIn), identity);
    if (format !== null) setFormat(join(copy, recordIn), format);
    await refused(copy, rollup, expected, what);
    rmSync(copy, { recursive: true });
  };
  await changed({ kind: otherKind, rollup }, null, { code, data: { reason: "other-kind" } }, "another kind");
  const { format } = STORE_KINDS[kind];
  const own = { kind, rollup };
  const formatError = (reason: string) => ({
    code: "SRV_STORE_FORMAT",
    message: expect.stringContaining("docs/how-to/upgrade.md"),
    data: { reason },
  });
  await changed(own, format - 1, formatError("older"), "an older format");
  await changed(own, format + 1, formatError("newer"), "a newer format");
  const old = `${folder}.old`;
  cpSync(stores.formatless, old, { recursive: true });
  await refused(old, rollup, formatError("no-record"), "a format without a record");

  await open(folder, { ...rollup, rollupAddress: rollup.rollupAddress.toUpperCase().replace("0X", "0x") });
  expect(readStoreRecord(address)).toEqual(record);
}

/** Sets the format of a record, as a version that writes that one would have. */
function setFormat(folder: string, format: number): void {
  const path = join(folder, STORE_FILE);
  const text = readFileSync(path, "utf8");
  writeFileSync(path, encodeStoreRecord({ ...decodeStoreRecord(text), format }));
}

function digestOf(folder: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder, { recursive: true }).map(String).sort()) {
    const path = join(folder, name);
    hash.update(`${name}\n`);
    if (statSync(path).isFile()) hash.update(readFileSync(path));
  }
  return hash.digest("hex");
}
