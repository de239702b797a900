import { checkedCoefficients } from "@openledger/bridge/blobs/checked-blob";
import { type BlobServer, serveBlobs } from "@openledger/bridge/testing/blob-server";
import type { BatchData } from "@openledger/circuits/batch/batch-data";
import { BLOB_FIELD_ORDER, encodeBlob } from "@openledger/circuits/blob/blob-bytes";
import { blobElements } from "@openledger/circuits/blob/blob-elements";
import { readOpening } from "@openledger/circuits/blob/blob-opening";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { type BatchShape, KIND, kindRule } from "@openledger/circuits/protocol";
import type { LedgerBatch } from "@openledger/client/sequencer/sequencer-schemas";
import { type Anvil, startAnvil } from "@openledger/contracts/l1/anvil";
import { closeWithBlob, submitWithBlobs, warmUpKzg } from "@openledger/contracts/testing/blob-batches";
import {
  connect,
  deployFixture,
  depositNewSlot,
  OPEN,
  SHAPES,
  slot,
} from "@openledger/contracts/testing/rollup-fixture";
import { toSnarkjsKey } from "@openledger/prover/formats/verification-key";
import { verifierKey } from "@openledger/verifier/replay/verify-keys";
import { createPublicClient, custom, hexToBytes, http } from "viem";
import { foundry } from "viem/chains";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { BlobTask } from "../../blobs/blob-messages.ts";
import { PageBlobs } from "../../blobs/page-blobs.ts";
import { type BatchToCheck, checkBatch } from "./check-batch.ts";
import type { CheckStep } from "./check-steps.ts";

let anvil: Anvil;
let l1: Awaited<ReturnType<typeof deployFixture>>;
const BLOB: BatchShape = {
  narrow: 6,
  wide: 3,
  table: { members: 2, rows: 8, units: 2, low: 3, top: 3, isBlob: true },
};
/**
 * Three batches: of a deposit, an empty one, and one whose operations stand in a blob. Real calldata and a real blob in a
 * real contract; the proofs are of known trapdoors.
 */
const posted: { content: BatchData; transactionHash: `0x${string}` }[] = [];

beforeAll(async () => {
  await initPoseidon();
  anvil = await startAnvil();
  l1 = await deployFixture(await connect(anvil), {}, [...SHAPES, BLOB]);
  await warmUpKzg(l1);
  await l1.depositNew("alice", OPEN);
  const { alice } = l1.roles;
  for (const isFirst of [true, false]) {
    const { oldNextId } = await l1.l1Header();
    const deposit = depositNewSlot(OPEN, alice, 5n, alice, { b: oldNextId });
    const content = await l1.draft(isFirst ? { newNextId: oldNextId + 1, wide: [deposit] } : {});
    const closed = l1.close(content);
    const { transactionHash } = await l1.submit([closed]);
    posted.push({ content, transactionHash });
  }
  const narrow = [4, 5].map((a) => slot(KIND.transfer, [], { a, b: 7, amountCode: 99n }));
  inBlob = await closeWithBlob(l1, await l1.draft({ shape: BLOB, narrow, signedCount: 2 }));
  const { receipt } = await submitWithBlobs(l1, [inBlob]);
  posted.push({ content: inBlob.content, transactionHash: receipt.transactionHash });
}, 300_000);
afterAll(() => anvil?.stop());

let inBlob: Awaited<ReturnType<typeof closeWithBlob>>;
const archives: BlobServer[] = [];
afterEach(() => Promise.all(archives.splice(0).map((archive) => archive.close())));

/** Blob reader of the page, its worker in this thread. @param answer of the server's archive */
async function pageBlobs(answer: Uint8Array | number): Promise<PageBlobs> {
  const archive = await serveBlobs(() => answer);
  archives.push(archive);
  return new PageBlobs({
    archives: [archive.url],
    remedy: "ask another server",
    startWorker: async () => {
      const worker: Pick<Worker, "onmessage" | "postMessage" | "terminate"> = {
        onmessage: null,
        async postMessage({ bytes, versionedHash }: BlobTask) {
          const coefficients = await checkedCoefficients(bytes, versionedHash);
          worker.onmessage!.call(
            worker as Worker,
            { data: { kind: "checked", coefficients } } as MessageEvent,
          );
        },
        terminate() {},
      };
      return worker as Worker;
    },
  });
}

/** Batch as the operator's server shows it. */
function shown(index: number): LedgerBatch {
  const { content, transactionHash } = posted[index]!;
  return {
    number: index + 1,
    status: "posted",
    oldRoot: content.oldRoot,
    newRoot: content.newRoot,
    feePerUnitWei: content.feePerUnitWei,
    records: [...content.narrow, ...content.wide].map((record, slot) => ({
      ...record,
      slot,
      words: [...record.words],
      kind: kindRule(record.kind)!.name,
    })),
    l1TransactionHash: transactionHash,
    gasUsed: null,
  };
}

