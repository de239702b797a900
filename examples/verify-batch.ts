/**
 * Holds a batch, as the sequencer shows it, against what the contract accepted with a proof. Needs no key.
 * The contract checks every proof itself; `openledger verify` checks them again, and executes every operation.
 */
import {
  createLedgerClient,
  getBatch,
  getInfo,
  getStatus,
  rollupAbi,
  rollupContract,
} from "openledger-client";
import { isAddressEqual, parseEventLogs } from "viem";

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
const batch = await getBatch(client, number);
if (batch?.l1TransactionHash == null)
  throw new Error(`the sequencer names no transaction of batch ${number}`);

const receipt = await client.l1.getTransactionReceipt({ hash: batch.l1TransactionHash });
const accepted = parseEventLogs({
  abi: rollupAbi,
  eventName: "BatchAccepted",
  // Another contract can emit an event of the same name.
  logs: receipt.logs.filter(({ address }) => isAddressEqual(address, client.rollupAddress)),
}).find(({ args }) => Number(args.batchNumber) === number);
if (accepted === undefined) throw new Error(`the contract took no batch ${number} in that transaction`);

const { circuit, newRoot, oldRoot } = accepted.args;
const state = await client.l1.readContract({ ...rollupContract(client), functionName: "state" });
const { circuits } = await getInfo(client);
const checks = {
  "the root before is the contract's": batch.oldRoot === oldRoot,
  "the root after is the contract's": batch.newRoot === newRoot,
  "the contract has gone on from there": state.batchNumber > number || state.root === newRoot,
};
for (const [what, holds] of Object.entries(checks)) console.log(`${holds ? "✓" : "✗"} ${what}`);
if (circuits[circuit]?.isDevelopment === true)
  console.log("! Its key is a development key: anyone can forge proofs.");
console.log(`Batch ${number}: root ${newRoot}, in block ${receipt.blockNumber}, ${receipt.transactionHash}`);
process.exitCode = Object.values(checks).every(Boolean) ? 0 : 1;
