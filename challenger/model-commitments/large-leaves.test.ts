/** Leaves of a statement as large as there may be: what refutes each has room in a transaction. */

import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { beforeAll, expect, test } from "vitest";
import { type CommittedModel, LEAF_POINTS, type Leaves, withTrees } from "../statements/committed-model.ts";
import { mapPlaces } from "../statements/direct-model-commitment.ts";
import { inputFaults } from "../statements/find-faults.ts";
import { pairBytes } from "../statements/leaf-bytes.ts";
import { shownLeaf, statementTuple } from "../statements/model-commitment-calls.ts";
import { directChallengeData } from "./direct-calls.ts";
import { startDisputes } from "./testing/dispute-fixture.ts";

const [ROWS, BUCKETS] = [2_048, 4_096];
/** Tree.Inputs, and a leaf of it. */
const [INPUTS, BUCKET] = [5, 5];
/** The longest leaf that answers a data-availability challenge; geth takes no larger transaction. */
const [LEAF_BYTES, TRANSACTION_BYTES] = [8 * (BUCKETS + 1), 131_072];
const f = started(() => startDisputes({ mostRows: ROWS }));

beforeAll(() => initPoseidon());

const bytesOf = (length: number) => new Uint8Array(length).fill(255);
const WIDTH = BUCKETS + 1;

/** Of rows without words, whose inputs name at one bucket rows that there are not. @param terms buckets that are not the base's */
function namingRowsBeyond(terms = BUCKETS, featureBytes = 0): CommittedModel {
  const listOf = (count: number, bytes: number) => new Array<Uint8Array>(count).fill(bytesOf(bytes));
  const beyond = Array.from({ length: LEAF_BYTES / 4 }, (_, i) => [ROWS + i, 1] as const);
  const { digestCount } = mapPlaces(terms + 1, WIDTH);
  const leaves: Leaves = {
    rows: listOf(ROWS, 32),
    tokens: listOf(ROWS, 0),
    facts: listOf(ROWS, 32),
    features: listOf(ROWS + 1, featureBytes),
    map: listOf(2 * terms + 5, 0)
      .with(0, bytesOf(128))
      .with(-1, bytesOf(32 * digestCount)),
    inputs: listOf(terms, 0).with(BUCKET, pairBytes(beyond)),
    weights: listOf(1, 8 * (terms + 1)),
    columns: listOf(WIDTH, 0),
    points: listOf(Math.ceil(WIDTH / LEAF_POINTS), 0),
  };
  const shape = 3_072n + BigInt(BUCKETS / 16);
  return withTrees(leaves, {
    ...{ modelId: 11, staticsHash: 1n, rowsRoot: 2n, answering: 3n, ownersCommitment: 4n, payeeRoot: 5n },
    binding: (shape << 115n) | (BigInt(ROWS) << 56n) | (1n << 24n) | 3n,
    ...{ split: 0n, rowCount: ROWS, bucketCount: terms, columnCount: WIDTH, decay: 1n << 30n },
    ...{ clipLength: 0, clipQuantile: 1n << 40n, sharesDuplicates: false },
  });
}

test("the largest model commitment, and a column of its inputs that names rows which there are not", async () => {
  const posted = namingRowsBeyond();
  const id = await f.post(posted);
  const { gasUsed, transactions } = await f.client.getBlock({ includeTransactions: true });
  expect(gasUsed).toBeLessThan(12_582_912n);
  expect(transactions[0]!.input.length / 2 - 1).toBeLessThan(TRANSACTION_BYTES - 512);
  // It answers whoever asks for it.
  await f.send(f.stranger, "challengeAvailability", [id, INPUTS, BigInt(BUCKET)], 10n ** 18n);
  const shown = [shownLeaf(posted, "inputs", BUCKET)];
  await f.send(f.owner, "answer", [id, statementTuple(posted.statement), shown]);

  const rows = posted.leaves.rows.map(() => ({ counts: [], terms: 0, label: 0 }) as never);
  const faults = [...inputFaults({ posted, rows, facts: [], weights: null })];
  expect(faults).toEqual([{ kind: "input", row: 0, bucket: BUCKET }]);
  const [first] = faults;
  const data = directChallengeData(id, posted, [], first!);
  expect(data.length / 2 - 1).toBeLessThan(TRANSACTION_BYTES - 512);
  const hash = await f.client.sendTransaction({
    ...{ account: f.watcher, to: f.disputes.address, data, gas: 12_600_000n },
  } as never);
  expect((await f.client.getTransactionReceipt({ hash })).status).toBe("success");
  expect((await f.disputes.read.modelCommitments([id]))[2]).toBe(true);
});

test("a false base of the largest model commitment is refuted with a quarter of a transaction's room to spare", async () => {
  const posted = namingRowsBeyond(BUCKETS - 10, 2 * WIDTH);
  const id = await f.post(posted);
  const data = directChallengeData(id, posted, [], { kind: "base", row: ROWS - 1, column: BUCKETS - 1 });
  expect(data.length / 2 - 1).toBeLessThan(0.75 * TRANSACTION_BYTES);
  const hash = await f.client.sendTransaction({
    ...{ account: f.watcher, to: f.disputes.address, data, gas: 12_582_912n },
  } as never);
  const { gasUsed, status } = await f.client.getTransactionReceipt({ hash });
  console.log({ base: gasUsed });
  expect(status).toBe("success");
  expect((await f.disputes.read.modelCommitments([id]))[2]).toBe(true);
});