/** @param alter changes the Ethereum node's answer, as text */
async function check(
  index: number,
  {
    alter,
    ...overrides
  }: Partial<BatchToCheck> & { alter?: (answer: string, method: string) => string } = {},
): Promise<Record<string, CheckStep>> {
  const node = http(anvil.url)({ chain: foundry });
  const request = async ({ method, params }: { method: string; params?: unknown }) => {
    const answer: unknown = await node.request({ method, params } as never);
    return alter === undefined ? answer : JSON.parse(alter(JSON.stringify(answer), method));
  };
  const keys = l1.circuits.map((circuit, at) => ({
    ...circuit,
    key: toSnarkjsKey(verifierKey({ ...circuit, index: at })),
  }));
  const steps: Record<string, CheckStep> = {};
  const question = {
    client: createPublicClient({ chain: foundry, transport: custom({ request }, { retryCount: 0 }) }),
    rollupAddress: l1.deployment.rollup,
    batch: shown(index),
    keys,
    transactionBefore: index === 0 ? null : posted[index - 1]!.transactionHash,
    blobs: await pageBlobs(404),
    ...overrides,
  };
  await checkBatch(question as BatchToCheck, (step) => {
    steps[step.name] = step;
  });
  return steps;
}

const statesOf = (steps: Record<string, CheckStep>) =>
  Object.fromEntries(Object.values(steps).map(({ name, state }) => [name, state]));

const ALL_DONE = {
  found: "done",
  key: "done",
  data: "done",
  shown: "done",
  commitment: "done",
  challenge: "done",
  proof: "done",
};

/** Flips a bit of the transaction's input, a number of hex digits before its end. */
const flipInput = (fromEnd: number) => (answer: string, method: string) =>
  method !== "eth_getTransactionByBlockHashAndIndex"
    ? answer
    : answer.replace(/"input":"(0x[0-9a-f]+)"/, (_, input: string) => {
        const at = input.length - fromEnd;
        const digit = (Number.parseInt(input[at]!, 16) ^ 1).toString(16);
        return `"input":"${input.slice(0, at)}${digit}${input.slice(at + 1)}"`;
      });

test("holds for what the contract has taken", async () => {
  expect(statesOf(await check(0))).toEqual(ALL_DONE);
  expect(statesOf(await check(1))).toEqual(ALL_DONE);
});

test("says that the proof is not one of the data", async () => {
  const steps = await check(0, { alter: flipInput(1) });
  expect(statesOf(steps)).toEqual({ ...ALL_DONE, proof: "failed" });
  expect(steps.proof!.text).toMatch(/does not fit this data/);
});

test("says which data was altered", async () => {
  // The deposit's last word, before the padding of the data, no settlements, one proof and its count.
  const { content } = posted[0]!;
  const wireBytes = 32 + 5 + 4 + 3 + 8 + 2 + 2 + 2 + 12 * content.wide.length + 32 * 4;
  const padding = (32 - (wireBytes % 32)) % 32;
  const steps = await check(0, { alter: flipInput(2 * (padding + 32 + 32 + 256) + 1) });
  expect(statesOf(steps)).toEqual({ ...ALL_DONE, shown: "failed", proof: "failed" });
  expect(steps.shown!.text).toMatch(/operation 1, its words/);
});

test("says what the server shows otherwise", async () => {
  const batch = shown(0);
  const [record] = batch.records!;
  const words = [record!.words[0]! + 1n, ...record!.words.slice(1)];
  const steps = await check(0, { batch: { ...batch, records: [{ ...record!, words }] } });
  expect(statesOf(steps)).toEqual({ ...ALL_DONE, shown: "failed" });
});

test("knows no key but those of the build", async () => {
  const steps = await check(0, { keys: [] });
  expect(statesOf(steps)).toEqual({ found: "done", key: "failed" });
});

test("finds no batch in another transaction", async () => {
  const batch = { ...shown(1), l1TransactionHash: posted[0]!.transactionHash };
  const steps = await check(1, { batch });
  expect(statesOf(steps)).toEqual({ found: "failed" });
  expect(steps.found!.text).toMatch(/took no batch 2/);
  // The batch before is a hint of the server's, too.
  const wrongBefore = await check(1, { transactionBefore: posted[1]!.transactionHash });
  expect(statesOf(wrongBefore)).toEqual({ found: "done", key: "done", data: "failed" });
});

test("checks a batch whose operations stand in a blob, with the blob that its transaction names", async () => {
  const elements = blobElements(inBlob.content);
  const steps = await check(2, { blobs: await pageBlobs(encodeBlob(elements)) });
  expect(statesOf(steps)).toEqual(ALL_DONE);
  expect(steps.data!.values).toContainEqual(["blob", inBlob.versionedHash]);
});

test("refuses another blob, also one that has the posted value at z", async () => {
  const elements = blobElements(inBlob.content);
  const { y } = readOpening(hexToBytes(inBlob.batch.data));
  const z = BigInt(
    (await check(2, { blobs: await pageBlobs(encodeBlob(elements)) })).challenge!.values![0]![1],
  );
  // z is public: so is X - z, which may be added to the blob's polynomial.
  const forged = Array.from(elements);
  forged[0] = (forged[0]! - z + BLOB_FIELD_ORDER) % BLOB_FIELD_ORDER;
  forged[1] = forged[1]! + 1n;
  expect(forged.reduceRight((sum, d) => (sum * z + d) % BLOB_FIELD_ORDER, 0n)).toBe(y);
  const steps = await check(2, { blobs: await pageBlobs(encodeBlob(forged)) });
  expect(statesOf(steps)).toEqual({ found: "done", key: "done", data: "failed" });
  expect(steps.data!.error!.code).toBe("BRG_BLOB_MISSING");
  expect(steps.data!.error!.message).toMatch(/not what the hash names/);
});

test("names a blob that the server has not, and says what to do", async () => {
  const steps = await check(2);
  expect(steps.data!.error).toMatchObject({
    code: "BRG_BLOB_MISSING",
    data: { versionedHash: inBlob.versionedHash, batchNumber: 3, remedy: "ask another server" },
  });
});
