import { inspect } from "node:util";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { isUsableKey, recoverPublicKey, verifySignature } from "@openledger/circuits/field/curve/eddsa";
import { concat, type Hex, pad, slice, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { describe, expect, it } from "vitest";
import { createRandomKey, deriveKey, keyFromSecret, type TypedDataSigner } from "./l2-key.ts";

const wallet = privateKeyToAccount(pad("0x01"));
const deployment = { chainId: 31337, rollupAddress: "0x5FbDB2315678afecb367f032d93F642f64180aa3" } as const;

const signerOf = (sign: (signature: Hex, call: number) => Hex): TypedDataSigner => {
  let calls = 0;
  return {
    address: wallet.address,
    signTypedData: async (message) => sign(await wallet.signTypedData(message), calls++),
  };
};

describe("deriveKey", () => {
  it("gives the same usable key for the same wallet, rollup and chain", async () => {
    const first = await deriveKey({ wallet, ...deployment });
    const second = await deriveKey({ wallet, ...deployment });
    expect(first.keyX).toBe(second.keyX);
    expect(isUsableKey(recoverPublicKey(first.keyX)!)).toBe(true);
  });

  it("gives other keys for another rollup, chain, index and wallet", async () => {
    const others = await Promise.all([
      deriveKey({ wallet, ...deployment }),
      deriveKey({ wallet, ...deployment, chainId: 1 }),
      deriveKey({ wallet, ...deployment, rollupAddress: "0x0000000000000000000000000000000000000001" }),
      deriveKey({ wallet, ...deployment, index: 1 }),
      deriveKey({ wallet: privateKeyToAccount(pad("0x02")), ...deployment }),
    ]);
    expect(new Set(others.map(({ keyX }) => keyX)).size).toBe(others.length);
  });

  it("gives an owner another key for a contract wallet, and another for each of them", async () => {
    const contractWallet = "0x00000000000000000000000000000000000000c1";
    const other = "0x00000000000000000000000000000000000000c2";
    const keys = await Promise.all([
      deriveKey({ wallet, ...deployment }),
      deriveKey({ wallet, ...deployment, contractWallet }),
      deriveKey({ wallet, ...deployment, contractWallet: other }),
      deriveKey({ wallet, ...deployment, contractWallet, index: 1 }),
      deriveKey({ wallet: privateKeyToAccount(pad("0x02")), ...deployment, contractWallet }),
    ]);
    expect(new Set(keys.map(({ keyX }) => keyX)).size).toBe(keys.length);
    // It can be derived again, and existing keys stay valid.
    expect((await deriveKey({ wallet, ...deployment, contractWallet })).keyX).toBe(keys[1]!.keyX);
    expect(toHex(keys[0]!.keyX)).toBe("0x176ee8bf2c964bf3a5c3fa2a8ed84a8ea9a95d827957690d020261e130b56a3f");
  });

  it("gives one key for wallets that write the same signature differently", async () => {
    const order = secp256k1.Point.Fn.ORDER;
    const flipped = signerOf((signature) => {
      const s = toHex(order - BigInt(slice(signature, 32, 64)), { size: 32 });
      const v = Number(slice(signature, 64)) === 27 ? "0x1c" : "0x1b";
      return concat([slice(signature, 0, 32), s, v]);
    });
    const usual = await deriveKey({ wallet, ...deployment });
    expect((await deriveKey({ wallet: flipped, ...deployment })).keyX).toBe(usual.keyX);
  });

  it("refuses a wallet that signs the same message differently", async () => {
    const fickle: TypedDataSigner = {
      address: wallet.address,
      signTypedData: async (message) => {
        const { signature } = signWithRandomness(await digestOf(message));
        return signature;
      },
    };
    await expect(deriveKey({ wallet: fickle, ...deployment })).rejects.toMatchObject({
      code: "CLI_WALLET_UNSUPPORTED",
      data: { reason: "not-deterministic" },
    });
  });

  it("refuses a signature that is not the address's own, and one that is not 65 bytes", async () => {
    const stranger = privateKeyToAccount(pad("0x02"));
    const foreign: TypedDataSigner = {
      address: wallet.address,
      signTypedData: (message) => stranger.signTypedData(message),
    };
    const contract = signerOf((signature) => concat([signature, "0x00"]));
    for (const unsupported of [foreign, contract]) {
      await expect(deriveKey({ wallet: unsupported, ...deployment })).rejects.toMatchObject({
        code: "CLI_WALLET_UNSUPPORTED",
        data: { reason: "signature-unsupported" },
      });
    }
  });

  async function digestOf(message: Parameters<TypedDataSigner["signTypedData"]>[0]): Promise<Hex> {
    const { hashTypedData } = await import("viem");
    return hashTypedData(message);
  }

  function signWithRandomness(digest: Hex): { signature: Hex } {
    const bytes = secp256k1.sign(
      Buffer.from(digest.slice(2), "hex"),
      Buffer.from(pad("0x01").slice(2), "hex"),
      {
        prehash: false,
        extraEntropy: true,
        format: "recovered",
      },
    );
    return { signature: concat([toHex(bytes.slice(1)), toHex(27 + bytes[0]!)]) };
  }
});

describe("createRandomKey", () => {
  it("makes keys that differ and sign", async () => {
    const [first, second] = await Promise.all([createRandomKey(), createRandomKey()]);
    expect(first.keyX).not.toBe(second.keyX);
    expect(verifySignature({ keyX: first.keyX, message: 7n, signature: first.sign(7n) })).toBe(true);
  });
});

describe("keyFromSecret", () => {
  it("restores a key from its secret, and refuses anything else", async () => {
    const key = await createRandomKey();
    expect((await keyFromSecret(key.secret)).keyX).toBe(key.keyX);
    await expect(keyFromSecret("0x1234")).rejects.toMatchObject({
      code: "CLI_INPUT_INVALID",
      data: { reason: "key-malformed" },
    });
  });

  it("never shows the secret as a string, in JSON or when inspected", async () => {
    const key = await keyFromSecret(pad("0xabcdef"));
    for (const text of [
      `${key.secret}`,
      JSON.stringify({ secret: key.secret }),
      inspect(key, { depth: 9 }),
    ]) {
      expect(text).toContain("[secret]");
      expect(text).not.toContain("abcdef");
    }
  });
});
