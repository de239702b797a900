import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashTagged, initPoseidon } from "@openledger/circuits/field/poseidon";
import { TAG } from "@openledger/circuits/protocol";
import { hex32 } from "@openledger/foundation/hex";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { collectVersion } from "../../datanets/contribute-rows.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { type FakeSequencer, startFakeSequencer } from "../../testing/fake-sequencer.ts";
import { listCommits } from "./list-commits.ts";
import { readVersionRows, storeVersion } from "./published-version.ts";
import { openRowStore, type RowStore, storeContribution } from "./row-store.ts";
import { verifyVersion } from "./verify-version.ts";

const DATANET = 6;
const bytes = (text: string) => new TextEncoder().encode(text);

let folder: string;
let store: RowStore;
let sequencer: FakeSequencer;
let client: LedgerClient;

beforeAll(initPoseidon);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "version-"));
  store = await openRowStore(folder);
  sequencer = await startFakeSequencer();
  client = { sequencerUrl: sequencer.url, requestTimeoutMs: 5000 } as LedgerClient;
});
afterEach(async () => {
  await sequencer.close();
  await rm(folder, { recursive: true });
});

/** Commits to the datanet, in order, with the sequencer's answers about them. */
async function commit(
  commits: readonly { by: number; rows: readonly string[] }[],
  publishedAfter?: number,
): Promise<void> {
  let chain = 0n;
  const operations = [];
  if (publishedAfter !== undefined) {
    const publication = { kind: "publishVersion", a: DATANET, b: 0, amountCode: "0", words: [], nonce: 0 };
    operations.push({
      ...publication,
      hash: hex32(99n),
      status: "posted",
      opIndex: 2 * publishedAfter - 1,
    });
  }
  for (const [i, { by, rows }] of commits.entries()) {
    const { rowsRoot, rowCount } = await storeContribution(store, rows.map(bytes));
    chain = hashTagged(TAG.commit, [chain, rowsRoot, BigInt(by) | (BigInt(rowCount) << 24n)]);
    operations.push({
      hash: hex32(BigInt(i + 1)),
      kind: "commitData",
      a: by,
      b: DATANET,
      amountCode: String(rowCount),
      words: [hex32(rowsRoot)],
      nonce: i,
      status: "posted",
      opIndex: 2 * i,
    });
  }
  sequencer.answers.set(`GET /v1/operations?leaf=${DATANET}&limit=200`, {
    ...{ operations: operations.reverse(), nextBefore: null },
    ...{ isComplete: true, prunedBeforeMs: null },
  });
  answerDatanet({ chain, rowsRoot: 0n });
}

let committedChain = 0n;
function answerDatanet({ chain = committedChain, rowsRoot }: { chain?: bigint; rowsRoot: bigint }): void {
  committedChain = chain;
  sequencer.answers.set(`GET /v1/leaves/${DATANET}`, {
    id: DATANET,
    kind: "datanet",
    nonce: 0,
    nextNonce: 0,
    l1Owner: `0x${"1".repeat(40)}`,
    keyX: "0x1",
    balanceWei: "0",
    chain: hex32(chain),
    openAmountWei: "0",
    counters: {},
    datanet: {
      version: 1,
      rowCount: rowsRoot === 0n ? 0 : 1,
      publishedAt: 1,
      policy: "0x0",
      rowsRoot: hex32(rowsRoot),
      ownersCommitment: "0x0",
      payeeRoot: "0x0",
    },
  });
}

async function publish(validatorId: Parameters<typeof collectVersion>[1]["validatorId"]) {
  const version = await collectVersion(client, {
    datanetId: DATANET,
    store,
    validatorId,
    shard: { rows: 100, payees: 512 },
  });
  await storeVersion(store, version);
  answerDatanet({ rowsRoot: version.rowsRoot });
  return version;
}

