/** What an Ethereum node's failure says: it did not answer, or it answered that it will not. */
import { BaseError, HttpRequestError, RpcError, RpcRequestError, TimeoutError } from "viem";

/** A status 4xx is an answer, 413 for a range that is too long, say; but 408 and 429 are about time. */
const isAnswer = ({ status }: HttpRequestError): boolean =>
  status !== undefined && /^4(?!08|29)/.test(String(status));

/** Whether viem says that nobody answered in time. */
export const isNodeUnreachable = (error: BaseError): boolean =>
  error.walk((one) => one instanceof TimeoutError || (one instanceof HttpRequestError && !isAnswer(one))) !==
  null;

/** viem's code for whatever a provider throws without one. */
const NO_CODE = -1;

/** Whether viem says that the node answered, and refused. */
export const isNodeRefusal = (error: unknown): boolean =>
  error instanceof BaseError &&
  error.walk(
    (one) =>
      one instanceof RpcRequestError ||
      (one instanceof RpcError && one.code !== NO_CODE) ||
      (one instanceof HttpRequestError && isAnswer(one)),
  ) !== null;
