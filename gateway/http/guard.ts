/**
 * Guard of the gateway's HTTP: no route answers without the token, and none answers a web page. The framework below refuses
 * strange Host headers (DNS rebinding, foundation/http/local-requests.ts) before this runs.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { processErrors } from "@openledger/foundation/error-table";
import { bearerToken } from "@openledger/foundation/http/bearer-token";
import type { Secret } from "@openledger/foundation/secret";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { gatewayError } from "../gateway-errors.ts";

const TOKEN_BYTES = 32;
/** Makes a token: 32 random bytes in base64url. */
export const createToken = (): string => `olg_${randomBytes(TOKEN_BYTES).toString("base64url")}`;

const digestOf = (text: string) => createHash("sha256").update(text).digest();

/** Adds the guard: before any body is read, for every route and for those that are not there. */
export function guardGateway(app: FastifyInstance, token: Secret<string>): void {
  const expected = digestOf(token.reveal());
  app.addHook("onRequest", async (request) => {
    refusePages(request);
    if (!timingSafeEqual(digestOf(tokenOf(request)), expected))
      throw processErrors.raise(
        "SRV_UNAUTHORIZED",
        "the request has not the gateway's token: Authorization: Bearer …, or x-api-key: …",
      );
  });
}

/** Token of a request, as one of two kinds of clients sends it; "" for none. */
function tokenOf({ headers: { authorization, "x-api-key": apiKey } }: FastifyRequest): string {
  return bearerToken(authorization) ?? (typeof apiKey === "string" ? apiKey : "");
}

/**
 * Attack: a page of the internet calls this machine in its visitor's browser. Its requests have an Origin, or the site that they
 * come from; there is no CORS, so that no page reads an answer either. The gateway has no pages: its own origin names a program
 * that says so, as MCP's clients may.
 * @throws GAT_PAGE_REFUSED
 */
function refusePages({ headers }: FastifyRequest): void {
  const { host, origin, "sec-fetch-site": site } = headers;
  const isOwn = origin === undefined || origin === `http://${host}`;
  // A person's typed address, and no page.
  const isTyped = site === undefined || site === "none";
  if (isOwn && isTyped) return;
  throw gatewayError("GAT_PAGE_REFUSED", "the gateway answers programs, and no web pages", {
    data: { origin: origin?.slice(0, 200), site: String(site).slice(0, 200) },
  });
}
