/** Tests of Rollup.submitBatches with batches in blobs. */
import { BLOB_FIELD_ORDER } from "@openledger/circuits/blob/blob-bytes";
import { encodeOpening, readOpening } from "@openledger/circuits/blob/blob-opening";
import { type BatchShape, KIND } from "@openledger/circuits/protocol";
import { batchSizes } from "@openledger/circuits/registry/circuit-sizes";
import { shapeOf } from "@openledger/circuits/testing/sample-shape";
import { bytesToHex, type Hex, hexToBytes } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CircuitConfig } from "../build/verifying-key.ts";
import { type Anvil, startAnvil } from "../l1/anvil.ts";
import {
  type ClosedBlobBatch,
  closeWithBlob,
  submitWithBlobs,
  tryWithBlobs,
  warmUpKzg,
} from "../testing/blob-batches.ts";
import { connect, deployFixture, type Fixture, revertOf, slot } from "../testing/rollup-fixture.ts";
import { simulateCircuit } from "../testing/test-prover.ts";

const BLOB: BatchShape = {
  narrow: 6,
  wide: 3,
  table: { members: 2, rows: 8, units: 2, low: 3, top: 3, isBlob: true },
};
const SHAPES = [shapeOf(6, 3), BLOB];
// More than a pair: a constant has the same value and the same proof everywhere.
const narrow = [4, 5, 6].map((a) => slot(KIND.transfer, [], { a, b: 7, amountCode: 99n }));
const CONTENT = { shape: BLOB, narrow, signedCount: 3 };

let anvil: Anvil;
let f: Fixture;
let one: ClosedBlobBatch;
beforeAll(async () => {
  anvil = await startAnvil();
  f = await deployFixture(await connect(anvil), {}, SHAPES);
  await warmUpKzg(f);
  one = await closeWithBlob(f, await f.draft(CONTENT));
}, 180_000);
afterAll(() => anvil?.stop());

/** Makes the batch with other posted bytes and an unchanged proof. */
const posting = (data: Uint8Array): ClosedBlobBatch => ({
  ...one,
  batch: { ...one.batch, data: bytesToHex(data) },
});
const wire = () => hexToBytes(one.batch.data);
const opening = (change: Partial<ReturnType<typeof readOpening>>) => {
  const bytes = wire();
  return posting(
    Uint8Array.of(...bytes.subarray(0, -128), ...encodeOpening({ ...readOpening(bytes), ...change })),
  );
};
const NOT_OPENED = { name: "RollupBlobNotOpened" };

