/** A whole rollup with a Datanet of texts on a host, and a factory beside it as a process of its own. */

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import pino from "pino";
import { encodeTextRow, type TextRow } from "../../attribution/rows/text-rows.ts";
import type { SettlementSize } from "../../circuits/settlement/settlement-size.ts";
import { collectVersion } from "../../client/actions/data/collect-version.ts";
import { contributeRows } from "../../client/actions/data/contribute-rows.ts";
import { listCommits } from "../../client/actions/data/list-commits.ts";
import { storeVersion } from "../../client/actions/data/published-version.ts";
import { openRowStore } from "../../client/actions/data/row-store.ts";
import { createDatanet } from "../../client/actions/ledger/create-datanet.ts";
import { publishVersion } from "../../client/actions/ledger/publish-version.ts";
import { bringVersion } from "../../client/datanets/bring-version.ts";
import { bringCard } from "../../client/datanets/datanet-card.ts";
import { contributionSource, uploadRows } from "../../client/datanets/upload-rows.ts";
import { getOperation } from "../../client/sequencer/ledger-reads.ts";
import { anvilAccount } from "../../contracts/testing/anvil-account.ts";
import { OPEN } from "../../contracts/testing/rollup-fixture.ts";
import { nameCard } from "../../datanets/card/card.ts";
import { loadHostConfig } from "../../datanets/host/config.ts";
import { createHostProcess } from "../../datanets/host/host-process.ts";
import { sampleCard } from "../../datanets/testing/sample-card.ts";
import { freePort } from "../../foundation/testing/free-port.ts";
import { ownProcess } from "../../foundation/testing/own-process.ts";
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
