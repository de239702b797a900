/**
 * Answers of a node that is a block or two behind the one asked before it, as behind a load balancer. It is honest:
 * each answer was true a moment ago.
 */
import { type Hex, hexToNumber, toHex } from "viem";

interface RpcCall {
  readonly id: number;
  readonly method: string;
  readonly params?: unknown[];
}

type RpcAnswer = { readonly result: unknown } | { readonly error: { code: number; message: string } };

const STALE_SHARE = 0.5;
const MAX_LAG_BLOCKS = 2;

/** Index of the parameter that names the block, by method. */
const BLOCK_PARAMETER: Readonly<Record<string, number>> = {
  eth_call: 1,
  eth_estimateGas: 1,
  eth_getBalance: 1,
  eth_getBlockByNumber: 0,
  eth_getTransactionCount: 1,
};

/**
 * @param pass asks the node itself, and returns the text of its answer
 * @returns null if the node itself answers: it was not this one's turn, or there is nothing to lag in
 */
export async function lagging(call: RpcCall, pass: Pass): Promise<RpcAnswer | null> {
  if (Math.random() >= STALE_SHARE) return null;
  const lag = 1 + Math.floor(Math.random() * MAX_LAG_BLOCKS);
  return answerAsOf(Math.max(0, (await headOf(pass)) - lag), call, pass);
}

type Pass = (call: RpcCall) => Promise<string>;

/** The newest block's number. */
export async function headOf(pass: Pass): Promise<number> {
  const answer = JSON.parse(await pass({ id: 1, method: "eth_blockNumber", params: [] })) as { result: Hex };
  return hexToNumber(answer.result);
}

/** Answer of a node whose newest block is this one; null if the block makes no difference. */
export async function answerAsOf(head: number, call: RpcCall, pass: Pass): Promise<RpcAnswer | null> {
  const ask = async <T>(method: string, params: unknown[]): Promise<T> =>
    (JSON.parse(await pass({ id: 1, method, params })) as { result: T }).result;
  const answerOf = async (params: unknown[]): Promise<RpcAnswer> => {
    const answer = JSON.parse(await pass({ ...call, params })) as RpcAnswer;
    return "error" in answer ? { error: answer.error } : { result: answer.result };
  };
  const params = call.params ?? [];
  if (call.method === "eth_blockNumber") return { result: toHex(head) };
  if (call.method === "eth_getTransactionReceipt") {
    const receipt = await ask<{ blockNumber: Hex } | null>(call.method, params);
    return { result: receipt === null || hexToNumber(receipt.blockNumber) > head ? null : receipt };
  }
  if (call.method === "eth_getLogs") {
    const logs = await ask<{ blockNumber: Hex }[] | undefined>(call.method, params);
    return logs === undefined
      ? null
      : { result: logs.filter(({ blockNumber }) => hexToNumber(blockNumber) <= head) };
  }
  const at = BLOCK_PARAMETER[call.method];
  if (at === undefined) return null;
  const block = params[at];
  if (typeof block === "string" && block.startsWith("0x")) {
    if (hexToNumber(block as Hex) <= head) return null;
    if (call.method === "eth_getBlockByNumber") return { result: null };
    return { error: { code: -32_000, message: "header not found" } };
  }
  const stale = [...params];
  stale[at] = toHex(head);
  return answerOf(stale);
}
