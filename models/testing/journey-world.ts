/** A whole rollup with a Datanet of texts on a host, and a factory beside it as a process of its own. */

import { join } from "node:path";
import { encodeTextRow, type TextRow } from "@openledger/attribution/rows/text-rows";
import type { SettlementSize } from "@openledger/circuits/settlement/settlement-size";
import { listCommits } from "@openledger/client/actions/data/list-commits";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { saltByCard } from "@openledger/client/actions/data/salted-contribution";
import { createDatanet, publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { collectVersion, contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { nameCard } from "@openledger/datanets/card/card";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { freePort } from "@openledger/foundation/testing/free-port";
import { type OwnProcess, saying, startOwnProcess } from "@openledger/foundation/testing/own-process";
import { startSettlingWorld } from "./settling-fixture.ts";

export type JourneyWorld = Awaited<ReturnType<typeof startJourneyWorld>>;

/** alice (leaf 2) owns the Datanet; bob (leaf 3) builds. */
export async function startJourneyWorld(
  folder: string,
  options: {
    readonly rows: readonly TextRow[];
    readonly size?: SettlementSize;
    readonly access: "public" | "permissioned";
  },
) {
  const world = await startSettlingWorld(folder, undefined, options.size);
  const { alice, home, sequencerUrl } = world;
  await world.settle();
  const created = await createDatanet(alice, {
    l1Owner: anvilAccount(4).address,
    keyX: alice.l2Key!.keyX,
    amountWei: 5n * OPEN,
  });
  const datanetId = (await getOperation(alice, created.hash))!.createdId!;
  const store = await openRowStore(join(folder, "rows"));
  const card = sampleCard({
    access: options.access,
    row: {
      ...{ kind: "passage", fields: [], maxBytes: 1_000 },
      ...(options.access === "permissioned" ? { digests: "salted" } : {}),
    },
    labels: [],
    examples: [],
  });
  const { domain } = alice;
  const rows = await saltByCard({ card, datanetId, domain, store, rows: options.rows.map(encodeTextRow) });
  await contributeRows(alice, { datanetId, store, rows });
  const version = await collectVersion(alice, { datanetId, store, validatorId: 3 });
  await storeVersion(store, version);
  await publishVersion(alice, { datanetId, version, policy: nameCard(card).policy });
  await world.settle();
  const { url: hostUrl } = await world.host();
  const factoryPort = await freePort();
  await bringCard(alice, { hostUrl, datanetId, card });
  for (const { rowsRoot } of await listCommits(alice, datanetId))
    await uploadRows(alice, {
      hostUrl,
      datanetId,
      source: await contributionSource(store, rowsRoot),
      from: 2,
    });
  await bringVersion(alice, { hostUrl, datanetId, store, rowsRoot: version.rowsRoot, from: 2 });
  return {
    ...world,
    datanetId,
    hostUrl,
    rowsRoot: version.rowsRoot,
    environment: (more: Record<string, string>): Record<string, string> => ({
      FACTORY_DEPLOYMENT_PATH: join(home, "deployment.json"),
      FACTORY_SEQUENCER_URL: sequencerUrl,
      FACTORY_RPC_URL: world.f.rpcUrl,
      FACTORY_DATANET_HOSTS: hostUrl,
      FACTORY_DATA_PATH: join(folder, "factory"),
      FACTORY_DATABASE_URL: world.databaseUrl,
      // Known, since it is killed and comes back there.
      FACTORY_PORT: String(factoryPort),
      FACTORY_LEASE_MS: "3000",
      ...more,
    }),
  };
}

/** A factory that can be killed. */
export const startChildFactory = (environment: Record<string, string>): Promise<OwnProcess> =>
  startOwnProcess("models/factory/main.ts", environment, saying("factory listens"));
