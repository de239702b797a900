import { createPublicClient, custom, http } from "viem";
import { foundry } from "viem/chains";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifierKey } from "../../bridge/verify/verify-keys.ts";
import { type BatchData, committedElements } from "../../circuits/batch/batch-data.ts";
import { dataCommitment } from "../../circuits/field/element-vector.ts";
import { initPoseidon } from "../../circuits/field/poseidon.ts";
import { kindRule } from "../../circuits/protocol.ts";
import type { LedgerBatch } from "../../client/sequencer/sequencer-schemas.ts";
import { type Anvil, startAnvil } from "../../contracts/l1/anvil.ts";
import { connect, deployFixture, depositNewSlot, OPEN } from "../../contracts/testing/rollup-fixture.ts";
import { toSnarkjsKey } from "../../prover/formats/verification-key.ts";
import { type BatchToCheck, checkBatch } from "./check-batch.ts";
import type { CheckStep } from "./check-steps.ts";

let anvil: Anvil;
let l1: Awaited<ReturnType<typeof deployFixture>>;
/** Two batches: of a deposit, and an empty one. Real calldata in a real contract; the proofs are of known trapdoors. */
const posted: { content: BatchData; transactionHash: `0x${string}` }[] = [];

beforeAll(async () => {
  await initPoseidon();
  anvil = await startAnvil();
  l1 = await deployFixture(await connect(anvil));
  await l1.depositNew("alice", OPEN);
  const { alice } = l1.roles;
  for (const isFirst of [true, false]) {
    const { oldNextId } = await l1.l1Header();
    const deposit = depositNewSlot(OPEN, alice, 5n, alice, { b: oldNextId });
    const content = await l1.draft(isFirst ? { newNextId: oldNextId + 1, wide: [deposit] } : {});
    const closed = l1.close(content, { commitment: dataCommitment(committedElements(content)) });
    const { transactionHash } = await l1.submit([closed]);
    posted.push({ content, transactionHash });
  }
}, 300_000);
afterAll(() => anvil?.stop());

/** As the operator's server shows it. */
function shown(index: number): LedgerBatch {
  const { content, transactionHash } = posted[index]!;
  return {
    number: index + 1,
    status: "posted",
    oldRoot: content.oldRoot,
    newRoot: content.newRoot,
    feePerUnitWei: content.feePerUnitWei,
    records: content.wide.map((record, slot) => ({
      ...record,
      slot,
      words: [...record.words],
      kind: kindRule(record.kind)!.name,
    })),
    l1TransactionHash: transactionHash,
    gasUsed: null,
  };
}

/** @param alter changes what the Ethereum node answers, as text */
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
  const asked = {
    client: createPublicClient({ chain: foundry, transport: custom({ request }, { retryCount: 0 }) }),
    rollupAddress: l1.deployment.rollup,
    batch: shown(index),
    keys,
    transactionBefore: index === 0 ? null : posted[index - 1]!.transactionHash,
    ...overrides,
  };
  await checkBatch(asked as BatchToCheck, (step) => {
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

/** Flips a bit of the transaction's input, so many hex digits before its end. */
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

test("says that the proof was altered, where the data fits together", async () => {
  const steps = await check(0, { alter: flipInput(1) });
  expect(statesOf(steps)).toEqual({ ...ALL_DONE, proof: "failed" });
  expect(steps.proof!.text).toMatch(/the proof was altered/);
});

test("says which data was altered", async () => {
  // The deposit's last word, before the padding of the data, no settlements, one proof and its count.
  const { content } = posted[0]!;
  const wireBytes = 32 + 5 + 4 + 3 + 8 + 2 + 2 + 2 + 12 * content.wide.length + 32 * 4;
  const padding = (32 - (wireBytes % 32)) % 32;
  const steps = await check(0, { alter: flipInput(2 * (padding + 32 + 32 + 256) + 1) });
  expect(statesOf(steps)).toEqual({ ...ALL_DONE, shown: "failed", commitment: "failed", proof: "failed" });
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
