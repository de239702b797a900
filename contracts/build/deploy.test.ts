import { createPublicClient, createWalletClient, custom } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anvilAccount } from "../testing/anvil-account.ts";
import { startChain } from "../testing/chain.ts";
import { compileContracts, pickContract } from "./compile.ts";
import { deployContract } from "./deploy.ts";

let chain: Awaited<ReturnType<typeof startChain>>;
beforeAll(async () => {
  chain = await startChain();
});
afterAll(() => chain?.stop());

test("deploys through a node that estimates no call that names fees and no type", async () => {
  const { client } = chain;
  const request = async (call: { method: string; params?: readonly Record<string, unknown>[] }) => {
    const [asked] = call.params ?? [];
    // Error text of EthereumJS 0.10.5.
    if (call.method === "eth_estimateGas" && asked?.maxFeePerGas !== undefined && asked.type === undefined)
      throw new Error("Transaction's gasPrice (0) is less than the block's baseFeePerGas");
    return client.request(call as never);
  };
  const account = anvilAccount(0);
  const node = { chain: client.chain, transport: custom({ request }, { retryCount: 0 }) };
  const walletClient = createWalletClient({ ...node, account });
  const publicClient = createPublicClient({ ...node, pollingInterval: 10 });
  const token = pickContract(await compileContracts(), "OpenToken");
  const { status } = await deployContract({ walletClient, publicClient }, "OpenToken", token, [
    account.address,
  ]);
  expect(status).toBe("success");
});
