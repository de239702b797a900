/**
 * Clients of an Ethereum node over JSON-RPC, and the coded errors of their calls: every read and write of L1
 * goes through `l1Call` or a `Reader` of here. Callers decide about repetition.
 */
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { isNodeUnreachable } from "@openledger/contracts/l1/node-refusal";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import {
  type Abi,
  type Address,
  BaseError,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type ContractFunctionReturnType,
  ContractFunctionRevertedError,
  createPublicClient,
  custom,
  decodeErrorResult,
  type Hex,
  type HttpTransportConfig,
  http,
  type PublicClient,
  type Transport,
} from "viem";
import { bridgeError } from "../bridge-errors.ts";
import { patientFetch } from "./patient-fetch.ts";

/**
 * Maximum bytes of a node's answer, 64 MiB. Attack: a block full of one contract's events, which is more than viem
 * takes by default. A block of 200 million gas fits.
 */
const MAX_ANSWER_BYTES = 2 ** 26;

/** A node over HTTP. */
const l1Http = (rpcUrl: string, options: HttpTransportConfig = {}) =>
  http(rpcUrl, { maxResponseBodySize: MAX_ANSWER_BYTES, ...options });

export type L1Client = PublicClient<Transport, undefined>;

interface L1ClientOptions {
  readonly rpcUrl: string;
  /** Milliseconds after which one attempt is given up; default 20,000. */
  readonly timeoutMs?: number;
  /** Milliseconds between viem's own looks at new blocks; default 1,000. */
  readonly pollIntervalMs?: number;
  /** Milliseconds for which a request is repeated while the node is busy; 0, the default: not repeated. */
  readonly patienceMs?: number;
}

/** Hosted nodes count requests per second or per minute: two minutes outlast either. */
const PATIENCE_MS = 120_000;

/** A client that uses a wallet's own node, for pages that know no other. */
export const createWalletL1Client = (provider: {
  request(request: { method: string; params?: unknown }): Promise<unknown>;
}): L1Client => createPublicClient({ transport: custom(provider, { retryCount: 0 }), cacheTime: 0 });

/** A client of an L1 node. It does not retry: its callers poll, and count failures. */
export function createL1Client(options: L1ClientOptions): L1Client {
  const { patienceMs = 0, timeoutMs: attemptTimeoutMs = 20_000 } = options;
  return createPublicClient({
    transport: l1Http(options.rpcUrl, {
      retryCount: 0,
      timeout: attemptTimeoutMs + patienceMs,
      ...(patienceMs === 0 ? {} : { fetchFn: patientFetch({ attemptTimeoutMs, patienceMs }) }),
    }),
    pollingInterval: options.pollIntervalMs ?? 1_000,
    // Blocks are compared by hash; an answer from a cache would hide a reorganisation.
    cacheTime: 0,
  });
}

/**
 * A client for commands that run once and send thousands of requests: a node with a rate limit, or one that restarts,
 * makes them slower and does not end them.
 */
export const createPatientL1Client = (options: L1ClientOptions): L1Client =>
  createL1Client({ patienceMs: PATIENCE_MS, ...options });

/** Answer of a contract that refused a call. */
export interface ContractRevert {
  /** Name of the Solidity error, or null where the revert data names none that the ABI has. */
  readonly errorName: string | null;
  readonly operands: readonly unknown[];
}

/** The revert behind a BRG_CONTRACT_REVERTED, or null. */
export function revertOf(error: unknown): ContractRevert | null {
  return isRollupError(error, "BRG_CONTRACT_REVERTED") ? (error.data as ContractRevert) : null;
}

/** Returns true if a transaction was mined and reverted: it was lawful when it was sent. */
export const wasMined = (error: unknown): boolean =>
  isRollupError(error, "BRG_CONTRACT_REVERTED") && "transactionHash" in error.data;

