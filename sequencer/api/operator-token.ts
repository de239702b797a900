/**
 * Checks the bearer tokens of the operator's own processes: for the routes /operator/…, which only they may call, with their
 * common options; and for the servers that are limited by nothing but their turn.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { bearerToken } from "@openledger/foundation/http/bearer-token";
import type { Secret } from "@openledger/foundation/secret";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { sequencerError } from "../sequencer-errors.ts";
import { MAX_OPERATOR_BODY_BYTES } from "./api-options.ts";

/** Digests have one length, so the comparison leaks nothing about the token's. */
const digest = (text: string) => createHash("sha256").update(text).digest();

/** Tells whether a request has one of these tokens. */
export function tokenCheck(tokens: readonly Secret<string>[]): (request: FastifyRequest) => boolean {
  const expected = tokens.map((token) => digest(token.reveal()));
  return ({ headers: { authorization } }) => {
    const token = bearerToken(authorization);
    if (token === null) return false;
    const input = digest(token);
    // Compares all of them, so that the time does not tell which one matched.
    return expected.map((one) => timingSafeEqual(input, one)).includes(true);
  };
}

/** Every route of this scope takes one of these tokens. @throws SRV_UNAUTHORIZED before the body is read */
export function requireToken(app: FastifyInstance, tokens: readonly Secret<string>[]): void {
  const isKnown = tokenCheck(tokens);
  app.addHook("onRequest", async (request) => {
    if (!isKnown(request))
      throw sequencerError("SRV_UNAUTHORIZED", "this route takes the token of another role");
  });
}

export const operatorRoute = <Parts extends object = object>(summary: string, parts = {} as Parts) => ({
  bodyLimit: MAX_OPERATOR_BODY_BYTES,
  config: { rateLimit: false as const },
  tag: "operator",
  summary,
  security: [{ operator: [] }],
  ...parts,
});
