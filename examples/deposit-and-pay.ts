/** Brings 10 OPEN into the ledger, pays 1.5 of them to another account, and waits until Ethereum has the payment. */
import {
  createLedgerClient,
  deposit,
  deriveKey,
  formatOpen,
  getLeaf,
  isClientError,
  parseOpen,
  transfer,
  waitFor,
} from "openledger-client";
import { privateKeyToAccount } from "viem/accounts";

function env(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`set ${name}: examples/README.md says to what`);
  return value;
}

const rollupAddress = env("ROLLUP") as `0x${string}`;
const wallet = privateKeyToAccount(env("PRIVATE_KEY") as `0x${string}`);
// The ledger key follows from the wallet's signature, so there is nothing else to keep.
const l2Key = await deriveKey({ wallet, rollupAddress, chainId: Number(process.env.CHAIN_ID ?? 31337) });
const client = await createLedgerClient({
  rpcUrl: env("RPC_URL"),
  sequencerUrl: env("SEQUENCER_URL"),
  rollupAddress,
  wallet,
  l2Key,
});

// The first deposit opens the account; those after it go into the same one.
try {
  const { queueIndex } = await deposit(client, { amountWei: parseOpen("10") });
  await waitFor(client, { queueIndex }, "acknowledged");
} catch (error) {
  // An error has a stable code. Narrowed to one, its data has types.
  if (!isClientError(error, "CLI_TOKEN_BALANCE_TOO_LOW")) throw error;
  console.error(`The wallet has ${formatOpen(error.data.balanceWei)} OPEN: not enough for this deposit.`);
  process.exit(1);
}

const payment = { to: Number(env("RECIPIENT")), amountWei: parseOpen("1.5") };
const { from, hash } = await transfer(client, payment);
console.log(`Payment ${hash}`);
const { stage } = await waitFor(client, { hash }, "posted", {
  onProgress: ({ remainingMs, stage }) =>
    console.log(`  ${stage}${remainingMs === null ? "" : `, about ${Math.ceil(remainingMs / 1000)} s left`}`),
});
const { balanceWei } = await getLeaf(client, from);
console.log(`The payment is ${stage}. Account ${from} has ${formatOpen(balanceWei)} OPEN left.`);
