import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { submission } from "@openledger/contracts/testing/rollup-fixture";
import { verifyRollup } from "@openledger/verifier/replay/verify";
import { concatHex, encodeFunctionData, type Hex, size, slice } from "viem";
import { afterEach, describe, expect, test } from "vitest";
import { type HistoryFixture, startHistoryFixture } from "../../testing/history-fixture.ts";
import { encodeSubmission as encode, withNegativeOffset, word } from "../../testing/odd-calldata.ts";
import { decodeSubmission } from "./submission-call.ts";

const proof = (k: bigint) => ({
  a: [k, k + 1n] as const,
  b: [
    [k + 2n, k + 3n],
    [k + 4n, k + 5n],
  ] as const,
  c: [k + 6n, k + 7n] as const,
});
const part = (circuit: number, data: Hex) => ({ circuit, commitment: 1_000n + BigInt(circuit), data });
const args = [
  [part(0, `0x${"ab".repeat(58)}`), part(255, "0x01")],
  [part(3, "0x"), part(4, `0x${"cd".repeat(64)}`)],
  [proof(10n), proof(20n), proof(30n), proof(2n ** 256n - 8n)],
] as const;

describe("decodeSubmission", () => {
  test("reads what an ABI encoder wrote", () => {
    const [batches, settlements, proofs] = args;
    expect(decodeSubmission(encode(args))).toEqual({ batches, settlements, proofs });
    expect(decodeSubmission(encode([[], [], []]))).toEqual({ batches: [], settlements: [], proofs: [] });
  });

  test("reads offsets modulo 2^256, and zeros behind the end", () => {
    const one = [[args[0][0]], args[1], args[2]] as const;
    const [batches, settlements, proofs] = one;
    expect(decodeSubmission(withNegativeOffset(encode(one)))).toEqual({ batches, settlements, proofs });
    // Three arrays without an element, whose lengths nobody wrote.
    const selector = slice(encode([[], [], []]), 0, 4);
    expect(decodeSubmission(concatHex([selector, word(96), word(96), word(96)]))).toEqual({
      batches: [],
      settlements: [],
      proofs: [],
    });
  });

  test("is null for another call, and for what the contract cannot have read", () => {
    expect(decodeSubmission("0x")).toBeNull();
    expect(decodeSubmission(encodeFunctionData({ abi: rollupAbi, functionName: "burnAccrued" }))).toBeNull();
    const call = encode(args);
    const tooLong = call.replace(word(58).slice(2), word(size(call)).slice(2)) as Hex;
    expect(decodeSubmission(tooLong)).toBeNull();
    const selector = slice(call, 0, 4);
    expect(decodeSubmission(concatHex([selector, word(64), word(64), word(64)]))).toBeNull();
  });
});

describe("verifyRollup", () => {
  let f: HistoryFixture;
  afterEach(() => f?.stop());

  test("Attack: follows a batch whose call has a negative offset, which L1 accepts", async () => {
    f = await startHistoryFixture();
    await f.l1.depositNew("alice", 10n ** 20n);
    const entries = await f.queueOperations();
    const closed = await f.close(() => entries);
    const hash = await f.l1.client.sendTransaction({
      account: f.l1.roles.sequencer,
      to: f.rollup.address,
      data: withNegativeOffset(encode(submission([closed]))),
      gas: 3_000_000n,
      chain: f.l1.client.chain,
    });
    expect((await f.l1.client.waitForTransactionReceipt({ hash })).status).toBe("success");
    const verified = verifyRollup({
      rpcUrl: f.rpcUrl,
      rollupAddress: f.rollup.address,
      circuits: f.derived,
      verifyProof: f.verifyProof,
    });
    expect(await verified).toMatchObject({ batchCount: 1, proofCount: 1, root: f.ledger.root });
  });
});
