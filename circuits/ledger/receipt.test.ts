/** Tests of the hashes of answers, receipts and questions in model-query.ts. */
import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { hashTagged, initPoseidon } from "../field/poseidon.ts";
import { FIELD_ORDER } from "../protocol.ts";
import { answerHash, askMessage, receiptHash } from "./model-query.ts";

beforeAll(initPoseidon);

describe("answerHash", () => {
  it("is SHA-256 over the prompt's length in bytes, the prompt and the answer", () => {
    const expected = createHash("sha256")
      .update(Buffer.from("00000003", "hex"))
      .update("é?yes")
      .digest("hex");
    expect(answerHash("é?", "yes")).toBe(BigInt(`0x${expected}`) % FIELD_ORDER);
  });

  it("tells where the prompt ends", () => {
    expect(answerHash("ab", "c")).not.toBe(answerHash("a", "bc"));
  });
});

describe("receiptHash", () => {
  it("is H[18] over statics, payer, answer, query and salt", () => {
    const opening = { statics: 1n, payerId: 2, answerHash: 3n, queryCommitment: 4n, salt: 5n };
    expect(receiptHash(opening)).toBe(hashTagged(18n, [1n, 2n, 3n, 4n, 5n]));
    for (const name of ["statics", "answerHash", "queryCommitment", "salt"] as const) {
      expect(receiptHash({ ...opening, [name]: opening[name] + 1n })).not.toBe(receiptHash(opening));
    }
    expect(receiptHash({ ...opening, payerId: 3 })).not.toBe(receiptHash(opening));
  });
});

describe("askMessage", () => {
  it("hashes every field at its place", () => {
    const ask = { domain: (1n << 200n) + 3n, modelId: 7, payerId: 9, prompt: "é" };
    const bytes = Buffer.concat([
      Buffer.from("OpenLedger ask v1"),
      Buffer.from(ask.domain.toString(16).padStart(64, "0"), "hex"),
      Buffer.from("0000000700000009", "hex"),
      Buffer.from("é"),
    ]);
    const digest = createHash("sha256").update(bytes).digest("hex");
    expect(askMessage(ask)).toBe(BigInt(`0x${digest}`) % FIELD_ORDER);
  });
});
