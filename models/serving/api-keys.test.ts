import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { claimStore } from "@openledger/foundation/store/store-identity";
import { expect, it, onTestFinished } from "vitest";
import { ApiKeys, issueKey, readKeys, revokeKey } from "./api-keys.ts";

const order = { name: "mia", requestsPerMinute: 3, tokensPerMinute: 100 };
const silent = { error: () => {} };

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "api-keys-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

it("are not looked for in another process's folder, and none is written there", async () => {
  const folder = freshFolder();
  claimStore(folder, { kind: "factory", rollup: null });
  const refused = expect.objectContaining({ code: "SRV_WRONG_DIRECTORY" });
  await expect(issueKey(folder, order)).rejects.toEqual(refused);
  await expect(revokeKey(folder, "mia")).rejects.toEqual(refused);
  expect(() => new ApiKeys(folder, silent)).toThrowError(refused);
  expect(readdirSync(folder)).toEqual(["STORE.json"]);
});

it("of a version without records are refused: a server that passed over them would serve anybody", async () => {
  const folder = freshFolder();
  writeFileSync(join(folder, "keys.json"), '{"keys":[]}\n');
  const refused = expect.objectContaining({ code: "SRV_STORE_FORMAT" });
  await expect(issueKey(folder, order)).rejects.toEqual(refused);
  expect(() => new ApiKeys(folder, silent)).toThrowError(refused);
});

it("loses none of two commands at once", async () => {
  const folder = freshFolder();
  await issueKey(folder, { ...order, name: "old" });
  const names = ["a", "b", "c"];
  await Promise.all([...names.map((name) => issueKey(folder, { ...order, name })), revokeKey(folder, "old")]);
  expect(
    readKeys(folder)
      ?.map(({ name }) => name)
      .sort(),
  ).toEqual(names);
});

it("whose file is lost do not open the server at its next start; a new key serves its owner alone", async () => {
  const folder = freshFolder();
  expect(new ApiKeys(folder, silent).admit(undefined)).toBeNull();
  await issueKey(folder, order);
  rmSync(join(folder, "keys.json"));
  const refused = expect.objectContaining({ code: "SRV_CONFIG_INVALID" });
  expect(() => new ApiKeys(folder, silent)).toThrowError(refused);
  await expect(revokeKey(folder, "mia")).rejects.toEqual(refused);
  const key = await issueKey(folder, order);
  const keys = new ApiKeys(folder, silent);
  expect(keys.admit(`Bearer ${key}`)?.name).toBe("mia");
  expect(() => keys.admit(undefined)).toThrowError(expect.objectContaining({ code: "SRV_UNAUTHORIZED" }));
});
