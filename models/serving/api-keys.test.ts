import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { claimStore } from "@openledger/foundation/store/store-identity";
import { expect, it, onTestFinished } from "vitest";
import { ApiKeys, issueKey, revokeKey } from "./api-keys.ts";

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