/**
 * Converts the error of an L1 call to its coded form: BRG_CONTRACT_REVERTED with the contract error's name and
 * operands, BRG_L1_UNREACHABLE where the node did not answer, BRG_L1_REFUSED for the rest. RollupErrors pass
 * unchanged.
 * @param doing the attempted action, as the end of "failed to …".
 */
function l1Error(error: unknown, doing: string): RollupError {
  if (isRollupError(error)) return error;
  if (!(error instanceof BaseError)) {
    return bridgeError("BRG_L1_REFUSED", `failed to ${doing}`, { cause: error });
  }
  const reverted = error.walk(
    (e) => e instanceof ContractFunctionRevertedError,
  ) as ContractFunctionRevertedError | null;
  const revert = reverted === null ? rawRevert(error) : decodedRevert(reverted);
  if (revert !== null) {
    const operands = revert.operands.map(String).join(", ");
    return bridgeError(
      "BRG_CONTRACT_REVERTED",
      `the contract refuses to ${doing}: ${revert.errorName ?? "no reason given"}(${operands})`,
      {
        data: { doing, ...revert },
        cause: error,
      },
    );
  }
  const isUnreachable = isNodeUnreachable(error);
  return bridgeError(
    isUnreachable ? "BRG_L1_UNREACHABLE" : "BRG_L1_REFUSED",
    `failed to ${doing}: ${error.shortMessage}`,
    {
      data: { doing, details: error.details },
      cause: error,
    },
  );
}

/** Runs an L1 call and converts its error to the coded form. */
export async function l1Call<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw l1Error(error, doing);
  }
}

function decodedRevert(error: ContractFunctionRevertedError): ContractRevert {
  if (error.data !== undefined) return { errorName: error.data.errorName, operands: error.data.args ?? [] };
  // A write has no error of the contract's: viem gives it the function alone.
  if (error.raw !== undefined && error.raw.length > 2) return decodedData(error.raw);
  return { errorName: null, operands: error.signature === undefined ? [] : [error.signature] };
}

// Plain eth_call and eth_estimateGas carry the revert data in an error of the transport.
function rawRevert(error: BaseError): ContractRevert | null {
  const carrier = error.walk((e) => typeof (e as { data?: unknown }).data === "string") as {
    data?: Hex;
  } | null;
  const data = carrier?.data;
  if (data === undefined || !/^0x([0-9a-f]{2}){4,}$/i.test(data)) {
    return /execution reverted/i.test(`${error.details} ${error.shortMessage}`)
      ? { errorName: null, operands: [] }
      : null;
  }
  return decodedData(data);
}

function decodedData(data: Hex): ContractRevert {
  try {
    const { errorName, args } = decodeErrorResult({ abi: rollupAbi, data });
    return { errorName, operands: args ?? [] };
  } catch {
    return { errorName: null, operands: [data] };
  }
}

type Reads = "pure" | "view";

/** Block of a read; the newest one where it is absent. */
export type AtBlock = { readonly blockNumber?: bigint };

/** Views of one sort of contract, each by its name there. */
export type Reader<Of extends Abi> = (
  client: Pick<PublicClient, "readContract">,
  address: Address,
) => <const Name extends ContractFunctionName<Of, Reads>>(
  functionName: Name,
  args: ContractFunctionArgs<Of, Reads, Name>,
  at?: AtBlock,
) => Promise<ContractFunctionReturnType<Of, Reads, Name>>;

/**
 * Makes the typed reader of one ABI. Its calls throw BRG_L1_UNREACHABLE, BRG_L1_REFUSED, BRG_CONTRACT_REVERTED.
 * @param where the contract's name in messages
 */
export const readerOf =
  <const Of extends Abi>(abi: Of, where: string): Reader<Of> =>
  (client, address) =>
  (functionName, args, at = {}) =>
    l1Call(`read ${functionName} of the ${where}`, () =>
      client.readContract({ address, abi, functionName, args, ...at } as never),
    ) as never;
