/** A whole rollup with a Datanet of texts on a host, and a factory beside it as a process of its own. */

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { encodeTextRow, type TextRow } from "@openledger/attribution/rows/text-rows";
import type { SettlementSize } from "@openledger/circuits/settlement/settlement-size";
import { collectVersion } from "@openledger/client/actions/data/collect-version";
import { contributeRows } from "@openledger/client/actions/data/contribute-rows";
import { listCommits } from "@openledger/client/actions/data/list-commits";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { createDatanet } from "@openledger/client/actions/ledger/create-datanet";
import { publishVersion } from "@openledger/client/actions/ledger/publish-version";
import { bringVersion } from "@openledger/client/datanets/bring-version";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { nameCard } from "@openledger/datanets/card/card";
import { loadHostConfig } from "@openledger/datanets/host/config";
import { createHostProcess } from "@openledger/datanets/internal/host/host-process";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { freePort } from "@openledger/foundation/testing/free-port";
import { ownProcess } from "@openledger/foundation/testing/own-process";
import pino from "pino";
import { startSettlingWorld } from "../settler/testing/settling-fixture.ts";

export interface ChildFactory {
  readonly process: ChildProcess;
  readonly url: string;
  kill(): Promise<void>;
}

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
  const { alice, deployment, home, sequencerUrl } = world;
  await world.settle();
  const created = await createDatanet(alice, {
    l1Owner: anvilAccount(4).address,
    keyX: alice.l2Key!.keyX,
    amountWei: 5n * OPEN,
  });
  const datanetId = (await getOperation(alice, created.hash))!.createdId!;
  const store = await openRowStore(join(folder, "rows"));
  const card = sampleCard({ access: options.access });
  await contributeRows(alice, { datanetId, store, rows: options.rows.map(encodeTextRow) });
  const version = await collectVersion(alice, { datanetId, store, validatorId: 3 });
  await storeVersion(store, version);
  await publishVersion(alice, { datanetId, version, policy: nameCard(card).policy });
  await world.settle();
  const host = await createHostProcess(
    loadHostConfig({
      DATANET_DEPLOYMENT_PATH: join(home, "deployment.json"),
      DATANET_SEQUENCER_URL: sequencerUrl,
      DATANET_DATA_PATH: join(folder, "host"),
      DATANET_PORT: "0",
      DATANET_LEDGER_CACHE_MS: "0",
    }),
    deployment,
    {
      logger: pino({ level: "silent" }),
      onFatal: (error) => {
        throw error;
      },
    },
  );
  const hostUrl = await host.listen();
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
      // Known, since it is killed and comes back there.
      FACTORY_PORT: String(factoryPort),
      ...more,
    }),
    async stop() {
      await host.stop();
      await world.stop();
    },
  };
}

/** A factory that can be killed. */
export async function startChildFactory(environment: Record<string, string>): Promise<ChildFactory> {
  const child = spawn(process.execPath, ownProcess("models/factory/main.ts"), {
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  const url = await new Promise<string>((resolve, reject) => {
    lines.on("line", (line) => {
      const entry = JSON.parse(line) as { msg: string; url?: string };
      if (entry.msg === "factory listens") resolve(entry.url!);
    });
    lines.on("close", () => reject(new Error("the factory ended before it listened")));
  });
  return {
    process: child,
    url,
    kill: () =>
      new Promise((resolve) => {
        child.once("exit", () => resolve());
        child.kill("SIGKILL");
      }),
  };
}