describe("a batch in a blob", () => {
  test("is taken with its blob, and not without one or with another", async () => {
    expect(await tryWithBlobs(f, [one])).toMatchObject({ name: "accepted" });
    expect(await tryWithBlobs(f, [one], [])).toEqual({ name: "RollupBlobMissing", args: [0n, true] });
    const other = await closeWithBlob(f, await f.draft({ ...CONTENT, narrow: narrow.slice(1) }));
    expect(await tryWithBlobs(f, [one], [other.versionedHash!])).toMatchObject(NOT_OPENED);
  });

  test("takes the transaction's blobs in their order, each once", async () => {
    const plain = f.close(await f.draft({ after: one.content }));
    const second = await closeWithBlob(
      f,
      await f.draft({ ...CONTENT, narrow: [], signedCount: 0, after: plain.content }),
    );
    const closed = [one, { ...plain, versionedHash: null }, second];
    const hashes = [one.versionedHash!, second.versionedHash!];
    expect(await tryWithBlobs(f, closed)).toMatchObject({ name: "accepted" });
    expect(await tryWithBlobs(f, closed, [...hashes].reverse())).toMatchObject(NOT_OPENED);
    expect(await tryWithBlobs(f, closed, hashes.slice(0, 1))).toEqual({
      name: "RollupBlobMissing",
      args: [1n, true],
    });
    // A blob that no batch takes is nobody's.
    expect(await tryWithBlobs(f, closed, [...hashes, one.versionedHash!])).toMatchObject({
      name: "accepted",
    });
    // Two batches with the same content have two blobs of one name.
    const twin = await closeWithBlob(f, await f.draft({ ...CONTENT, after: one.content }));
    expect(twin.versionedHash).toBe(one.versionedHash);
    expect(await tryWithBlobs(f, [one, twin])).toMatchObject({ name: "accepted" });
    expect(await tryWithBlobs(f, [one, twin], [one.versionedHash!])).toMatchObject({
      name: "RollupBlobMissing",
    });
  });

  test("has to open it at the challenge", async () => {
    const { y, proof, commitment } = readOpening(wire());
    for (const change of [
      { y: y + 1n },
      // The same value once more, above the field's order.
      { y: y + BLOB_FIELD_ORDER },
      { proof: commitment },
      { commitment: proof },
      { commitment: new Uint8Array(48) },
    ])
      expect(await tryWithBlobs(f, [opening(change)]), Object.keys(change)[0]).toMatchObject(NOT_OPENED);
    // The challenge is another where anything before the opening is: then the old opening is of another point.
    const changed = wire();
    changed[31]! ^= 1;
    expect(await tryWithBlobs(f, [posting(changed)])).toMatchObject(NOT_OPENED);
  });

  test("has to be proven with the value that was opened", async () => {
    for (const position of [3, 4]) {
      const draft = await f.draft(CONTENT);
      const wrong = await closeWithBlob(f, draft, (signals) =>
        signals.map((signal, i) => (i === position ? signal + 1n : signal)),
      );
      expect(await tryWithBlobs(f, [wrong])).toMatchObject({ name: "VerifierProofRejected" });
    }
  });

  test("has no narrow slot in its calldata, and all of its opening", async () => {
    const bytes = wire();
    for (const cut of [0, 62, 63, 127, 128, 190, bytes.length - 1])
      expect(await tryWithBlobs(f, [posting(bytes.subarray(0, cut))])).toMatchObject({
        name: "RollupDataLengthInvalid",
      });
    const withPair = Uint8Array.of(...bytes.subarray(0, 63), ...new Uint8Array(23), ...bytes.subarray(63));
    withPair[57] = 1;
    expect(await tryWithBlobs(f, [posting(withPair)])).toEqual({
      name: "RollupNarrowCountExceeded",
      args: [1n, 0n],
    });
  });

  test("comes in a call of the transaction itself", async () => {
    const address = f.roles.sequencer;
    // An account with code may have been called by anybody's transaction (EIP-7702).
    await f.client.setCode({ address, bytecode: "0x00" });
    const answer = await tryWithBlobs(f, [one]);
    await f.client.setCode({ address, bytecode: "0x" });
    expect(answer).toEqual({ name: "RollupBlobMissing", args: [0n, false] });
  });

  test("is on L1 once a transaction with its blob is mined", async () => {
    const { blobGasUsed, receipt } = await submitWithBlobs(f, [one]);
    expect(blobGasUsed).toBe(131_072n);
    const transaction = await f.client.getTransaction({ hash: receipt.transactionHash });
    expect(transaction.blobVersionedHashes as readonly Hex[]).toEqual([one.versionedHash]);
    expect(await f.rollup.read.state()).toMatchObject({
      root: one.content.newRoot,
      batchNumber: 1,
      opIndex: 3,
    });
  });
});

test("a key with a blob has a point for each half of its value", async () => {
  const { key, ...rest } = simulateCircuit(batchSizes(BLOB));
  const deploy = (circuit: CircuitConfig) =>
    revertOf(deployFixture(f.client, { circuits: [circuit], token: f.deployment.token }));
  expect(await deploy({ ...rest, key })).toMatchObject({ name: "accepted" });
  const [a, b, c, d, low, high] = key.ic;
  for (const ic of [
    [a, b, c, d, low, [0n, 0n]],
    [a, b, c, d, [0n, 0n], high],
  ] as const)
    expect(await deploy({ ...rest, key: { ...key, ic } })).toMatchObject({ name: "VerifierKeyInvalid" });
});
