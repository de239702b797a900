/** A node that does less than the true one behind it, for tests: limits of hosted nodes, and dropped data. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import {
  GAS_PER_BLOB,
  hasCells,
  isBlobTransaction,
  unwrapBlobTransaction,
} from "@openledger/contracts/l1/blob-transaction";
import { askNode, post } from "@openledger/contracts/testing/ask-node";
import type { Hex } from "viem";

interface LimitedRequest {
  /** Number of the request, from 1 on. */
  readonly number: number;
  readonly method: string;
  readonly params?: readonly unknown[];
  /** The true node's newest block, for a request of logs; 0 for others. */
  readonly headNumber: number;
}
/**
 * Answer of the node in the true one's place; null = the true node's answer, and `change` = that one, changed. `drop` breaks
 * the connection.
 */
export type Limit = (
  request: LimitedRequest,
) =>
  | { status?: number; body?: unknown; drop?: true; hang?: true }
  | { change: (result: unknown) => unknown }
  | null;

export const rpcError = (code: number, message: string) => ({
  jsonrpc: "2.0",
  id: "ID",
  error: { code, message },
});
export const rpcResult = (result: unknown) => ({ jsonrpc: "2.0", id: "ID", result });

interface LogFilter {
  readonly blockHash?: string;
  readonly fromBlock?: string;
  readonly toBlock?: string;
}

/** Range of blocks whose logs are requested; null for other requests. A missing bound is the newest block. */
function logRange({ headNumber, method, params }: LimitedRequest): {
  fromBlock: number;
  toBlock: number;
} | null {
  if (method !== "eth_getLogs") return null;
  const { blockHash, fromBlock, toBlock } = params![0] as LogFilter;
  if (blockHash !== undefined) return null;
  const numberOf = (bound: string | undefined) => {
    if (bound === "earliest") return 0;
    return bound?.startsWith("0x") ? Number(bound) : headNumber;
  };
  return { fromBlock: numberOf(fromBlock), toBlock: numberOf(toBlock) };
}

/** Leaves out logs that the true node has, for as long as it is told to. */
export const leavesOut =
  (isLeftOut: (log: { readonly topics: readonly Hex[]; readonly blockNumber: Hex }) => boolean): Limit =>
  ({ method }) =>
    method === "eth_getLogs"
      ? { change: (result) => (result as Parameters<typeof isLeftOut>[0][]).filter((log) => !isLeftOut(log)) }
      : null;

/** Answers of hosted nodes that refuse a range of logs, from their operators' documentation. */
export const RANGE_REFUSALS = {
  "400 with -32600": {
    status: 400,
    body: rpcError(-32600, "you can make eth_getLogs requests with up to a 10 block range"),
  },
  "-32602": { body: rpcError(-32602, "query exceeds max block range") },
  "-32005": { body: rpcError(-32005, "query returned more than 10000 results") },
  "-32701": { body: rpcError(-32701, "exceed maximum block range") },
  "413 with -32614": { status: 413, body: rpcError(-32614, "eth_getLogs is limited") },
  "413 in plain text": { status: 413, body: "request entity too large" },
} as const satisfies Record<string, ReturnType<Limit>>;

/** Limits the blocks of one request for logs. */
export const limitsRange =
  (blocks: number, answer: ReturnType<Limit>): Limit =>
  (request) => {
    const range = logRange(request);
    return range !== null && range.toBlock - range.fromBlock + 1 > blocks ? answer : null;
  };

/** Acts like geth after 2,350,000 blocks: it has the blocks, and no index of transactions by their hash. */
export const forgetsHashes: Limit = ({ method }) =>
  ["eth_getTransactionByHash", "eth_getTransactionReceipt"].includes(method)
    ? { body: rpcResult(null) }
    : null;

/** Place of the block among the parameters of methods that read a state. */
const STATE_BLOCK: Readonly<Record<string, number>> = { eth_call: 1, eth_getCode: 1 };

/**
 * Acts like a node that has dropped the blocks before this one (EIP-4444), and has the states of the last 128 only. A
 * request for older events is refused, or gets an empty list.
 */
