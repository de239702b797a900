import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeRow } from "@openledger/attribution/rows/row-content";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore, storeContribution } from "@openledger/client/actions/data/row-store";
import { commitVersion } from "@openledger/client/actions/data/version-commitments";
import { hex32 } from "@openledger/foundation/hex";
import { readIndexFile, writeIndexFile } from "@openledger/models/spans/index-file";
import { indexOf } from "@openledger/models/spans/span-index";
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

it("indexes a version of e-mails, finds what an answer has of them, and has it checked by another", async () => {
  const store = await openRowStore(at("rows"));
  const contents = MAILS.map((input, i) => encodeRow("email", { label: i === 2 ? 0 : 1, input }));
  const { digests, rowHashes } = await storeContribution(store, contents);
  const version = commitVersion(
    rowHashes.map((rowHash, i) => ({ rowHash, contributorId: 7 + i, validatorId: 5 })),
  );
  const storedRows = digests.map((digest, i) => ({ digest, contributorId: 7 + i, validatorId: 5 }));
  await storeVersion(store, { rowsRoot: version.rowsRoot, storedRows });

  const index = at("mails.spans");
  const root = ["--rows", store.folder, "--version-root", hex32(version.rowsRoot)];
  const native = await run("datanet", "index", "6", "--out", index, ...root);
  expect(native.answer).toMatchObject({ documentCount: 3, rowText: "email", datanetId: 6 });
  const typescript = await run("datanet", "index", "6", "--out", at("b"), ...root, "--engine", "typescript");
  expect(typescript.answer.root).toBe(native.answer.root);
  expect(await readFile(at("b"))).toEqual(await readFile(index));

  const evidence = at("evidence.json");
  const text = `It says: ${SENTENCE}. Beware!`;
  const found = await run("spans", "--index", index, "--text", text, "--evidence", evidence, "--complete");
  expect(found.answer).toMatchObject({
    root: native.answer.root,
    isComplete: true,
    spans: [{ count: 2, text: SENTENCE }],
  });
  const owners = found.answer.spans[0].sources.map(
    (source: { contributorId: number }) => source.contributorId,
  );
  expect(owners.sort()).toEqual([7, 8]);

  const checked = await run("verify", "spans", evidence, "--root", native.answer.root);
  expect(checked.answer.spans).toEqual(found.answer.spans);
  const json = await readFile(evidence, "utf8");
  await writeFile(evidence, json.replace("Bahamas", "Bahamaz"));
  const changed = await run("verify", "spans", evidence, "--root", native.answer.root);
  expect(changed).toMatchObject({ status: 1, answer: { error: { code: "MOD_SPANS_EVIDENCE_FALSE" } } });

  const cited = at("cited.json");
  await run("spans", "--index", index, "--text", text, "--evidence", cited, "--rows", store.folder);
  const byRows = (file: string, versionRoot = hex32(version.rowsRoot)) =>
    run("verify", "spans", file, "--version-root", versionRoot);
  const present = await byRows(cited);
  expect(present.status).toBe(0);
  const { count: _count, ...span } = found.answer.spans[0];
  expect(present.answer.spans).toEqual([span]);
  expect(await byRows(cited, hex32(version.rowsRoot - 1n))).toMatchObject({ status: 1 });
  // Evidence without rows says nothing by itself.
  expect((await byRows(evidence)).answer.error.code).toBe("MOD_SPANS_EVIDENCE_FALSE");
  const neither = await run("spans", "--index", index);
  expect(neither).toMatchObject({ status: 1, answer: { error: { code: "CMD_USAGE" } } });

  expect((await run("verify", "spans", index)).answer).toMatchObject({ isSound: true, disorder: null });
  const { parts } = await readIndexFile(index);
  const lying = await indexOf({ ...parts, array: parts.array.slice().reverse() });
  await writeIndexFile(index, lying);
  const disorder = at("disorder.json");
  const found2 = await run("verify", "spans", index, "--write", disorder);
  expect(found2).toMatchObject({ status: 1, answer: { isSound: false, written: disorder } });
  const shown = await run("verify", "spans", disorder, "--root", lying.root);
  expect(shown).toMatchObject({ status: 0, answer: { disorder: found2.answer.disorder } });
  expect((await run("verify", "spans", disorder, "--root", native.answer.root)).status).toBe(1);
});
