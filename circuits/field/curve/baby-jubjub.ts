/** BabyJubJub (ERC-2494) by noble's arithmetic, with our roots and our test of the subgroup: both take a tenth of noble's time. */
import { edwards } from "@noble/curves/abstract/edwards.js";
import { babyjubjub } from "@noble/curves/misc.js";
import { invertMod } from "@openledger/foundation/modular";
import { FIELD_ORDER } from "../../protocol.ts";
import { squareRoot } from "../square-root.ts";
import { isInSubgroup } from "./subgroup.ts";

const Curve = edwards(babyjubjub.Point.CURVE(), {
  uvRatio: (u, v) => {
    const root = squareRoot(u * invertMod(v, FIELD_ORDER));
    return { isValid: root !== null, value: root ?? 0n };
  },
});

/** A point. BASE generates the subgroup of prime order: circomlib's B8, 8 times ERC-2494's generator. */
export class Point extends Curve {
  static override fromBytes(bytes: Uint8Array): Point {
    const { X, Y, Z, T } = Curve.fromBytes(bytes);
    return new Point(X, Y, Z, T);
  }

  /** Counts the points that noble computes as instances, too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Curve;
  }

  override isTorsionFree(): boolean {
    return isInSubgroup(this.toAffine());
  }
}
// Its table is made when a key first signs: few of those who load this file sign.
Point.BASE.precompute(8);
