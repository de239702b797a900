import { decodeSettlement, encodeSettlement } from "@openledger/circuits/settlement/settlement-data";
import type { LedgerSettlement } from "@openledger/client/sequencer/model-schemas";
import { toHex } from "viem";
import { expect, test } from "vitest";
import { compareShown } from "./check-settlement.ts";

const OPEN = 10n ** 18n;
/** An epoch of 1 OPEN: 60 bits, so that a quantum is 2^20 wei. */
const quanta = [OPEN >> 22n, 3n];
const head = { epoch: 1n, closingBatch: 5n, voidCount: 0, burnedWei: 0n, capCircuit: 0, shardCount: 1, chain: 7n };
const wire = encodeSettlement({ ...head, items: quanta });
const earnedWei = quanta.map((item) => item << 20n);
const earnedSumWei = earnedWei[0]! + earnedWei[1]!;
const shown = {
  ...{ data: toHex(wire), publicSignals: [9n, 0n, 0n], voidCount: 0, burnedWei: 0n, earnedWei, earnedSumWei },
  ...{ ownerWei: OPEN / 4n, treasuryWei: OPEN - OPEN / 4n - earnedSumWei },
} as unknown as LedgerSettlement;
const onL1 = {
  posted: decodeSettlement(wire),
  submitted: { data: toHex(wire), commitment: 9n },
} as unknown as Parameters<typeof compareShown>[1];

test("an honest server's wei are the quanta on L1, and a wei more of a share is not", () => {
  expect(compareShown(shown, onL1).state).toBe("done");
  const more = { ...shown, earnedWei: [earnedWei[0]!, earnedWei[1]! + 1n] };
  expect(compareShown(more, onL1)).toMatchObject({
    state: "failed",
    text: "This server shows other data than Ethereum has: what share 1 earned.",
  });
  const twice = { ...shown, treasuryWei: shown.treasuryWei! + OPEN };
  expect(compareShown(twice, onL1).state, "another amount, so other quanta").toBe("failed");
});
