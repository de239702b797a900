import { type Client, createPublicClient, custom, http, numberToHex, parseGwei } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Anvil, startAnvil } from "./anvil.ts";
import {
  cappedTransaction,
  DEFAULT_SPENDING_CAP,
  gasCostWei,
  type TransactionCall,
} from "./capped-transaction.ts";
import { MAX_TRANSACTION_GAS } from "./fee-policy.ts";

let anvil: Anvil;
beforeAll(async () => {
  anvil = await startAnvil();
});
afterAll(() => anvil?.stop());

// anvil's first account.
const FROM = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const CALL: TransactionCall = { from: FROM, to: FROM, data: "0x" };

/** Node that lies about the results of some methods. */
function lying(lies: Record<string, (truth: unknown) => unknown> = {}): Client {
  const node = http(anvil.url)({ retryCount: 0 });
  const request = async ({ method, params }: { method: string; params?: unknown }) => {
    const truth = await node.request({ method, params } as never);
    return lies[method] === undefined ? truth : lies[method](truth);
  };
  return createPublicClient({ transport: custom({ request }, { retryCount: 0 }) });
}

const baseFee = (wei: bigint) => (block: unknown) => ({
  ...(block as object),
  baseFeePerGas: numberToHex(wei),
});
const says = (value: bigint) => () => numberToHex(value);
const GWEI = parseGwei("1");

describe("cappedTransaction", () => {
  test("fills in what an honest node says", async () => {
    const client = lying({
      eth_getBlockByNumber: baseFee(7n * GWEI),
      eth_maxPriorityFeePerGas: says(2n * GWEI),
    });
    expect(await cappedTransaction(client, CALL, DEFAULT_SPENDING_CAP)).toEqual({
      type: "eip1559",
      chainId: 31337,
      nonce: 0,
      to: FROM,
      data: "0x",
      gas: (21_000n * 6n) / 5n,
      maxFeePerGas: 16n * GWEI,
      maxPriorityFeePerGas: 2n * GWEI,
    });
    expect(await cappedTransaction(client, { ...CALL, nonce: 7 }, DEFAULT_SPENDING_CAP)).toMatchObject({
      nonce: 7,
    });
  });

  test("leaves room for what strangers can add to each payment that it credits", async () => {
    const { gas } = await cappedTransaction(lying(), { ...CALL, creditCount: 16 }, DEFAULT_SPENDING_CAP);
    expect(gas).toBe(((21_000n + 16n * 17_100n) * 6n) / 5n);
  });

  test.each([
    ["tip", { eth_maxPriorityFeePerGas: says(10n * GWEI + 1n) }, 10n * GWEI + 1n, "--max-priority-fee-gwei"],
    [
      "fee",
      { eth_getBlockByNumber: baseFee(199n * GWEI), eth_maxPriorityFeePerGas: says(2n * GWEI) },
      201n * GWEI,
      "--max-fee-gwei",
    ],
    ["gas", { eth_estimateGas: says(MAX_TRANSACTION_GAS + 1n) }, MAX_TRANSACTION_GAS + 1n, "16777217"],
  ] as const)("refuses a %s above its cap, and names it", async (what, lies, asked, named) => {
    const refused = cappedTransaction(lying(lies), CALL, DEFAULT_SPENDING_CAP);
    await expect(refused).rejects.toMatchObject({ code: "CON_L1_COST_ABOVE_CAP", data: { what, asked } });
    await expect(refused).rejects.toThrow(named);
  });

  test("takes what is exactly at its cap, and never signs for more than the cap where the base fee may double", async () => {
    const client = lying({
      eth_getBlockByNumber: baseFee(190n * GWEI),
      eth_maxPriorityFeePerGas: says(10n * GWEI),
      eth_estimateGas: says(MAX_TRANSACTION_GAS),
    });
    expect(await cappedTransaction(client, CALL, DEFAULT_SPENDING_CAP)).toMatchObject({
      gas: MAX_TRANSACTION_GAS,
      maxFeePerGas: 200n * GWEI,
      maxPriorityFeePerGas: 10n * GWEI,
    });
  });

  test("holds the tip of a node without eth_maxPriorityFeePerGas to the cap as well", async () => {
    const client = lying({
      eth_maxPriorityFeePerGas: () => {
        throw new Error("method not found");
      },
      eth_gasPrice: says(500n * GWEI),
    });
    await expect(cappedTransaction(client, CALL, DEFAULT_SPENDING_CAP)).rejects.toMatchObject({
      code: "CON_L1_COST_ABOVE_CAP",
      data: { what: "tip" },
    });
  });
});

test("gasCostWei is gas times what was paid for it", () => {
  expect(gasCostWei({ gasUsed: 100_000n, effectiveGasPrice: 3n * GWEI })).toBe(3n * 10n ** 14n);
});
