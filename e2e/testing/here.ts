/**
 * A rollup in the test's own process: real contracts on a real node, a sequencer with LevelDB behind HTTP, the bridge's
 * parts, people with accounts, a Datanet host. Batches have proofs of known trapdoors, which the contract verifies.
 */
import { join } from "node:path";
import type { HistoryFixture } from "@openledger/bridge/testing/history-fixture";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { deriveKey } from "@openledger/client/l2-key";
import { createLedgerClient, type LedgerClient } from "@openledger/client/ledger-client";
import { ANY_FEE, OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { startTestHost, type TestHost } from "@openledger/datanets/testing/test-host";
import { startRandomnessWatcher } from "@openledger/sequencer/testing/full-node-fixture";
import { deploymentOn, FINALITY_DEPTH_BLOCKS, startL1World } from "@openledger/sequencer/testing/l1-world";
import { close } from "@openledger/sequencer/testing/test-operator";
import type { HDAccount } from "viem/accounts";

interface HereDeclaration<Name extends string> {
  /** L1 with the contracts, and the history that they have already. */
  readonly f: HistoryFixture;
  readonly folder: string;
  /** Default: that of the fixture's own circuits. */
  readonly deployment?: Deployment;
  /** Get accounts by deposits of 90 OPEN, in this order: leaves 2, 3, … */
  readonly people?: Readonly<Record<Name, HDAccount>>;
  /** Environment of the sequencer. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The sequencer's clock is the machine's, for times that people read. */
  readonly hasWallClock?: boolean;
}

const DEPOSIT_WEI = 90n * OPEN;
const FIRST_LEAF = 2;

export async function createWorldHere<Name extends string>(declared: HereDeclaration<Name>) {
  const { environment = {}, f, folder, hasWallClock = false } = declared;
  const { l1, rollup, rpcUrl } = f;
  const rollupAddress = rollup.address;
  const deployment = declared.deployment ?? (await deploymentOn(f));
  const people = Object.entries(declared.people ?? {}) as [Name, HDAccount][];
  const keyOf = (wallet: HDAccount) => deriveKey({ wallet, chainId: 31337, rollupAddress });
  for (const [, wallet] of people) {
    const args = [DEPOSIT_WEI, wallet.address, (await keyOf(wallet)).keyX, ANY_FEE] as const;
    const hash = await l1.rollup.write.depositNew(args, { account: l1.roles.alice });
    await l1.client.waitForTransactionReceipt({ hash });
  }
  const w = await startL1World(f, deployment, join(folder, "operator"), { ...environment });
  const { sequencerUrl } = w;
  if (hasWallClock) Object.defineProperty(w.rollup.clock, "nowMs", { get: () => Date.now() });
  const clients = {} as Record<Name, LedgerClient>;
  for (const [i, [name, wallet]] of people.entries()) {
    const options = { rpcUrl, rollupAddress, sequencerUrl, l2Key: await keyOf(wallet) };
    clients[name] = await createLedgerClient({ ...options, leafId: FIRST_LEAF + i });
  }
  const ends: (() => Promise<unknown>)[] = [() => f.stop(), () => w.stop()];
  return {
    f,
    w,
    folder,
    deployment,
    sequencerUrl,
    clients,
    rpcUrl,
    /** Closes what is open. */
    async closeOpen(): Promise<void> {
      await w.watch();
      if ((w.rollup.sequencer.pipeline.head.openBatch?.operationCount ?? 0) > 0) await close(w.rollup);
    },
    /** Closes what is open, and makes it final on L1. */
    async finalise(): Promise<void> {
      await this.closeOpen();
      for (;;) {
        await w.publish();
        const { batches } = (await w.rollup.get("/v1/status")).body;
        if (batches.final === batches.closed) return;
        await l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
      }
    },
    /** The bridge's part that tells the sequencer of a CloseEpoch's randomness. @param confirmations of the CloseEpoch */
    async randomness(confirmations?: number): ReturnType<typeof startRandomnessWatcher> {
      const watcher = await startRandomnessWatcher(f, w, folder, confirmations);
      ends.push(() => watcher.stop());
      return watcher;
    },
    async host(more: Readonly<Record<string, string>> = {}): Promise<TestHost> {
      const host = await startTestHost(deployment, sequencerUrl, null, more);
      ends.push(() => host.stop());
      return host;
    },
    /** Stops everything, the last started first. */
    async stop(): Promise<void> {
      for (const end of ends.splice(0).reverse()) await end();
    },
  };
}
