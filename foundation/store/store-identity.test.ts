import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { checkedJson } from "./checked-json.ts";
import { CheckedLevel } from "./checked-level.ts";
import { claimStore, readStoreRecord, STORE_FILE, type StoreIdentity } from "./store-identity.ts";

const OWN = {
  kind: "bridge",
  rollup: { chainId: 31337, rollupAddress: "0x00000000000000000000000000000000000000a1" },
} satisfies StoreIdentity;

function freshPath(): string {
  const parent = mkdtempSync(join(tmpdir(), "store-identity-"));
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  return join(parent, "store");
}

const REMEDIES = { locked: "one", corrupt: "two", failed: "three" };
const openLevel = (path: string, identity: StoreIdentity) =>
  CheckedLevel.open(path, { identity, valueEncoding: checkedJson, remedies: REMEDIES });

it("writes the record of a new store before LevelDB has written anything", async () => {
  const path = freshPath();
  claimStore(path, OWN);
  expect(readdirSync(path)).toEqual([STORE_FILE]);
  const version = expect.stringMatching(/^\d+\.\d+\.\d+$/);
  expect(readStoreRecord(path)).toEqual({ kind: "bridge", format: 1, ...OWN.rollup, version });
  await (await openLevel(path, OWN)).close();
});

it("takes a folder for new that holds what file systems and LevelDB put there", () => {
  const path = freshPath();
  mkdirSync(join(path, "lost+found"), { recursive: true });
  for (const name of ["LOCK", "LOG", `${STORE_FILE}.17.part`]) writeFileSync(join(path, name), "");
  claimStore(path, OWN);
  expect(readStoreRecord(path)).toMatchObject(OWN.rollup);
});

it("refuses data without a record, and a record that is not as it was written", () => {
  const path = freshPath();
  mkdirSync(path);
  writeFileSync(join(path, "CURRENT"), "");
  expect(() => claimStore(path, OWN)).toThrowError(
    expect.objectContaining({
      code: "SRV_STORE_FORMAT",
      data: expect.objectContaining({ reason: "no-record" }),
    }),
  );
  expect(existsSync(join(path, STORE_FILE))).toBe(false);
  for (const text of ["", "{", "{}", '{"kind":"bridge"}']) {
    writeFileSync(join(path, STORE_FILE), text);
    expect(() => claimStore(path, OWN), text).toThrowError(
      expect.objectContaining({ code: "SRV_STORE_CORRUPT" }),
    );
  }
});

it("leaves an empty folder to the process that came first", () => {
  const path = freshPath();
  claimStore(path, OWN);
  const other = { ...OWN, rollup: { ...OWN.rollup, chainId: 1 } };
  expect(() => claimStore(path, other)).toThrowError(
    expect.objectContaining({ code: "SRV_WRONG_DIRECTORY" }),
  );
  claimStore(path, OWN);
});

it("opens no LevelDB for another owner than the one that made it", async () => {
  const path = freshPath();
  await (await openLevel(path, OWN)).close();
  await expect(openLevel(path, { ...OWN, kind: "factory" })).rejects.toMatchObject({
    code: "SRV_WRONG_DIRECTORY",
    data: { reason: "other-kind" },
  });
  await expect(openLevel(path, { ...OWN, rollup: null })).rejects.toMatchObject({
    code: "SRV_WRONG_DIRECTORY",
  });
});

it("compares kind and format alone where the store serves any rollup", () => {
  const path = freshPath();
  claimStore(path, { kind: "bridge", rollup: null });
  claimStore(path, { kind: "bridge", rollup: null });
  expect(() => claimStore(path, OWN)).toThrowError(expect.objectContaining({ code: "SRV_WRONG_DIRECTORY" }));
});
