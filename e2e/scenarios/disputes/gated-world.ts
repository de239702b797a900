/** A rollup that asks a gate before each activation, and the people who meet there: accounts, keys, commands, published rows. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OwnedRow, payeeTable } from "@openledger/attribution/model/owned-rows";
import { ownersCommitment, payeeRoot } from "@openledger/circuits/ledger/rewards";
import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { createDatanet, publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { deriveKey, type L2Key } from "@openledger/client/l2-key";
import { createLedgerClient, type LedgerClient } from "@openledger/client/ledger-client";
import { waitFor } from "@openledger/client/sequencer/wait-for";
import { freePort } from "@openledger/foundation/testing/free-port";
import type { BackendName } from "@openledger/prover/backends";
import { type Address, parseEther } from "viem";
import { type DrillAccountName, drillAccount, drillPrivateKey } from "../../world/accounts.ts";
import { WIDE_SHAPE } from "../../world/circuits.ts";
import { type CommandRunner, commandRunner } from "../../world/commands.ts";
import { commandSpec } from "../../world/services.ts";
import { createWorld, type World, type WorldDeclaration } from "../../world/world.ts";

/** Who has an account on the ledger. The watcher needs none. */
const PEOPLE = ["hostile", "builder", "customer"] as const;

export interface GatedOptions {
  readonly backend: BackendName;
  readonly keepIn: string | null;
  readonly tell: (text: string) => void;
}

/**
 * @param declared the world's name, and its circuits beside the batch's
 * @param gateOn deploys the gate, by commands and the end of a command line that the operator signs
 * @param prepare whatever else is there before the scenario begins
 */
export async function startGatedWorld<T>(
  { backend, keepIn, tell }: GatedOptions,
  declared: Required<Pick<WorldDeclaration, "name" | "others">>,
  gateOn: (run: CommandRunner["run"], signed: readonly string[]) => Promise<Address>,
  prepare: (world: World, people: People) => Promise<T>,
) {
  const world = await createWorld({
    ...{ ...declared, backend, keepIn, tell, shape: WIDE_SHAPE },
    gateOn: (l1Url) => withOperator(l1Url, gateOn),
  });
  try {
    const people = await gatherPeople(world);
    return { ...people, world, ...(await prepare(world, people)), stop: () => world.stop() };
  } catch (error) {
    await world.stop();
    throw error;
  }
}

type People = Awaited<ReturnType<typeof gatherPeople>>;

async function gatherPeople(world: World) {
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
    run: commandRunner(home),
    /** The end of a command line that this person signs. */
    as: (name: DrillAccountName): readonly string[] => ["--private-key-file", writeKey(home, name)],
    /** A command that goes on until it is stopped. */
    serve: (name: string, args: readonly string[], isReady?: () => Promise<boolean>) =>
      world.serve(commandSpec(name, args, { OPENLEDGER_HOME: home }, isReady)),
    freePort,
  };
}

function writeKey(folder: string, name: DrillAccountName): string {
  const path = join(folder, `${name}-key`);
  writeFileSync(path, drillPrivateKey(name), { mode: 0o600 });
  return path;
}

/** Commands as an operator runs them who has no rollup yet. @param act takes the end of a command line that he signs */
async function withOperator<T>(
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

async function accountOf(world: World, name: DrillAccountName): Promise<LedgerClient> {
  const wallet = drillAccount(name);
  const { deployment, url } = world.l1;
  const { chainId, rollupAddress } = deployment;
  const l2Key: L2Key = await deriveKey({ wallet, chainId, rollupAddress });
  const leafId = await world.openAccount({ keyX: l2Key.keyX, l1Owner: wallet.address });
  const client = await createLedgerClient({
    ...{ sequencerUrl: world.sequencerUrl, rpcUrl: url, rollupAddress, wallet, l2Key },
  });
  return { ...client, leafId };
}

/** Half of the rows are the builder's, half the customer's. */
export async function publishRows(
  world: World,
  { builder, customer }: Pick<People["clients"], "builder" | "customer">,
  contents: readonly Uint8Array[],
) {
  const ownedBy = { l1Owner: drillAccount("builder").address, keyX: builder.l2Key!.keyX };
  const sent = await world.patiently(() =>
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
  const payees = payeeTable(rows);
  const version = {
    rowsRoot: versionRowsRoot(
      rows.map(({ content, ...owners }) => ({ rowHash: hashRow(content), ...owners })),
    ),
    rowCount: rows.length,
    ownersCommitment: ownersCommitment(payees.map(({ rowCount }) => rowCount)),
    payeeRoot: payeeRoot(payees),
  };
  await world.patiently(() => publishVersion(builder, { datanetId, version }));
  await world.allPosted();
  return { datanetId, rows };
}
