import { type BatchEvent, type HistoryEvent, readL1History } from "@openledger/bridge/l1/l1-history";
import {
  doctored,
  type HistoryFixture,
  startHistoryFixture,
} from "@openledger/bridge/testing/history-fixture";
import { KIND, shapeName } from "@openledger/circuits/protocol";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { OPEN, SHAPES } from "@openledger/contracts/testing/rollup-fixture";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { encodeFunctionData, pad, toHex } from "viem";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type VerifyOptions, verifyRollup } from "./verify.ts";

let f: HistoryFixture;
let snapshot: `0x${string}`;

const verify = (overrides: Partial<VerifyOptions> = {}) =>
  verifyRollup({
    rpcUrl: f.rpcUrl,
    rollupAddress: f.rollup.address,
    circuits: f.derived,
    verifyProof: f.verifyProof,
    ...overrides,
  });

/** Runs the verification, and returns the difference that it finds and its batch. */
async function difference(
  overrides: Partial<VerifyOptions>,
): Promise<[batchNumber: number | null, what: string]> {
  try {
    await verify(overrides);
  } catch (error) {
    if (!isRollupError(error, "BRG_VERIFY_DIFFERS") && !isRollupError(error, "BRG_BATCH_MALFORMED"))
      throw error;
    const { batchNumber, what } = error.data as { batchNumber: number | null; what: string };
    return [batchNumber, what];
  }
  return [null, "nothing"];
}

/** Changes one batch of the history. */
const inBatch = (number: bigint, change: (event: BatchEvent) => HistoryEvent | null) =>
  doctored((event) => (event.type === "batch" && event.batch.batchNumber === number ? change(event) : event));

