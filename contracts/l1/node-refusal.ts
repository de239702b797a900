/**
 * Classes of an Ethereum node's failure: it did not answer, or it answered with a refusal. l1-client.ts gives
 * them codes.
 */
import { BaseError, HttpRequestError, RpcError, RpcRequestError, TimeoutError } from "viem";

/**
 * True for a status that is an answer: 4xx, for example 413 for a range that is too long. 408 and 429 are
 * about time.
 */
const isAnswer = ({ status }: HttpRequestError): boolean =>
  status !== undefined && /^4(?!08|29)/.test(String(status));

/** True if nobody answered in time, by viem's error. */
export const isNodeUnreachable = (error: BaseError): boolean =>
  error.walk((one) => one instanceof TimeoutError || (one instanceof HttpRequestError && !isAnswer(one))) !==
  null;

/** Code that viem gives an error that a provider throws without one. */
const NO_CODE = -1;

/** True if the node answered and refused, by viem's error. */
export const isNodeRefusal = (error: unknown): boolean =>
  error instanceof BaseError &&
  error.walk(
    (one) =>
      one instanceof RpcRequestError ||
      (one instanceof RpcError && one.code !== NO_CODE) ||
      (one instanceof HttpRequestError && isAnswer(one)),
  ) !== null;
