import { createRequire } from "node:module";
import { secp256k1 } from "@bitauth/libauth";
import { secp256k1 as noble } from "@noble/curves/secp256k1.js";
import { preconfirmationTypedData } from "@openledger/circuits/wire/sequencer-preconfirmation";
import { hex32 } from "@openledger/foundation/hex";
import { Secret } from "@openledger/foundation/secret";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { privateKeyToAccount } from "viem/accounts";
import { describe, expect, it } from "vitest";
import { createPreconfirmationBatchSigner } from "./signature-preconfirmations.ts";

const order = noble.Point.Fn.ORDER;
const rollup = { chainId: 31337, rollupAddress: `0x${"5b".repeat(20)}` as const };
const scalar = fc.oneof(
  fc.bigInt(1n, order - 1n),
  fc.constantFrom(1n, 2n, 15n, 16n, order - 1n, order - 2n, (order - 1n) / 2n),
);
const toBytes = (value: bigint) => Uint8Array.from(Buffer.from(value.toString(16).padStart(64, "0"), "hex"));

type Signed = { signature: Uint8Array; recoveryId: number };
const binding = createRequire(import.meta.url)("secp256k1/bindings");
function signNatively(key: Uint8Array, digest: Uint8Array): Signed {
  const { recid, signature } = binding.ecdsaSign(digest, key);
  return { signature, recoveryId: recid };
}
const libraries: Record<string, (key: Uint8Array, digest: Uint8Array) => Signed | string> = {
  "libsecp256k1 in WebAssembly": (key, digest) => secp256k1.signMessageHashRecoverableCompact(key, digest),
  "the native binding of libsecp256k1": signNatively,
};

describe.each(Object.entries(libraries))("ECDSA, %s", (_name, sign) => {
  /** noble's bytes begin with the recovery id. */
  const signsAsNoble = (key: bigint, digest: Uint8Array) => {
    const [recoveryId, ...signature] = noble.sign(digest, toBytes(key), {
      prehash: false,
      format: "recovered",
    });
    expect(sign(toBytes(key), digest)).toEqual({
      signature: Uint8Array.from(signature),
      recoveryId,
    });
  };

  it("makes noble's deterministic signatures with a low s", () => {
    const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(fc.property(scalar, digest, signsAsNoble), { numRuns: runs(100) });
  });

  it("signs 0 and the largest digest below the order as noble does", () => {
    for (const value of [0n, 1n, order - 1n]) signsAsNoble(7n, toBytes(value));
  });

  it("signs digests at and above the order with another nonce than noble's, and as validly", () => {
    for (const value of [order, order + 1n, (1n << 256n) - 1n]) {
      const signed = sign(toBytes(7n), toBytes(value));
      if (typeof signed === "string") throw new Error(signed);
      const recovered = noble.recoverPublicKey(
        Uint8Array.of(signed.recoveryId, ...signed.signature),
        toBytes(value),
        { prehash: false },
      );
      expect(recovered).toEqual(noble.getPublicKey(toBytes(7n)));
      expect(signed).toEqual(signNatively(toBytes(7n), toBytes(value)));
    }
  });
});

describe("createPreconfirmationBatchSigner", () => {
  it("makes viem's EIP-712 signatures of preconfirmations, with v as 27 and 28", async () => {
    const privateKey = hex32(0xac0974bec39a17e36ba4a6b4d238ff94n);
    const signer = createPreconfirmationBatchSigner(rollup, new Secret(privateKey));
    const account = privateKeyToAccount(privateKey);
    const facts = Array.from({ length: 11 }, (_, i) => ({
      operationHash: hex32(BigInt(i) * 12345n),
      opIndex: i * 1_000_003,
      deadlineSeconds: 1_800_000_000 + i,
    }));
    const expected = await Promise.all(
      facts.map((fact) => account.signTypedData(preconfirmationTypedData(rollup, fact))),
    );
    expect(signer.signAll(facts)).toEqual(expected);
    expect(new Set(expected.map((signature) => signature.slice(-2)))).toEqual(new Set(["1b", "1c"]));
    expect(signer.signAll([])).toEqual([]);
  });

  it.each([0n, order, (1n << 256n) - 1n])("refuses %d, which is no key", (key) => {
    const fact = { operationHash: hex32(1n), opIndex: 1, deadlineSeconds: 1 };
    const sign = () => createPreconfirmationBatchSigner(rollup, new Secret(hex32(key))).signAll([fact]);
    expect(sign).toThrow(RangeError);
  });
});
