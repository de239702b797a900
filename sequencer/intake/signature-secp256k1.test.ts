import { secp256k1 } from "@noble/curves/secp256k1.js";
import { invertMod } from "@openledger/circuits/inverse";
import { preconfirmationTypedData } from "@openledger/circuits/wire/sequencer-preconfirmation";
import { hex32 } from "@openledger/foundation/hex";
import { Secret } from "@openledger/foundation/secret";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { privateKeyToAccount } from "viem/accounts";
import { describe, expect, it } from "vitest";
import { GeneratorKernel } from "./signature-curve-kernel.ts";
import { createPreconfirmationBatchSigner } from "./signature-preconfirmations.ts";
import { Secp256k1Signer } from "./signature-secp256k1.ts";

const { Point } = secp256k1;
const order = Point.Fn.ORDER;
const prime = Point.Fp.ORDER;
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const scalar = fc.oneof(
  fc.bigInt(1n, order - 1n),
  fc.constantFrom(1n, 2n, 15n, 16n, order - 1n, order - 2n, (order - 1n) / 2n),
);
const toBytes = (value: bigint) => Uint8Array.from(Buffer.from(value.toString(16).padStart(64, "0"), "hex"));

describe("GeneratorKernel", () => {
  it("gives noble's multiples of the generator, for small, large and random scalars", () => {
    const kernel = new GeneratorKernel();
    fc.assert(
      fc.property(scalar, (k) => {
        const { x, y, z } = kernel.multiply(toBytes(k).reverse());
        const inverse = invertMod(z, prime);
        const expected = Point.BASE.multiply(k).toAffine();
        expect((x * inverse * inverse) % prime).toBe(expected.x);
        expect((y * inverse * inverse * inverse) % prime).toBe(expected.y);
      }),
      { numRuns: runs(200) },
    );
  });
});

describe("Secp256k1Signer", () => {
  it("makes noble's deterministic signatures, alone and in lists", () => {
    fc.assert(
      fc.property(scalar, fc.array(bytes32, { minLength: 1, maxLength: 5 }), (key, digests) => {
        const signer = new Secp256k1Signer(toBytes(key));
        const expected = digests.map((digest) => {
          const made = secp256k1.sign(digest, toBytes(key), { prehash: false, format: "recovered" });
          const { r, s, recovery } = secp256k1.Signature.fromBytes(made, "recovered");
          return { r, s, yParity: recovery };
        });
        expect(signer.sign(digests)).toEqual(expected);
        expect(signer.sign(digests.slice(0, 1))).toEqual(expected.slice(0, 1));
      }),
      { numRuns: runs(8) },
    );
  });

  it("signs digests at and above the order as noble does", () => {
    const signer = new Secp256k1Signer(toBytes(7n));
    for (const value of [0n, 1n, order - 1n, order, order + 1n, (1n << 256n) - 1n]) {
      const made = secp256k1.sign(toBytes(value), toBytes(7n), { prehash: false, format: "recovered" });
      const { r, s, recovery } = secp256k1.Signature.fromBytes(made, "recovered");
      expect(signer.sign([toBytes(value)])).toEqual([{ r, s, yParity: recovery }]);
    }
  });
});

describe("createPreconfirmationBatchSigner", () => {
  it("makes viem's EIP-712 signatures of preconfirmations", async () => {
    const privateKey = hex32(0xac0974bec39a17e36ba4a6b4d238ff94n);
    const rollup = { chainId: 31337, rollupAddress: `0x${"5b".repeat(20)}` as const };
    const signer = createPreconfirmationBatchSigner(rollup, new Secret(privateKey));
    const account = privateKeyToAccount(privateKey);
    const facts = [0n, 1n, 99n].map((i) => ({
      operationHash: hex32(i * 12345n),
      opIndex: Number(i) * 1_000_003,
      deadlineSeconds: 1_800_000_000 + Number(i),
    }));
    const expected = await Promise.all(
      facts.map((fact) => account.signTypedData(preconfirmationTypedData(rollup, fact))),
    );
    expect(signer.signAll(facts)).toEqual(expected);
    expect(signer.signAll([])).toEqual([]);
  });
});
