/** Routes of x402's facilitator, below /x402: what is supported, whether a payment is valid, and its settlement. */
import { X402_PATH } from "@openledger/circuits/wire/x402-payment";
import { x402FacilitatorBody } from "@openledger/circuits/wire/x402-schemas";
import { ownUrl } from "@openledger/foundation/http/own-url";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { sequencerError } from "../../sequencer-errors.ts";
import type { ApiModules, ApiOptions } from "../api-options.ts";
import { X402Facilitator } from "../x402-facilitator.ts";

/** A payment with its requirements twice is about 4 KB. */
const MAX_BODY_BYTES = 16 * 1024;
/** Page for payers where the sequencer serves no pages of its own. */
const ACCOUNT_DOCS = "docs/reference/x402.md#an-account";

export async function registerX402Routes(
  app: FastifyInstance,
  { deployment, pages, publicUrl }: ApiOptions,
  { operator }: Pick<ApiModules, "operator">,
): Promise<void> {
  const route = routesOf(app);
  const facilitator = operator === null ? null : new X402Facilitator(deployment, operator);
  const facilitatorOf = () => {
    if (facilitator !== null) return facilitator;
    throw sequencerError("SEQ_READ_ONLY", "payments are settled by the sequencer: ask it", { data: {} });
  };
  /** URL at which a payer gets an account: the pages, under the request's host name. */
  const accountUrl = (request: FastifyRequest) =>
    pages === undefined ? ACCOUNT_DOCS : `${ownUrl(request, publicUrl)}/`;
  route(`GET ${X402_PATH}/supported`, { tag: "x402", summary: "What a payment of x402 may be" }, (request) =>
    facilitatorOf().supported(accountUrl(request)),
  );
  const payment = { tag: "x402", body: x402FacilitatorBody, bodyLimit: MAX_BODY_BYTES };
  route(
    `POST ${X402_PATH}/verify`,
    { ...payment, summary: "Whether a payment would be executed now" },
    ({ body }) => facilitatorOf().verify(body),
  );
  route(
    `POST ${X402_PATH}/settle`,
    { ...payment, summary: "Execute a payment; again, the same answer" },
    ({ body }) => facilitatorOf().settle(body),
  );
}
