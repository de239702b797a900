import { payeeDue, payeeExitKey } from "@openledger/circuits/exit/exit-statement";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { TREASURY_ID } from "@openledger/circuits/protocol";
import { exitWorld, MODEL_ID } from "@openledger/circuits/testing/exit-world";
import { expect, it } from "vitest";
import { BridgeTotals } from "./bridge-totals.ts";
import { checkExit } from "./exit-check.ts";

it("takes a payee's exit, and none of an absent payee, which no circuit proves", async () => {
  await initPoseidon();
  const ledger = exitWorld(6, { rowCounts: [2, 3, 1] });
  const read = {
    ...{ totals: new BridgeTotals(), entries: [], queueHead: 0, isFrozen: true },
    requireLedger: () => ledger,
  };
  const check = (payeeIndex: number, recipient: bigint, amountWei: bigint) => () =>
    checkExit(read, {
      ...{ type: "exit", key: payeeExitKey(MODEL_ID, payeeIndex, 1), amountWei },
      recipient: `0x${recipient.toString(16)}`,
    });
  const treasury = ledger.requireLeaf(TREASURY_ID).leaf.l1Owner;
  for (const index of [3, 511, 512]) expect(check(index, treasury, 0n)).toThrow(/one that the ledger allows/);
  const { amountWei, recipient } = payeeDue(ledger, MODEL_ID, 2, 1);
  expect(check(2, recipient, amountWei)).not.toThrow();
  expect(check(2, recipient + 1n, amountWei)).toThrow(/the recipient of/);
  expect(check(2, recipient, amountWei + 1n)).toThrow(/the amount of/);
});
