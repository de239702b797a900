import { type Abi, type BaseError, decodeErrorResult, type Hex } from "viem";

export interface TriedCall {
  readonly account: Hex;
  readonly to: Hex;
  readonly data: Hex;
  readonly value?: bigint;
}

/** The name of the error that a call reverts with; null for none. Other failures are thrown on. @param abi that has the error */
export async function refusalOf(
  client: { call(call: TriedCall): Promise<unknown> },
  abi: Abi,
  call: TriedCall,
): Promise<string | null> {
  try {
    await client.call(call);
    return null;
  } catch (error) {
    const raw = (error as BaseError).walk((e) => (e as { data?: unknown }).data !== undefined);
    const given = (raw as { data?: unknown } | null)?.data;
    const bytes = typeof given === "string" ? given : (given as { data?: string } | undefined)?.data;
    if (bytes === undefined) throw error;
    return decodeErrorResult({ abi, data: bytes as Hex }).errorName;
  }
}
