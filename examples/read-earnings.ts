/** Prints what an address has earned by its rows, model by model, and the balance that Ethereum proves. Needs no key. */
import {
  createLedgerClient,
  findLeaves,
  formatOpen,
  getProvenLeaf,
  getRewards,
  listSettlements,
} from "openledger-client";

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

const leaves = await findLeaves(client, { owner: env("OWNER") as `0x${string}` });
const accounts = leaves.filter(({ kind }) => kind === "account");
if (accounts.length === 0) console.log("This address owns no account.");

for (const { id } of accounts) {
  // The sequencer gives the leaf and a path, the contract the root: a false balance throws CLI_LEAF_UNPROVEN.
  const proven = await getProvenLeaf(client, id);
  console.log(
    proven === null
      ? `Account ${id}: Ethereum does not have its last batch yet.`
      : `Account ${id}: ${formatOpen(proven.leaf.balance)} OPEN after batch ${proven.batchNumber}, proven.`,
  );
  // What follows is the sequencer's word; `openledger verify settlement` computes it again from Ethereum.
  const { claimableWei, rewards } = await getRewards(client, id);
  for (const { claimedWei, earnedWei, modelId, role, rowCount } of rewards) {
    const [last] = await listSettlements(client, modelId);
    console.log(
      `  model ${modelId}, ${rowCount} rows as ${role}: ${formatOpen(earnedWei)} OPEN earned,`,
      `${formatOpen(claimedWei)} claimed; last settled epoch ${last?.epoch ?? "none"}`,
    );
  }
  console.log(`  ${formatOpen(claimableWei)} OPEN can be claimed now.`);
}
