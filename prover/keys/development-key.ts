/**
 * Recognises development keys, whose secrets are public, under any name: deployments, ceremonies and `openledger verify` refuse
 * one that claims to be another.
 */
import { bn254 } from "@noble/curves/bn254.js";
import type { VerificationKey } from "../formats/verification-key.ts";
import { developmentSecrets } from "./development-secrets.ts";

/**
 * True if everybody knows a key's secrets, whatever its metadata says. Development keys share alpha and beta,
 * so no circuit has to be compiled to see it; one of the two is enough, since no ceremony arrives at it by
 * chance.
 */
export function isDevelopmentKey({ alpha, beta }: Pick<VerificationKey, "alpha" | "beta">): boolean {
  const secrets = developmentSecrets("any circuit");
  const knownAlpha = bn254.G1.Point.BASE.multiply(secrets.alpha).toAffine();
  const knownBeta = bn254.G2.Point.BASE.multiply(secrets.beta).toAffine();
  const isAlpha = alpha[0] === knownAlpha.x && alpha[1] === knownAlpha.y;
  const { x, y } = knownBeta;
  // Real parts first.
  const known = [x.c0, x.c1, y.c0, y.c1];
  return isAlpha || beta.flat().every((coordinate, i) => coordinate === known[i]);
}
