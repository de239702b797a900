/**
 * Holds a batch, as the sequencer shows it, against what the contract accepted with a proof. Needs no key.
 * The contract checks every proof itself; `openledger verify` checks them again, and executes every operation.
 */
import { createLedgerClient, getStatus, verifyBatch } from "openledger-client";

function env(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`set ${name}: examples/README.md says to what`);
  return value;
}

const client = await createLedgerClient({
  rpcUrl: env("RPC_URL"),
  sequencerUrl: env("SEQUENCER_URL"),
  rollupAddress: env("ROLLUP") as `0x${string}`,
});
const number = Number(process.argv[2] ?? (await getStatus(client)).batches.posted);
const verified = await verifyBatch(client, number);
if (verified === null) throw new Error(`the contract took no batch ${number} where the sequencer says so`);

const { blockNumber, checks, isDevelopmentKey, isVerified, newRoot, transactionHash } = verified;
for (const [what, holds] of Object.entries(checks))
  console.log(`${holds ? "✓" : "✗"} ${what} is the contract's`);
if (isDevelopmentKey) console.log("! Its key is a development key: anyone can forge proofs.");
console.log(`Batch ${number}: root ${newRoot}, in block ${blockNumber}, ${transactionHash}`);
process.exitCode = isVerified ? 0 : 1;
