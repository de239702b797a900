/**
 * x402 at an answer server: the requirements that an unpaid question gets, the payment in a request's header, and the headers of
 * the answer. The service (answer-service.ts) verifies, settles and opens; docs/reference/x402.md is the contract.
 */
import { attributionError } from "@openledger/attribution/attribution-errors";
import {
  decodeX402Header,
  encodeX402Header,
  promptSha256,
  X402_HEADERS,
  X402_PAYMENT_ID,
  X402_PAYMENT_ID_TERMS,
  X402_SCHEME,
  X402_TIMEOUT_SECONDS,
  X402_VERSION,
  type X402Required,
  type X402Requirements,
  type X402Settled,
} from "@openledger/circuits/wire/x402-payment";
import { type X402Payment, x402Payment } from "@openledger/circuits/wire/x402-schemas";
import { hex32 } from "@openledger/foundation/hex";
import { ownUrl } from "@openledger/foundation/http/own-url";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { X402Terms } from "./ledger-view.ts";

/** A payment as it came, and as it is read. */
export interface PresentedPayment {
  readonly raw: object;
  readonly read: X402Payment;
}

/** A request that is paid by x402, or may be. */
export interface X402Request {
  /** null for a request without a payment: it gets the requirements. */
  readonly payment: PresentedPayment | null;
  /** Full URL of the request. */
  readonly resourceUrl: string;
  /** True for a chat: the text that is bound is told with the requirements. */
  readonly isChat?: boolean;
  /** Full URL of a model's `/v1/answers`, where its questions are asked in the payer's name. */
  askUrl(modelId: number): string;
}

/**
 * The exchange of a request.
 * @param path of the request
 * @param publicUrl of the server; without one, the name that it is asked by
 * @param ledgerPath that the routes of registered models begin with
 * @throws RollupError SRV_BAD_REQUEST for a header that is no payment
 */
export function x402RequestOf(
  request: Pick<FastifyRequest, "headers" | "host" | "protocol">,
  { ledgerPath, path, publicUrl }: { ledgerPath: string; path: string; publicUrl?: string | undefined },
): X402Request {
  const own = ownUrl(request, publicUrl);
  return {
    payment: presentedPayment(request.headers[X402_HEADERS.payment]),
    resourceUrl: `${own}${path}`,
    askUrl: (modelId) => `${own}${ledgerPath}/${modelId}/v1/answers`,
  };
}

/** Question of a model whose payment is required. */
export interface OfferedQuestion {
  readonly modelId: number;
  readonly staticsHash: bigint;
  readonly prompt: string;
  readonly priceWei: bigint;
}

/**
 * The payment in a request's header; null where there is none.
 * @throws RollupError SRV_BAD_REQUEST
 */
function presentedPayment(header: string | string[] | undefined): PresentedPayment | null {
  if (header === undefined) return null;
  const name = X402_HEADERS.payment;
  let raw: unknown;
  try {
    raw = decodeX402Header(String(header));
  } catch (cause) {
    throw attributionError("SRV_BAD_REQUEST", `the header ${name} is no base64 of JSON`, {
      data: { field: name },
      cause,
    });
  }
  const read = x402Payment.safeParse(raw);
  if (read.success) return { raw: raw as object, read: read.data };
  throw attributionError("SRV_BAD_REQUEST", z.prettifyError(read.error).slice(0, 1_000), {
    data: { fields: read.error.issues.slice(0, 20).map(({ path }) => [name, ...path].join(".")) },
  });
}

export function requirementsOf(
  { modelId, priceWei, prompt, staticsHash }: OfferedQuestion,
  { accountUrl, asset, network }: X402Terms,
  request: Pick<X402Request, "askUrl">,
): X402Requirements {
  return {
    scheme: X402_SCHEME,
    network: network as X402Requirements["network"],
    amount: priceWei.toString(),
    asset,
    payTo: String(modelId),
    maxTimeoutSeconds: X402_TIMEOUT_SECONDS,
    extra: {
      modelId,
      staticsHash: hex32(staticsHash),
      promptSha256: promptSha256(prompt),
      askUrl: request.askUrl(modelId),
      accountUrl,
    },
  };
}

export const requiredOf = (
  requirements: X402Requirements,
  { resourceUrl }: Pick<X402Request, "resourceUrl">,
  error: string,
): X402Required => ({
  x402Version: X402_VERSION,
  error,
  resource: {
    url: resourceUrl,
    description: `An answer of model ${requirements.payTo}, with its receipt`,
    mimeType: "application/json",
  },
  accepts: [requirements],
  extensions: { [X402_PAYMENT_ID]: X402_PAYMENT_ID_TERMS },
});

/** Name that the client gave the payment; null where it gave none. */
export const paymentIdOf = ({ read }: PresentedPayment): string | null =>
  read.extensions?.[X402_PAYMENT_ID]?.info.id ?? null;

/** Headers of a refusal: the requirements, and the settlement that failed. */
export function refusalHeaders(error: unknown): Record<string, string> {
  if (!isRollupError(error)) return {};
  const { paymentRequired, settlement } = error.data as {
    paymentRequired?: object;
    settlement?: X402Settled;
  };
  if (paymentRequired === undefined) return {};
  return {
    [X402_HEADERS.required]: encodeX402Header(paymentRequired),
    ...(settlement === undefined ? {} : responseHeaders(settlement)),
    "cache-control": "no-store",
  };
}

export const responseHeaders = (settlement: X402Settled): Record<string, string> => ({
  [X402_HEADERS.response]: encodeX402Header(settlement),
});

/** Headers that a page of another origin may read. */
export const X402_EXPOSED = [X402_HEADERS.required, X402_HEADERS.response];
