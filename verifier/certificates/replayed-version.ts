import { l1Call } from "@openledger/bridge/l1/l1-client";
import { readL1History } from "@openledger/bridge/l1/l1-history";
import type { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import type { Leaf } from "@openledger/circuits/ledger/leaf";
import { blockReader } from "../replay/block-reader.ts";
import { LedgerReplay } from "../replay/ledger-replay.ts";
import { verifyDiffers } from "../replay/verify-error.ts";
import type { CertifiedVersion } from "./row-certificate.ts";

/** What a certificate holds of a Datanet's leaf. */
export const certifiedLeaf = ({
  balance,
  chain,
  counters,
  keyX,
  l1Owner,
  nonce,
  openAmount,
}: Leaf): bigint[] => [...[nonce, l1Owner, keyX, balance, chain, openAmount, counters]];

/**
 * A Datanet's version under the root of the first batch after which the ledger has it: for a version that is no longer the
 * newest. All of L1's records up to there are executed. @throws BRG_VERIFY_DIFFERS where there was none; as readL1History
 */
export async function replayVersion(
  rollup: RollupContract,
  { datanetId, version }: { readonly datanetId: number; readonly version: number },
): Promise<CertifiedVersion> {
  const { client } = rollup;
  const toBlock = await l1Call("read the newest block's number", () => client.getBlockNumber());
  const replay = new LedgerReplay(await rollup.circuits(), () => true, blockReader(client));
  for await (const event of readL1History({ rollup, toBlock })) {
    await replay.apply(event);
    if (event.type !== "batch") continue;
    const ledger = replay.requireLedger();
    const found = ledger.leaf(datanetId);
    if (found?.datanet?.version !== BigInt(version)) continue;
    const { policy, publishedAt } = found.datanet;
    return {
      ...{ batchNumber: replay.batchNumber, blockNumber: event.blockNumber, policy, publishedAt },
      leaf: certifiedLeaf(found.leaf),
      path: ledger.tree.path(datanetId),
    };
  }
  throw verifyDiffers({
    ...{ batchNumber: null, what: `version ${version} of Datanet ${datanetId}` },
    ...{ expected: "on the ledger", actual: "never there" },
  });
}
