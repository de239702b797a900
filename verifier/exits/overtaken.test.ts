import { bridgeError } from "@openledger/bridge/bridge-errors";
import { describe, expect, test } from "vitest";
import { requireOvertaken } from "./overtaken.ts";

const LOOKS = { count: 3, intervalMs: 1 };
const reverted = (errorName: string | null, data: object = {}) =>
  bridgeError("BRG_CONTRACT_REVERTED", "reverted", { data: { errorName, operands: [], ...data } });

/**
 * Handles the error while L1 shows the other's work from read `shownAtLook` on; Infinity: never. Returns the
 * number of reads and the error thrown, if any.
 */
async function outcome(error: unknown, shownAtLook: number): Promise<{ looks: number; thrown: unknown }> {
  let looks = 0;
  try {
    await requireOvertaken(error, "ExitDone", async () => ++looks >= shownAtLook, LOOKS);
    return { looks, thrown: null };
  } catch (thrown) {
    return { looks, thrown };
  }
}

describe("requireOvertaken", () => {
  test("takes a refusal by name, and a transaction that was mined and reverted, for another's work once L1 shows it", async () => {
    expect(await outcome(reverted("ExitDone"), 2)).toEqual({ looks: 2, thrown: null });
    const mined = reverted(null, { transactionHash: "0x12" });
    expect(await outcome(mined, 1)).toEqual({ looks: 1, thrown: null });
  });

  test("throws what L1 does not explain in time", async () => {
    const mined = reverted(null, { transactionHash: "0x12" });
    for (const error of [mined, reverted("ExitDone")])
      expect(await outcome(error, Number.POSITIVE_INFINITY)).toEqual({ looks: 3, thrown: error });
  });

  test("throws at once what nobody else can have caused", async () => {
    const others = [reverted("VerifierProofRejected"), bridgeError("BRG_L1_REFUSED", "no"), new Error("no")];
    for (const error of others) expect(await outcome(error, 1)).toEqual({ looks: 0, thrown: error });
  });
});
