import { createPublicClient, custom, pad, type TransactionReceipt, toHex } from "viem";
import { expect, it } from "vitest";
import { awaitReceipt } from "./await-receipt.ts";

const hash = pad("0x1");
const transaction = {
  hash,
  blockNumber: "0x2",
  from: pad("0xa", { size: 20 }),
  to: pad("0xb", { size: 20 }),
  input: "0x",
  nonce: "0x0",
  value: "0x0",
  type: "0x2",
};

/** A node that lists the transaction in block 2, and has its receipt only at the `after`th question. */
function nodeWith(after: number) {
  let blockNumber = 2;
  let question = 0;
  const answers: Record<string, () => unknown> = {
    eth_blockNumber: () => toHex(blockNumber++),
    eth_getTransactionByHash: () => transaction,
    eth_getBlockByNumber: () => ({ number: "0x2", transactions: [transaction] }),
    eth_getTransactionReceipt: () =>
      ++question < after ? null : { transactionHash: hash, blockNumber: "0x2", status: "0x1", logs: [] },
  };
  const request = async ({ method }: { method: string }) => answers[method]!();
  return createPublicClient({
    transport: custom({ request }, { retryCount: 0 }),
    pollingInterval: 5,
    cacheTime: 0,
  });
}

it("waits for a receipt that a node has later than the block", async () => {
  for (const after of [1, 2, 3, 6]) {
    const receipt: TransactionReceipt = await awaitReceipt(nodeWith(after), { hash, retryCount: 0 });
    expect([receipt.transactionHash, receipt.status], `${after}`).toEqual([hash, "success"]);
  }
});

it("ends where a node never has it", async () => {
  await expect(
    awaitReceipt(nodeWith(Number.POSITIVE_INFINITY), { hash, retryCount: 0 }),
  ).rejects.toMatchObject({
    name: "TransactionReceiptNotFoundError",
  });
});
