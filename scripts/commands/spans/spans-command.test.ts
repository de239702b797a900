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

it("finds what an answer has of the e-mails of a version in the store", async () => {
  const store = await openRowStore(at("rows"));
  const contents = MAILS.map((text) => new TextEncoder().encode(text));
  const { digests, rowHashes } = await storeContribution(store, contents);
  const version = commitVersion(
    rowHashes.map((rowHash, i) => ({ rowHash, contributorId: 7 + i, validatorId: 5 })),
  );
  const storedRows = digests.map((digest, i) => ({ digest, contributorId: 7 + i, validatorId: 5 }));
  await storeVersion(store, { rowsRoot: version.rowsRoot, storedRows });

  const where = ["--rows", store.folder, "--version-root", hex32(version.rowsRoot)];
  const text = `It says: ${SENTENCE}. Beware!`;
  const found = await run("spans", "6", ...where, "--text", text);
  expect(found.answer).toMatchObject({
    datanetId: 6,
    rowsRoot: hex32(version.rowsRoot),
    rowCount: 3,
    searchedRowCount: 3,
    spans: [{ rowCount: 2, text: SENTENCE }],
  });
  const owners = found.answer.spans[0].sources.map((source: { contributorId: number; digest: string }) => [
    source.contributorId,
    source.digest,
  ]);
  expect(owners.sort()).toEqual([
    [7, digests[0]],
    [8, digests[1]],
  ]);
  const neither = await run("spans", "6", ...where);
  expect(neither).toMatchObject({ status: 1, answer: { error: { code: "CMD_USAGE" } } });
});

it("refuses indexes by name, wherever earlier versions took one", async () => {
  for (const words of [
    ["datanet", "index", "10", "--out", "mails.spans"],
    ["spans", "--index", "mails.spans", "--text", "some words"],
    ["models", "serve", "speeches", "--model", "16", "--spans", "mails.spans"],
  ])
    expect(await run(...words), words.join(" ")).toMatchObject({
      status: 1,
      answer: { error: { code: "CMD_SPAN_INDEX_GONE" } },
    });
});