describe("verifyRollup", () => {
  beforeAll(async () => {
    f = await startHistoryFixture();
    await f.makeHistory();
  });
  afterAll(() => f?.stop());
  beforeEach(async () => {
    snapshot = await f.l1.client.snapshot();
  });
  afterEach(async () => {
    await f.l1.client.revert({ id: snapshot });
  });

  test("rebuilds the ledger from L1 alone and checks every proof", async () => {
    const seen: number[] = [];
    const result = await verify({ onProgress: ({ batchNumber }) => seen.push(batchNumber) });
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    const { timestamp } = await f.rollup.client.getBlock({ blockNumber: BigInt(result.blockNumber) });
    expect(result).toMatchObject({
      root: f.ledger.root,
      blockTimestamp: Number(timestamp),
      // A development chain's nodes make no block for hours.
      isHeadOld: false,
      batchCount: 5,
      operationCount: 10,
      leafCount: 5,
      queueEntryCount: 5,
      proofCount: 5,
      ledgerWei: f.ledger.totalWei(),
      areKeysDerived: true,
      isDevelopment: true,
    });
  });

  test("reads the history in small pieces as in one", async () => {
    const readAll = async (maxChunkBlocks: number) => {
      const events: HistoryEvent[] = [];
      for await (const event of readL1History({
        rollup: f.rollup,
        toBlock: await f.rollup.client.getBlockNumber(),
        maxChunkBlocks,
      }))
        events.push(event);
      return events;
    };
    expect(await readAll(1)).toEqual(await readAll(10_000));
  });

  test("says that the keys were believed where none are given", async () => {
    const { circuits, ...rest } = {
      rpcUrl: f.rpcUrl,
      rollupAddress: f.rollup.address,
      circuits: f.derived,
      verifyProof: f.verifyProof,
    };
    void circuits;
    expect((await verifyRollup(rest)).areKeysDerived).toBe(false);
  });

  test("finds a registered key that is not the circuit's", async () => {
    const [first, ...others] = f.derived;
    const wrong = { ...first!, key: { ...first!.key, delta: others[0]!.key.delta } };
    expect(await difference({ circuits: [wrong, ...others] })).toEqual([
      null,
      `the verifying key of ${shapeName(SHAPES[0])}`,
    ]);
    expect(await difference({ circuits: others })).toEqual([null, "circuit 0"]);
  });

  test("finds another new root", async () => {
    const readHistory = inBatch(3n, (event) => ({
      ...event,
      batch: { ...event.batch, newRoot: event.batch.newRoot + 1n },
    }));
    expect(await difference({ readHistory })).toEqual([3, "new root"]);
  });

  test("finds another amount in the posted data", async () => {
    const readHistory = inBatch(2n, (event) => {
      const [slot, ...others] = event.batch.narrow;
      return {
        ...event,
        batch: { ...event.batch, narrow: [{ ...slot!, amountCode: slot!.amountCode + 1n }, ...others] },
      };
    });
    expect(await difference({ readHistory })).toEqual([2, "new root"]);
  });

  test("finds an operation that the rules forbid", async () => {
    const readHistory = inBatch(2n, (event) => {
      const [slot, ...others] = event.batch.narrow;
      return { ...event, batch: { ...event.batch, narrow: [{ ...slot!, b: 999 }, ...others] } };
    });
    expect(await difference({ readHistory })).toEqual([2, "an operation"]);
  });

  test("finds a proof of another statement", async () => {
    const readHistory = inBatch(4n, (event) => ({ ...event, proof: { ...event.proof!, c: event.proof!.a } }));
    expect(await difference({ readHistory })).toEqual([4, "the proof"]);
  });

  test("finds a commitment to other data", async () => {
    const readHistory = inBatch(1n, (event) => ({ ...event, commitment: event.commitment! + 1n }));
    // The data alone does not give C.
    expect(await difference({ readHistory })).toEqual([1, "the proof"]);
  });

  test("finds a batch that is left out, and one at the end", async () => {
    expect(await difference({ readHistory: inBatch(2n, () => null) })).toEqual([2, "the batch's number"]);
    expect(await difference({ readHistory: inBatch(5n, () => null) })).toEqual([
      null,
      "the number of the last batch",
    ]);
  });

  test("finds a queue entry that the batch changed", async () => {
    const readHistory = doctored((event) =>
      event.type === "queue-entry" && event.queueIndex === 1
        ? { ...event, amountWei: event.amountWei + 1n }
        : event,
    );
    expect(await difference({ readHistory })).toEqual([1, "queue entry 1"]);
  });

  test("finds an executed entry that is called invalid", async () => {
    const readHistory = inBatch(3n, (event) => {
      const wide = event.batch.wide.map((slot) =>
        slot.kind === KIND.forcedWithdraw ? { ...slot, isValid: false } : slot,
      );
      return { ...event, batch: { ...event.batch, wide } };
    });
    expect(await difference({ readHistory })).toEqual([3, "a queue entry's validity"]);
  });

  test("finds a credit that no batch gives", async () => {
    const readHistory = doctored((event) =>
      event.type === "credit" ? { ...event, amountWei: event.amountWei * 2n } : event,
    );
    expect(await difference({ readHistory })).toEqual([2, "the list of credits"]);
  });

  test("finds another genesis", async () => {
    const readHistory = doctored((event) =>
      event.type === "genesis" ? { ...event, operatorKeyX: 8n } : event,
    );
    expect(await difference({ readHistory })).toEqual([null, "the genesis root"]);
  });

  test("finds sums of the contract that its batches do not give", async () => {
    const client = f.l1.client;
    const ledgerWei = await f.rollup.ledgerWei();
    for (let slot = 0; slot < 8; slot++) {
      const index = toHex(slot);
      const stored = await client.getStorageAt({ address: f.rollup.address, slot: index });
      if (BigInt(stored ?? 0) !== ledgerWei) continue;
      await client.setStorageAt({ address: f.rollup.address, index, value: pad(toHex(ledgerWei + 1n)) });
    }
    expect(await f.rollup.ledgerWei()).toBe(ledgerWei + 1n);
    expect(await difference({})).toEqual([null, "what the ledger owes"]);
  });

  test("finds that the contract holds less than it owes", async () => {
    const { alice } = f.l1.roles;
    const address = f.rollup.address;
    await f.l1.client.impersonateAccount({ address });
    await f.l1.client.setBalance({ address, value: OPEN });
    await f.l1.token.write.transfer([alice, 1n], { account: address });
    expect(await difference({})).toEqual([null, "the OPEN that the contract holds"]);
  });
});

describe("verifyRollup of batches that came in through a contract", () => {
  const relay = "0x00000000000000000000000000000000000c0de5";
  afterEach(() => f?.stop());

  test("takes their data from events and says that it saw no proof", async () => {
    f = await startHistoryFixture({ sequencer: relay });
    // Calls the rollup with its own input: CALLDATACOPY, CALL, STOP.
    const forward = [
      "366000600037",
      "60006000",
      "36",
      "60006000",
      `73${f.rollup.address.slice(2)}`,
      "5af1",
      "5000",
    ];
    await f.l1.client.setCode({ address: relay, bytecode: `0x${forward.join("")}` });
    await f.makeHistory(async (closed) => {
      const data = encodeFunctionData({
        abi: rollupAbi,
        functionName: "submitBatches",
        args: [closed.map((s) => s.batch), [], closed.map((s) => s.proof)],
      });
      // The relay swallows failures, so an estimate would be too low.
      const hash = await f.l1.client.sendTransaction({
        account: f.l1.roles.stranger,
        to: relay,
        data,
        gas: 10_000_000n,
      });
      await f.l1.client.waitForTransactionReceipt({ hash });
    });
    expect(await verify()).toMatchObject({ root: f.ledger.root, batchCount: 5, proofCount: 0 });
  });
});
