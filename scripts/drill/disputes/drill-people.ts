/** The people who meet on a drill's rollup: their accounts, keys and commands, and the rows that two of them have published. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { earnerTable, type OwnedRow } from "@openledger/attribution/model/owned-rows";
import { earnerRoot, ownersCommitment } from "@openledger/circuits/ledger/rewards";
import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { createDatanet } from "@openledger/client/actions/ledger/create-datanet";
import { publishVersion } from "@openledger/client/actions/ledger/publish-version";
import { deriveKey, type L2Key } from "@openledger/client/l2-key";
import { createLedgerClient, type LedgerClient } from "@openledger/client/ledger-client";
import { waitFor } from "@openledger/client/sequencer/wait-for";
import { freePort } from "@openledger/foundation/testing/free-port";
import { parseEther } from "viem";
import { type DrillAccountName, drillAccount, drillPrivateKey } from "../drill-accounts.ts";
import { DrillProcess } from "../drill-process.ts";
import type { DrillWorld } from "../drill-world.ts";
import { openAccount } from "../open-account.ts";
import { allPosted, patiently } from "../world-steps.ts";
import { type CommandRunner, commandRunner } from "./openledger-process.ts";

/** Who has an account on the ledger. The watcher needs none. */
const PEOPLE = ["hostile", "builder", "customer"] as const;
export type DrillPeople = Awaited<ReturnType<typeof gatherPeople>>;

export async function gatherPeople(world: DrillWorld, tell: (text: string) => void) {
  const home = join(world.folder, "home");
  const published = join(world.folder, "published");
  for (const folder of [home, published]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(home, "deployment.json"), world.l1.encoded);
  writeFileSync(join(home, "endpoints.json"), JSON.stringify({ sequencerUrl: world.sequencerUrl }));
  const clients = {} as Record<(typeof PEOPLE)[number], LedgerClient>;
  for (const name of PEOPLE) clients[name] = await accountOf(world, name);
  return {
    clients,
    /** A folder for each model that somebody publishes, named by its id. */
    published,
    home,
    run: commandRunner(home) as CommandRunner,
    /** The end of a command line that this person signs. */
    as: (name: DrillAccountName): readonly string[] => ["--private-key-file", writeKey(home, name)],
    /** A command that goes on until it is stopped. */
    async serve(name: string, args: readonly string[], isReady: () => Promise<boolean>) {
      const process = new DrillProcess({
        ...{ name, main: "scripts/openledger.ts", args, isReady, tell },
        env: { OPENLEDGER_HOME: home },
        logFolder: join(world.folder, "logs"),
      });
      await process.start();
      return process;
    },
    freePort,
  };
}

function writeKey(folder: string, name: DrillAccountName): string {
  const path = join(folder, `${name}-key`);
  writeFileSync(path, drillPrivateKey(name), { mode: 0o600 });
  return path;
}

/** Commands as an operator runs them who has no rollup yet. @param act takes the end of a command line that he signs */
export async function withOperator<T>(
  l1Url: string,
  act: (run: CommandRunner["run"], signed: readonly string[]) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "drill-gate-"));
  try {
    const signed = ["--rpc", l1Url, "--private-key-file", writeKey(folder, "operator")];
    return await act(commandRunner(folder).run, signed);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function accountOf(world: DrillWorld, name: DrillAccountName): Promise<LedgerClient> {
  const wallet = drillAccount(name);
  const { deployment, url } = world.l1;
  const { chainId, rollupAddress } = deployment;
  const l2Key: L2Key = await deriveKey({ wallet, chainId, rollupAddress });
  const leafId = await openAccount(world, { keyX: l2Key.keyX, l1Owner: wallet.address });
  const client = await createLedgerClient({
    ...{ sequencerUrl: world.sequencerUrl, rpcUrl: url, rollupAddress, wallet, l2Key },
  });
  return { ...client, leafId };
}

/** Half of the rows are the builder's, half the customer's. */
export async function publishRows(
  world: DrillWorld,
  { builder, customer }: Pick<DrillPeople["clients"], "builder" | "customer">,
  contents: readonly Uint8Array[],
) {
  const ownedBy = { l1Owner: drillAccount("builder").address, keyX: builder.l2Key!.keyX };
  const sent = await patiently(world, () =>
    createDatanet(builder, { ...ownedBy, amountWei: parseEther("100") }),
  );
  const { operation } = await waitFor(builder, { hash: sent.hash }, "acknowledged");
  const datanetId = operation!.createdId!;
  const [first, second] = [builder.leafId!, customer.leafId!].sort((a, b) => a - b) as [number, number];
  const rows: OwnedRow[] = contents.map((content, k) => ({
    content,
    contributorId: k < contents.length / 2 ? first : second,
    validatorId: datanetId,
  }));
  const earners = earnerTable(rows);
  const version = {
    rowsRoot: versionRowsRoot(
      rows.map(({ content, ...owners }) => ({ rowHash: hashRow(content), ...owners })),
    ),
    rowCount: rows.length,
    ownersCommitment: ownersCommitment(earners.map(({ rowCount }) => rowCount)),
    earnerRoot: earnerRoot(earners),
  };
  await patiently(world, () => publishVersion(builder, { datanetId, version }));
  await allPosted(world);
  return { datanetId, rows };
}
