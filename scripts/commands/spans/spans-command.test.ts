import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore, storeContribution } from "@openledger/client/actions/data/row-store";
import { commitVersion } from "@openledger/client/actions/data/version-commitments";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { runProgram } from "../program.ts";

const SENTENCE = 'you have won a "free" cruise\nto the Bahamas';
const MAILS = [`Hello\n${SENTENCE}, click`, `Re: hi\n${SENTENCE}!`, "Subject\nan honest mail about work"];
let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "spans-command-"));
  await initPoseidon();
});
afterAll(() => rm(folder, { recursive: true }));

/** The command's answer as JSON, and its exit status. */
async function run(...args: string[]) {
  let text = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((part) => {
    text += String(part);
    return true;
  });
  try {
    await runProgram(["--json", ...args]);
  } finally {
    write.mockRestore();
  }
  const status = Number(process.exitCode ?? 0);
  process.exitCode = 0;
  return { status, answer: JSON.parse(text) };
}

it("indexes a version of e-mails, and finds what an answer has of them", async () => {
  const store = await openRowStore(at("rows"));
  const contents = MAILS.map((text) => new TextEncoder().encode(text));
  const { digests, rowHashes } = await storeContribution(store, contents);
  const version = commitVersion(
    rowHashes.map((rowHash, i) => ({ rowHash, contributorId: 7 + i, validatorId: 5 })),
  );
  const storedRows = digests.map((digest, i) => ({ digest, contributorId: 7 + i, validatorId: 5 }));
  await storeVersion(store, { rowsRoot: version.rowsRoot, storedRows });

  const index = at("mails.spans");
  const root = ["--rows", store.folder, "--version-root", hex32(version.rowsRoot)];
  const made = await run("datanet", "index", "6", "--out", index, ...root);
  expect(made.answer).toMatchObject({ documentCount: 3, rowText: "plain", datanetId: 6 });

  const text = `It says: ${SENTENCE}. Beware!`;
  const found = await run("spans", "--index", index, "--text", text);
  expect(found.answer).toMatchObject({
    rowsRoot: hex32(version.rowsRoot),
    spans: [{ count: 2, text: SENTENCE }],
  });
  const owners = found.answer.spans[0].sources.map((source: { contributorId: number; digest: string }) => [
    source.contributorId,
    source.digest,
  ]);
  expect(owners.sort()).toEqual([
    [7, digests[0]],
    [8, digests[1]],
  ]);
  const fewer = await run("spans", "--index", index, "--text", text, "--sources", "1");
  expect(fewer.answer.spans[0].sources).toHaveLength(1);
  const neither = await run("spans", "--index", index);
  expect(neither).toMatchObject({ status: 1, answer: { error: { code: "CMD_USAGE" } } });
});
