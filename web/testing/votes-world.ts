/** A sequencer with pages on a chain with votes: real contracts, a treasury that belongs to the timelock. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { TREASURY_ID } from "@openledger/circuits/protocol";
import { keyXOf } from "@openledger/circuits/testing/random-ledger";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import {
  deployGovernance,
  type GovernanceFixture,
  governanceAddresses,
} from "@openledger/contracts/testing/governance-fixture";
import { ANY_FEE, OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { createWorldHere } from "@openledger/e2e/testing/here";
import { toSnarkjsKey } from "@openledger/prover/formats/verification-key";
import { deploymentOn } from "@openledger/sequencer/testing/l1-world";
import { verifierKey } from "@openledger/verifier/replay/verify-keys";
import { buildPages } from "../build/build-pages.ts";

/** Account of anvil that sends nothing but the three contracts, so their addresses are known before. */
const DEPLOYER = anvilAccount(8).address;
/** Holds OPEN on L1, and everybody's votes. */
export const VOTER = anvilAccount(4);

export interface VotesWorld {
  readonly f: HistoryFixture;
  readonly g: GovernanceFixture;
  readonly url: string;
  stop(): Promise<void>;
}

export async function startVotesWorld(): Promise<VotesWorld> {
  const folder = mkdtempSync(join(tmpdir(), "pages-votes-"));
  const { timelock, ...contracts } = governanceAddresses(DEPLOYER);
  const f = await startHistoryFixture({ treasuryOwner: timelock });
  const { alice, bob } = f.l1.roles;
  await f.l1.rollup.write.depositNew([100n * OPEN, alice, keyXOf(11n), ANY_FEE], { account: alice });
  await f.l1.rollup.write.depositTo([TREASURY_ID, 60n * OPEN, timelock, ANY_FEE], { account: bob });
  const g = await deployGovernance(f.l1, DEPLOYER);
  await g.delegate();
  const base = await deploymentOn(f);
  const deployment = {
    ...base,
    genesis: { ...base.genesis, treasuryOwner: timelock },
    governance: { timelock, ...contracts },
  };
  const { path } = await buildPages({
    circuits: (await f.rollup.circuits()).map((circuit) => ({
      ...circuit,
      key: toSnarkjsKey(verifierKey(circuit)),
    })),
    exits: [],
  });
  const world = await createWorldHere({
    f,
    folder,
    deployment,
    environment: { SEQUENCER_PAGES_PATH: path, SEQUENCER_PAGES_L1_URL: f.rpcUrl },
  });
  await f.l1.client.mine({ blocks: 3 });
  await world.w.watch();
  return {
    f,
    g,
    url: world.sequencerUrl,
    async stop() {
      await world.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
