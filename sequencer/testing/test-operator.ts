/** Requests of prover and bridge to a sequencer under test. */
import { type EntryRequest, toContractEntry } from "@openledger/circuits/ledger/operation";
import { realFirst } from "@openledger/circuits/wire/groth16-proof";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { sequencerErrors } from "../sequencer-errors.ts";
import { type Answer, l1PositionOf, operationJson, operatorHeaders, type TestRollup } from "./test-rollup.ts";

export const operator = async (rollup: TestRollup, url: string, payload?: object): Promise<Answer> => {
  const { status, body } =
    payload === undefined
      ? await rollup.get(url, operatorHeaders)
      : await rollup.post(url, payload, operatorHeaders);
  return body?.error === undefined ? body : [status, body.error.code];
};

export const close = async (rollup: TestRollup): Promise<number> =>
  (await operator(rollup, "/operator/close", {})).batchNumber;
export const head = (rollup: TestRollup, timestamp: number) =>
  operator(rollup, "/operator/l1-head", { blockNumber: 20, timestamp, place: l1PositionOf(rollup) });
export const batch = async (rollup: TestRollup, number: number): Promise<Answer> =>
  (await rollup.get(`/v1/batches/${number}`)).body;
export const send = (rollup: TestRollup, operation: Parameters<typeof operationJson>[0]) =>
  rollup.post("/v1/operations", operationJson(operation));

/** Hands an entry of L1's queue over. @returns its index */
export async function queue(rollup: TestRollup, request: EntryRequest, sender: string): Promise<number> {
  const queueIndex = rollup.sequencer.pipeline.queueSeenIndex;
  const { a, amountWei, b, kind, ...words } = toContractEntry(request);
  const [word1, word2, word3, word4] = [words.word1, words.word2, words.word3, words.word4].map(hex32);
  const entry = {
    queueIndex,
    kind: Number(kind),
    a: Number(a),
    b: Number(b),
    amountWei: amountWei.toString(),
    word1,
    word2,
    word3,
    word4,
    sender,
    l1BlockNumber: 1,
    l1TransactionHash: hex32(1n),
  };
  const { nextIndex } = await operator(rollup, "/operator/queue-entries", { entries: [entry] });
  if (nextIndex !== queueIndex + 1) throw new Error(`entry ${queueIndex} was not taken`);
  return queueIndex;
}

const PAIR: [bigint, bigint] = [1n, 2n];
/** Takes a proof that nobody has verified. @returns status and code where the sequencer refuses it */
export async function prove(
  { sequencer }: TestRollup,
  number: number,
  fields: { batchHash?: string; publicSignals?: readonly bigint[] } = {},
): Promise<Answer> {
  const { batchHash = "", publicSignals = [] } = { ...sequencer.pipeline.registry.record(number), ...fields };
  const report = {
    proof: { a: PAIR, b: realFirst(PAIR, PAIR), c: PAIR },
    timings: { witnessMs: 1, proveMs: 20, verifyMs: 3 },
    backend: "test",
  };
  try {
    await sequencer.pipeline.addProof(number, batchHash, publicSignals, report);
    return {};
  } catch (error) {
    if (!isRollupError(error)) throw error;
    return [sequencerErrors.statusOf(error.code), error.code];
  }
}

/** Numbers of the batches that a prover would be given. */
export const unproven = async ({ sequencer }: TestRollup): Promise<number[]> =>
  (await sequencer.batchesToProve()).map(({ number }) => number);

export async function report(
  rollup: TestRollup,
  number: number,
  status: string,
  fields: object = {},
): Promise<Answer> {
  const { batchHash } = await batch(rollup, number);
  return operator(rollup, `/operator/batches/${number}/l1`, {
    batchHash,
    status,
    transactionHash: hex32(5n),
    blockNumber: 30,
    gasUsed: "1000",
    ...fields,
  });
}
