/**
 * Deterministic signatures over secp256k1 (RFC 6979, low s), the same bytes as noble's, many at a time: what is divided
 * by is inverted together, and the nonces' points come from WebAssembly.
 */
import { createHmac } from "node:crypto";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { invertAll } from "@openledger/circuits/field/modular";
import { GeneratorKernel } from "./signature-curve-kernel.ts";

const prime = secp256k1.Point.Fp.ORDER;
const order = secp256k1.Point.Fn.ORDER;

export interface RecoverableSignature {
  readonly r: bigint;
  readonly s: bigint;
  /** 1 where the nonce's point has an odd y. */
  readonly yParity: 0 | 1;
}

const toNumber = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
const toBytes = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, "0"), "hex");
const hmac = (key: Uint8Array, ...parts: Uint8Array[]): Buffer => {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(part);
  return mac.digest();
};

/** RFC 6979, section 3.2, for SHA-256 and an order of 256 bits. */
function* nonces(secret: Uint8Array, digest: Uint8Array): Generator<bigint, never> {
  const seed = [secret, toBytes(toNumber(digest) % order)];
  let v: Buffer = Buffer.alloc(32, 1);
  let k = hmac(Buffer.alloc(32), v, Uint8Array.of(0), ...seed);
  v = hmac(k, v);
  k = hmac(k, v, Uint8Array.of(1), ...seed);
  v = hmac(k, v);
  for (;;) {
    v = hmac(k, v);
    const nonce = toNumber(v);
    if (nonce > 0n && nonce < order) yield nonce;
    k = hmac(k, v, Uint8Array.of(0));
    v = hmac(k, v);
  }
}

export class Secp256k1Signer {
  readonly #secret: Uint8Array;
  readonly #key: bigint;
  readonly #kernel = new GeneratorKernel();

  /** @param secret 32 bytes, 0 < secret < order */
  constructor(secret: Uint8Array) {
    this.#secret = secret;
    this.#key = toNumber(secret);
  }

  /** @param digests 32 bytes each */
  sign(digests: readonly Uint8Array[]): RecoverableSignature[] {
    if (digests.length === 0) return [];
    const chosen = digests.map((digest) => nonces(this.#secret, digest).next().value);
    const points = chosen.map((nonce) => this.#kernel.multiply(toBytes(nonce).reverse()));
    const nonceInverses = invertAll(chosen, order);
    const zInverses = invertAll(
      points.map(({ z }) => z),
      prime,
    );
    return digests.map((digest, i) => {
      const [point, zInverse] = [points[i]!, zInverses[i]!];
      const zz = (zInverse * zInverse) % prime;
      const r = (point.x * zz) % prime;
      const y = (((point.y * zz) % prime) * zInverse) % prime;
      const s = (nonceInverses[i]! * ((toNumber(digest) + r * this.#key) % order)) % order;
      // x at or above the order, r = 0, s = 0: nobody has ever met one of them.
      if (r === 0n || r >= order || s === 0n) throw new RangeError("a nonce that cannot be used");
      const isHigh = s > order >> 1n;
      const isOdd = (y & 1n) === 1n;
      return { r, s: isHigh ? order - s : s, yParity: isOdd === isHigh ? 0 : 1 };
    });
  }
}
