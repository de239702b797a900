import {
  derivePublicKey,
  type OperationMessage,
  signMessage,
  verifySignature,
} from "@openledger/circuits/field/curve/eddsa";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { hex32 } from "@openledger/foundation/hex";
import { Secret } from "@openledger/foundation/secret";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { createPreconfirmationSigner } from "../testing/preconfirmation-signer.ts";
import { SignaturePool, type SignaturePoolOptions } from "./signature-pool.ts";

const identity = {
  chainId: 31337,
  rollupAddress: `0x${"5b".repeat(20)}`,
  privateKey: hex32(77n),
} as const;
const openPools: SignaturePool[] = [];

beforeAll(initPoseidon);
afterEach(async () => {
  for (const pool of openPools.splice(0)) await pool.close();
});

function openPool(options: Partial<SignaturePoolOptions>, fatal: unknown[] = []): SignaturePool {
  const pool = new SignaturePool({ threadCount: 0, maxWaiting: 1_000, ...options }, identity, (error) =>
    fatal.push(error),
  );
  openPools.push(pool);
  return pool;
}

const messageOf = (w: bigint): OperationMessage => [77n, [1n, 2n, w]];
const checkOf = (secret: bigint, w: bigint, isGood = true) => ({
  keyX: derivePublicKey(secret).x,
  message: messageOf(w),
  signature: signMessage(secret, messageOf(isGood ? w : w + 1n)),
});

describe.each([0, 1, 2])("SignaturePool with %i threads", (threadCount) => {
  it("gives every check its verdict and every preconfirmation its signature", async () => {
    const pool = openPool({ threadCount });
    const signer = createPreconfirmationSigner(identity, new Secret(identity.privateKey));
    expect(pool.address).toBe(signer.address);
    const tasks = Array.from({ length: 40 }, (_, i) => {
      const facts = { operationHash: hex32(BigInt(i)), opIndex: i, deadlineSeconds: 5 };
      return { check: checkOf(BigInt(1 + (i % 5)), BigInt(i), i % 3 !== 0), facts };
    });
    const [verdicts, preconfirmations] = await Promise.all([
      Promise.all(tasks.map(({ check }, i) => pool.verify(check, i % 5))),
      Promise.all(tasks.map(({ facts }) => pool.sign(facts))),
    ]);
    expect(verdicts).toEqual(tasks.map((_, i) => i % 3 !== 0));
    expect(preconfirmations).toEqual(await Promise.all(tasks.map(({ facts }) => signer.sign(facts))));
  });

  it("gives the verdicts on one leaf in the order in which they were asked for", async () => {
    const pool = openPool({ threadCount });
    const order: number[] = [];
    const check = checkOf(3n, 9n);
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        await pool.verify({ ...check, signature: { ...check.signature } }, 1);
        order.push(i);
      }),
    );
    expect(order).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });
});

describe("SignaturePool", () => {
  it("lets verifySignature know the verdict on that signature, key and message, and on no other", async () => {
    const pool = openPool({});
    const bad = checkOf(4n, 1n, false);
    expect(await pool.verify(bad, 1)).toBe(false);
    expect(verifySignature(bad)).toBe(false);
    // It is good for its own message, whatever the verdict on another.
    expect(verifySignature({ ...bad, message: messageOf(2n) })).toBe(true);
    const good = checkOf(4n, 1n);
    expect(await pool.verify(good, 1)).toBe(true);
    expect(verifySignature(good)).toBe(true);
    expect(verifySignature({ ...good, message: messageOf(2n) })).toBe(false);
    expect(verifySignature({ ...good, keyX: derivePublicKey(5n).x })).toBe(false);
    expect(() => Object.assign(good.signature, { s: 1n })).toThrow(TypeError);
    expect(verifySignature({ ...good, signature: { ...good.signature, s: 1n } })).toBe(false);
  });

  it("refuses more signatures than it keeps waiting, and goes on afterwards", async () => {
    const pool = openPool({ maxWaiting: 3 });
    const waiting = [1n, 2n, 3n].map((w) => pool.verify(checkOf(6n, w), 1));
    expect(() => pool.verify(checkOf(6n, 4n), 1)).toThrow(
      expect.objectContaining({
        code: "SRV_OVERLOADED",
        data: expect.objectContaining({ reason: "signatures-waiting" }),
      }),
    );
    expect(await Promise.all(waiting)).toEqual([true, true, true]);
    expect(await pool.verify(checkOf(6n, 4n), 1)).toBe(true);
  });

  it("reports a thread that dies, once", async () => {
    const fatal: unknown[] = [];
    const pool = openPool({ threadCount: 1 }, fatal);
    // Nothing that a thread can sign.
    void pool.sign({ operationHash: hex32(0n), opIndex: -1, deadlineSeconds: 0 });
    await expect.poll(() => fatal.length, { timeout: 60_000 }).toBe(1);
    expect(fatal[0]).toMatchObject({ code: "SRV_INTERNAL" });
  });
});

describe("preconfirmations that are read again", () => {
  const factsOf = (opIndex: number) => ({
    operationHash: hex32(BigInt(opIndex)),
    opIndex,
    deadlineSeconds: 5,
  });

  it("are the same, and are kept", async () => {
    const pool = openPool({});
    const first = await pool.signAgain(factsOf(3));
    expect(first).toEqual(await pool.sign(factsOf(3)));
    expect(await pool.signAgain(factsOf(3))).toBe(first);
    expect(await pool.signAgain({ ...factsOf(3), deadlineSeconds: 6 })).not.toEqual(first);
  });

  it.each([0, 1])("wait behind everything that somebody waits for, with %i threads", async (threadCount) => {
    const pool = openPool({ threadCount });
    const order: string[] = [];
    const note = (name: string) => () => void order.push(name);
    const repeated = Array.from({ length: 200 }, (_, i) => pool.signAgain(factsOf(i)).then(note("again")));
    const promised = Array.from({ length: 20 }, (_, i) =>
      pool.sign(factsOf(1_000 + i)).then(note("promise")),
    );
    const checks = Array.from({ length: 20 }, (_, i) =>
      pool.verify(checkOf(1n, BigInt(i)), i).then(note("check")),
    );
    await Promise.all([...repeated, ...promised, ...checks]);
    expect(order.slice(0, 40).filter((name) => name === "again")).toHaveLength(0);
  });
});
