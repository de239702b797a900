/** Pays a registered model for an answer by x402, with @x402/fetch as it comes from npm, and prints the receipt. */
import { decodePaymentResponseHeader, wrapFetchWithPaymentFromConfig } from "@x402/fetch";
import { createLedgerClient, deriveKey, formatOpen, parseOpen } from "openledger-client";
import { receiptScheme } from "openledger-client/x402";
import { privateKeyToAccount } from "viem/accounts";

function env(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`set ${name}`);
  return value;
}

const rpcUrl = env("RPC_URL");
const rollupAddress = env("ROLLUP") as `0x${string}`;
const wallet = privateKeyToAccount(env("PRIVATE_KEY") as `0x${string}`);
const { chain } = await createLedgerClient({ rpcUrl, rollupAddress });
const l2Key = await deriveKey({ wallet, rollupAddress, chainId: chain.id });
const sequencerUrl = env("SEQUENCER_URL");
const client = await createLedgerClient({ rpcUrl, rollupAddress, sequencerUrl, wallet, l2Key });

const scheme = receiptScheme(client, { maxPriceWei: parseOpen("1"), budgetWei: parseOpen("5") });
const { network, spendControls } = scheme;
const pay = wrapFetchWithPaymentFromConfig(scheme.fetch, {
  schemes: [{ network, client: scheme }],
  spendControls,
});

// URL of a model's answers, such as http://127.0.0.1:8798/ledger/12/v1/answers.
const [, , prompt = "Subject: you have won a free cruise"] = process.argv;
const response = await pay(env("ANSWERS_URL"), {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ prompt }),
});
const { answer, error, receipt } = (await response.json()) as Record<string, unknown>;
if (!response.ok) throw new Error(JSON.stringify(error));
const { transaction } = decodePaymentResponseHeader(response.headers.get("payment-response") ?? "");
console.log(answer);
console.log(`paid at most ${formatOpen(scheme.spentWei)} OPEN by ${transaction}, receipt ${receipt}`);
