import type { Hex } from "viem";

interface Deployer {
  sendTransaction(call: { readonly account: Hex; readonly data: Hex }): Promise<Hex>;
  getTransactionReceipt(of: {
    readonly hash: Hex;
  }): Promise<{ readonly contractAddress?: Hex | null | undefined }>;
}

/** A contract that answers every call with one word: a rollup's state, for whoever reads its root. */
export async function deployFixedState(client: Deployer, account: Hex, root: bigint): Promise<Hex> {
  const runtime = `7f${root.toString(16).padStart(64, "0")}5f5260205ff3`;
  const code: Hex = `0x60${(runtime.length / 2).toString(16)}80600b5f395ff3${"".padEnd(4, "0")}${runtime}`;
  const hash = await client.sendTransaction({ account, data: code });
  return (await client.getTransactionReceipt({ hash })).contractAddress!;
}
