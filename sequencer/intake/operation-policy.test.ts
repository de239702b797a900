import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import { KIND } from "@openledger/circuits/protocol";
import { expect, test } from "vitest";
import { checkPolicy } from "./operation-policy.ts";

const ROLLUP = `0x${"11".repeat(20)}` as const;
const TEN_OPEN = 10n ** 19n;

const operation = (kind: number, amountCode: bigint): SignedOperation => ({
  kind,
  a: 2,
  b: 3,
  nonce: 0n,
  maxFeePerUnitWei: 1n,
  amountCode,
  words: kind === KIND.payInference ? [5n] : [],
  signature: { r8x: 1n, r8y: 1n, s: 1n },
});

test.each([
  ["transfer", KIND.transfer],
  ["payment", KIND.payInference],
])("a %s that no slot of a leaf table holds by its amount code is refused", (_, kind) => {
  const wideCode = (19n << 35n) | 1n;
  expect(() => checkPolicy(operation(kind, wideCode), ROLLUP)).toThrow(
    expect.objectContaining({
      code: "SEQ_OPERATION_REFUSED",
      data: expect.objectContaining({ reason: "amount-exponent" }),
    }),
  );
  for (const code of [encodeAmount(TEN_OPEN), (18n << 35n) | 10n])
    expect(() => checkPolicy(operation(kind, code), ROLLUP)).not.toThrow();
});
