import { type BaseError, decodeErrorResult, type Hex } from "viem";
import { traceGameAbi } from "../../../contracts/build/trace-abi.ts";

interface Call {
  readonly account: Hex;
  readonly to: Hex;
  readonly data: Hex;
  readonly value: bigint;
}

/** The name of the error that a call of a game reverts with; null for none. */
export async function refusalOf(
  client: { call(call: Call): Promise<unknown> },
  call: Call,
): Promise<string | null> {
  try {
    await client.call(call);
    return null;
  } catch (error) {
    const raw = (error as BaseError).walk((e) => (e as { data?: unknown }).data !== undefined);
    const given = (raw as { data?: unknown } | null)?.data;
    const bytes = typeof given === "string" ? given : (given as { data?: string } | undefined)?.data;
    if (bytes === undefined) throw error;
    return decodeErrorResult({ abi: traceGameAbi, data: bytes as Hex }).errorName;
  }
}
