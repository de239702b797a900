import { executeSlot } from "@openledger/circuits/batch/slot";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { KIND } from "@openledger/circuits/protocol";
import { CLOSED, honest, MODEL, OPENING, World } from "@openledger/circuits/testing/forgeries/forgery-world";
import { lawfulForm } from "@openledger/circuits/testing/forgeries/lawless-slot";
import { describe, expect, test } from "vitest";
import { storeKeys } from "../../store/store-keys.ts";
import { forcedEpochWrites } from "./stored-epochs.ts";

await initPoseidon();

describe("the records of a ForcedCloseEpoch", () => {
  const writesOf = (operation: ReturnType<typeof honest>) => {
    const { ledger } = new World();
    const queued = { queueIndex: 5, amountWei: 0n, word1: 0n, word2: 0n, word3: 0n, word4: 0n, sender: 0n };
    const executed = { batchNumber: 1, operation: { ...queued, kind: operation.kind, a: 0, b: 0 } };
    const trace = executeSlot(ledger, lawfulForm(ledger, operation), OPENING);
    return { ledger, writes: forcedEpochWrites(ledger, trace.record, trace.b, executed) };
  };

  test("are those of a signed CloseEpoch but for its hash", () => {
    const { ledger, writes } = writesOf(honest(KIND.forcedCloseEpoch));
    const { closed } = ledger.requireLeaf(MODEL).rewards!;
    const value = {
      modelId: MODEL,
      epoch: 1,
      closingBatch: 1,
      chain: closed!.chain,
      amountWei: 7n,
      paymentCount: 3,
      closed: ledger.requireLeaf(MODEL).model!.closed,
      hash: `0x${"00".repeat(32)}`,
    };
    expect(writes).toEqual([{ key: storeKeys.epoch(MODEL, 1), value }]);
  });

  test("are none where it was not executed, and none of other entries", () => {
    expect(writesOf(honest(KIND.forcedCloseEpoch, { b: CLOSED })).writes).toEqual([]);
    expect(writesOf(honest(KIND.forcedClaimRewards)).writes).toEqual([]);
  });
});
