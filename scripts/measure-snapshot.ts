/**
 * How long a data directory takes from L1 alone and with a snapshot: `tsx scripts/measure-snapshot.ts [batches]`.
 * A local node, real contracts, batches of six transfers with forged proofs; the snapshot is of the batch at nine tenths.
 */
import { join } from "node:path";
import { startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import type { Ledger } from "@openledger/circuits/ledger/ledger";
import { KIND } from "@openledger/circuits/protocol";
import { signFor } from "@openledger/circuits/testing/random-ledger";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { restoreFromL1 } from "@openledger/sequencer/follower/restore-from-l1";
import { makeSnapshot } from "@openledger/sequencer/follower/snapshots";
import { temporaryFolder } from "@openledger/sequencer/testing/test-rollup";
import { readSnapshot } from "@openledger/verifier/restore/snapshot-file";

/** As the fixture makes them. */
const [ALICE_ID, BOB_ID, ALICE_SECRET] = [2, 3, 11n];
const TRANSFER_COUNT = 6;
const batchCount = Number(process.argv[2] ?? 300);
const f = await startHistoryFixture();
const folder = temporaryFolder();
try {
  const l1 = { rpcUrl: f.rpcUrl, rollupAddress: f.rollup.address, finalityDepthBlocks: 1 };
  const path = join(folder.path, "snapshot");
  await f.makeHistory();
  const domain = await f.rollup.domain();
  const fields = { kind: KIND.transfer, a: ALICE_ID, b: BOB_ID, amountCode: encodeAmount(OPEN / 1_000n) };
  const transfer = (ledger: Ledger, nonce: bigint) =>
    signFor(ledger, ALICE_SECRET, { ...fields, nonce }, domain);
  for (let number = 6; number <= batchCount; number++) {
    const sealed = await f.close((ledger) => {
      const { nonce } = ledger.requireLeaf(ALICE_ID).leaf;
      return Array.from({ length: TRANSFER_COUNT }, (_, i) => transfer(ledger, nonce + BigInt(i)));
    });
    await f.l1.submit([sealed]);
    if (number === Math.floor(batchCount * 0.9)) await makeSnapshot({ ...l1, path });
  }
  const timed = async (name: string, job: () => Promise<unknown>) => {
    const startedAtMs = performance.now();
    await job();
    console.log(`${name}: ${((performance.now() - startedAtMs) / 1_000).toFixed(2)} s`);
  };
  for (let round = 0; round < 3; round++) {
    await timed("from L1 alone", () =>
      restoreFromL1({ ...l1, dataPath: join(folder.path, `full-${round}`) }),
    );
    await timed("with a snapshot", async () => {
      const { snapshot } = await readSnapshot(path);
      await restoreFromL1({ ...l1, dataPath: join(folder.path, `snapshot-${round}`), snapshot });
    });
  }
} finally {
  await f.stop();
  folder.remove();
}