describe("verifyVersion", () => {
  const commits = [
    { by: 3, rows: ["a", "b"] },
    { by: 4, rows: ["b", "c", "d"] },
  ];

  it("finds every row kept or repeated in a version of everything, and its contents in the store", async () => {
    await commit(commits);
    const version = await publish(9);
    expect(version.rowCount).toBe(4);
    const result = await verifyVersion(client, { datanetId: DATANET, store });
    expect(result).toMatchObject({ committedCount: 5, keptCount: 4, foreign: [], firstDifference: null });
    expect(result.exceptions).toMatchObject([{ fate: "repeated", contributorId: 4, rowIndex: 0 }]);
    const rows = await readVersionRows(store, version.rowsRoot);
    expect(rows.map(({ content }) => new TextDecoder().decode(content))).toEqual(["a", "b", "c", "d"]);
    expect(rows.map(({ contributorId }) => contributorId)).toEqual([3, 3, 4, 4]);
  });

  it("lists what nobody vouches for, and does not give a row that is left out to who committed it later", async () => {
    await commit(commits);
    await publish(({ contributorId }) => (contributorId === 3 ? null : 9));
    const { exceptions, firstDifference } = await verifyVersion(client, { datanetId: DATANET, store });
    expect(exceptions.map(({ fate, contributorId }) => [fate, contributorId])).toEqual([
      ["dropped", 3],
      ["dropped", 3],
      ["repeated", 4],
    ]);
    expect(firstDifference).toBe("row 1 of commit 0 by leaf 3 is not in the version");
  });

  it("does not hold rows against a version that were committed after it", async () => {
    await commit(commits.slice(0, 1), 1);
    const { rowsRoot } = await publish(9);
    await commit(commits, 1);
    answerDatanet({ rowsRoot });
    const { exceptions, firstDifference } = await verifyVersion(client, { datanetId: DATANET, store });
    expect(exceptions.map(({ fate }) => fate)).toEqual(["repeated", "later", "later"]);
    expect(firstDifference).toBeNull();
  });

  it("names a row that was given to somebody else, and one that nobody has committed", async () => {
    await commit(commits);
    const version = await collectVersion(client, {
      datanetId: DATANET,
      store,
      validatorId: 9,
      shard: { rows: 100, payees: 512 },
    });
    const { digests } = await storeContribution(store, [bytes("foreign")]);
    const { commitVersion } = await import("./version-commitments.ts");
    const { digestToField } = await import("@openledger/circuits/ledger/version-rows");
    const changed = [
      ...version.storedRows.map((row, i) => (i === 0 ? { ...row, contributorId: 4 } : row)),
      { digest: digests[0]!, contributorId: 5, validatorId: 9 },
    ];
    const hashed = changed.map((row) => ({ ...row, rowHash: digestToField(Buffer.from(row.digest, "hex")) }));
    const again = commitVersion(hashed);
    const storedRows = again.rows.map((row) => changed[hashed.findIndex((h) => h.rowHash === row.rowHash)]!);
    await storeVersion(store, { rowsRoot: again.rowsRoot, storedRows });
    answerDatanet({ rowsRoot: again.rowsRoot });
    const result = await verifyVersion(client, { datanetId: DATANET, store });
    expect(result.firstDifference).toBe("row 1 of commit 0 by leaf 3 is leaf 4's in the version");
    expect(result.foreign).toEqual(digests);
  });

  it("leaves a published row with whom it names, where the rows of an earlier commit come afterwards", async () => {
    await commit([
      { by: 3, rows: ["a", "b"] },
      { by: 4, rows: ["b", "c", "d"] },
    ]);
    // The first commit's rows are not here yet.
    const { digests, rowsRoot } = await storeContribution(store, ["a", "b"].map(bytes));
    await rm(join(store.folder, `contributions/${hex32(rowsRoot).slice(2)}.json`));
    const version = await publish(9);
    expect([version.rowCount, version.passedOver.map(({ contributorId }) => contributorId)]).toEqual([
      3,
      [3],
    ]);
    const before = await verifyVersion(client, { datanetId: DATANET, store });
    expect(before).toMatchObject({ keptCount: 3, passedOver: [{ contributorId: 3 }], firstDifference: null });
    await storeContribution(store, ["a", "b"].map(bytes));
    const shard = { rows: 100, payees: 512 };
    const next = await collectVersion(client, { datanetId: DATANET, store, validatorId: 9, shard });
    const owners = new Map(next.storedRows.map((row) => [row.digest, row.contributorId]));
    expect(digests.map((digest) => owners.get(digest))).toEqual([3, 4]);
    expect(next).toMatchObject({ rowCount: 4, passedOver: [], lost: [] });
    const after = await verifyVersion(client, { datanetId: DATANET, store });
    expect(after.exceptions.map(({ fate, contributorId }) => [fate, contributorId])).toEqual([
      ["dropped", 3],
      ["overtaken", 3],
    ]);
  });

  it("refuses a list of commits that is not the datanet's, and a version whose list is another", async () => {
    await commit(commits);
    const { rowsRoot } = await publish(9);
    await storeVersion(store, { rowsRoot, storedRows: [] });
    await expect(verifyVersion(client, { datanetId: DATANET, store })).rejects.toMatchObject({
      code: "CLI_ROWS_MISSING",
    });
    answerDatanet({ chain: 1n, rowsRoot });
    await expect(collectVersion(client, { datanetId: DATANET, store, validatorId: 9 })).rejects.toMatchObject(
      {
        code: "CLI_COMMITS_INCOMPLETE",
      },
    );
  });

  it("refuses a history whose first version the sequencer has pruned, since the others would be numbered wrongly", async () => {
    await commit(commits);
    const { rowsRoot } = await publish(9);
    answerDatanet({ rowsRoot });
    expect(await listCommits(client, DATANET)).toHaveLength(commits.length);
    const route = `GET /v1/operations?leaf=${DATANET}&limit=200`;
    const cut = { ...(sequencer.answers.get(route) as object), isComplete: false, prunedBeforeMs: 1 };
    sequencer.answers.set(route, cut);
    await expect(listCommits(client, DATANET)).rejects.toMatchObject({ code: "CLI_COMMITS_INCOMPLETE" });
  });
});