export const dropsBlocksBefore =
  (first: number, headNumber: number, logs: "refused" | "none"): Limit =>
  (request) => {
    const gone = { body: rpcError(4444, "pruned history unavailable") };
    const { method, params } = request;
    const range = logRange(request);
    if (range !== null && range.fromBlock < first) return logs === "refused" ? gone : { body: rpcResult([]) };
    if (method === "eth_getBlockByNumber" && Number(params![0]) < first) return gone;
    const at = params?.[STATE_BLOCK[method] ?? -1];
    if (typeof at === "string" && Number(at) < headNumber - 127)
      return { body: rpcError(-32000, "missing trie node") };
    return null;
  };

/** Acts like geth, which simulates a call with blobs only for an account that could pay the fee that the call names. */
export const chargesTriedBlobs =
  (balanceWei: bigint): Limit =>
  ({ method, params }) => {
    if (method !== "eth_call" && method !== "eth_estimateGas") return null;
    const call = params![0] as { blobVersionedHashes?: readonly string[]; maxFeePerBlobGas?: string };
    const blobGas = GAS_PER_BLOB * BigInt(call.blobVersionedHashes?.length ?? 0);
    if (blobGas * BigInt(call.maxFeePerBlobGas ?? 0) <= balanceWei) return null;
    return { body: rpcError(-32000, "insufficient funds for gas * price + value") };
  };

/** Acts like geth while its pool for transactions of this kind, or of the other one, has the account. */
export const poolHolds =
  (holds: () => "blobs" | "plain"): Limit =>
  ({ method, params }) =>
    method === "eth_sendRawTransaction" && isBlobTransaction(params![0] as Hex) !== (holds() === "blobs")
      ? { body: rpcError(-32000, "address already reserved") }
      : null;

/**
 * Acts like geth since Osaka (`validateBlobSidecarOsaka` in its txpool): one proof a blob is not enough. anvil behind it
 * checks cells.
 */
export const asksForCells: Limit = ({ method, params }) => {
  if (method !== "eth_sendRawTransaction" || !isBlobTransaction(params![0] as Hex)) return null;
  const isOld = !unwrapBlobTransaction(params![0] as Hex).sidecars.every(hasCells);
  return isOld ? { body: rpcError(-32000, "invalid sidecar version post-osaka: 0") } : null;
};

/**
 * Runs something against a node with this limit in front of the true one. @returns also the number of requests to the
 * true one
 */
export async function behindLimit<T>(
  trueUrl: string,
  limit: Limit,
  run: (rpcUrl: string) => Promise<T>,
): Promise<{ result: T; requestCount: number }> {
  let number = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request);
    const { id, method, params } = JSON.parse(body);
    const headNumber = method === "eth_getLogs" ? Number(await askNode(trueUrl, "eth_blockNumber")) : 0;
    const limited = limit({ number: ++number, method, params, headNumber });
    if (limited !== null && "change" in limited) {
      const answer = JSON.parse(await post(trueUrl, body)) as { readonly result?: unknown };
      const changed = "result" in answer ? { ...answer, result: limited.change(answer.result) } : answer;
      response.setHeader("content-type", "application/json");
      return response.end(JSON.stringify(changed));
    }
    if (limited?.drop) return request.socket.destroy();
    if (limited?.hang) return;
    const isPlain = typeof limited?.body === "string";
    response.setHeader("content-type", isPlain ? "text/plain" : "application/json");
    if (limited !== null) {
      response.statusCode = limited.status ?? 200;
      const text = isPlain ? (limited.body as string) : JSON.stringify(limited.body);
      return response.end(text.replace('"ID"', String(id)));
    }
    return response.end(await post(trueUrl, body));
  };
  // The client may be killed, and the node stopped, in the middle of a request.
  const server = createServer((request, response) => {
    answer(request, response).catch(() => request.socket.destroy());
  });
  // The client may compute for seconds in this very thread, and would then use a connection that has just ended.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const result = await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return { result, requestCount: number };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
