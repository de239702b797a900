import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { hashRow } from "@openledger/circuits/ledger/version-rows";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore, type RowStore, storeContribution } from "@openledger/client/actions/data/row-store";
import { nameVersionLabels, storeVersionLabels } from "@openledger/client/actions/data/stored-labels";
import { commitVersion } from "@openledger/client/actions/data/version-commitments";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, expect, test } from "vitest";
import { onlyLabelsRoots, readLabelledRows } from "./labelled-versions.ts";

const owners = { contributorId: 4, validatorId: 5 };
let folder: string;
let store: RowStore;

beforeAll(async () => {
  await initPoseidon();
  folder = await mkdtemp(join(tmpdir(), "labels-"));
  store = await openRowStore(folder);
});
afterAll(() => rm(folder, { recursive: true }));

/** A published version with these texts, in the store. */
async function versionOf(texts: readonly string[]) {
  const contents = texts.map((text) => new TextEncoder().encode(text));
  const { digests } = await storeContribution(store, contents);
  const digestOf = new Map(contents.map((content, i) => [hashRow(content), digests[i]!]));
  const { rows, rowsRoot } = commitVersion(
    contents.map((content) => ({ rowHash: hashRow(content), ...owners })),
    {},
  );
  const storedRows = rows.map(({ rowHash }) => ({ digest: digestOf.get(rowHash)!, ...owners }));
  await storeVersion(store, { rowsRoot, storedRows });
  return { rowsRoot, storedRows };
}

test("a version's only list of labels is found, and of several the error names each and says how to take one", async () => {
  const [first, second] = [await versionOf(["sun", "rain"]), await versionOf(["fog", "snow"])];
  const versions = [
    { id: 10, version: 1, rowsRoot: first.rowsRoot },
    { id: 11, version: 3, rowsRoot: second.rowsRoot },
  ];
  await expect(onlyLabelsRoots(store, versions)).rejects.toMatchObject({
    code: "CMD_USAGE",
    data: { reason: "labels-missing", datanetId: 10 },
  });
  const storeLabels = async (labels: readonly (string | null)[], of = first) => {
    const named = nameVersionLabels(of.storedRows, labels);
    await storeVersionLabels(store, named);
    return named.root;
  };
  const [old, other] = [await storeLabels(["good", null]), await storeLabels(["bad", "good"], second)];
  expect(await onlyLabelsRoots(store, versions)).toEqual([old, other]);
  const newer = await storeLabels(["good", "bad"]);
  const failure = await onlyLabelsRoots(store, versions).catch((error: Error) => error);
  expect(failure).toMatchObject({
    code: "CMD_USAGE",
    data: { reason: "labels-several", datanetId: 10, version: 1 },
  });
  const { message } = failure as Error;
  expect(message).toContain("2 lists of accepted labels of version 1 of datanet 10");
  expect(message).toContain(`${hex32(old)}: 1 of 2 rows labelled`);
  expect(message).toContain(`${hex32(newer)}: 2 of 2 rows labelled`);
  // One root for each Datanet, as the option takes them.
  expect(message).toMatch(new RegExp(`--labels (${hex32(newer)}|${hex32(old)}),${hex32(other)}, one root`));
  const named = versions.map((version, i) => (i === 0 ? { ...version, labelsRoot: newer } : version));
  expect(await onlyLabelsRoots(store, named)).toEqual([newer, other]);
  const rows = await readLabelledRows(store, { rowsRoot: first.rowsRoot, labelsRoot: newer });
  expect(rows.map(({ label }) => label)).toEqual(["good", "bad"]);
});
