/** Test support: other bytes by which the same address signs the same, which anybody can make of a signature. */
import { type Hex, slice, toHex } from "viem";

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const parts = (signature: Hex) => ({
  r: slice(signature, 0, 32),
  s: slice(signature, 32, 64),
  v: Number(slice(signature, 64)),
});

export const twinsOf: Record<"highS" | "parity" | "upperCase", (signature: Hex) => Hex> = {
  highS(signature) {
    const { r, s, v } = parts(signature);
    return `${r}${toHex(ORDER - BigInt(s), { size: 32 }).slice(2)}${(55 - v).toString(16)}` as Hex;
  },
  parity(signature) {
    const { r, s, v } = parts(signature);
    return `${r}${s.slice(2)}0${v - 27}` as Hex;
  },
  upperCase: (signature) => `0x${signature.slice(2).toUpperCase()}`,
};
