/** A rollup whose gate is the registry of committed models, two Datanets on it, and the people who meet there. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeModel } from "@openledger/attribution/model/model-directory";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { type OwnedRow, payeeTable } from "@openledger/attribution/model/owned-rows";
import { sendingTo } from "@openledger/challenger/playing/trace-sender";
import { unpackBinding } from "@openledger/circuits/ledger/leaf";
import { ownersCommitment, payeeRoot, unpackSplit } from "@openledger/circuits/ledger/rewards";
import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { createDatanet, publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { createModel } from "@openledger/client/actions/ledger/model-operations";
import { deriveKey } from "@openledger/client/l2-key";
import { createLedgerClient, type LedgerClient } from "@openledger/client/ledger-client";
import { waitFor } from "@openledger/client/sequencer/wait-for";
import { freePort } from "@openledger/foundation/testing/free-port";
import type { BackendName } from "@openledger/prover/backends";
import { type Address, getAddress, type Hex, type PublicClient, parseEther } from "viem";
import { type DrillAccountName, drillAccount, drillPrivateKey } from "../../world/accounts.ts";
import { WIDE_SHAPE } from "../../world/circuits.ts";
import { commandRunner } from "../../world/commands.ts";
import { drillError } from "../../world/drill-errors.ts";
import { buildModelCircuits } from "../../world/model-circuits.ts";
import { commandSpec } from "../../world/services.ts";
import { createWorld, type World } from "../../world/world.ts";
import { commandsFor, DEPLOY } from "./commands.ts";
import {
  DIRECT_SIZE,
  directModel,
  directRows,
  honestTexts,
  longRows,
  TEXT_SIZE,
  textRows,
} from "./models.ts";
import { writeTextBase } from "./text-base.ts";

export interface DisputeOptions {
  readonly backend: BackendName;
  readonly keepIn: string | null;
  readonly tell: (text: string) => void;
}

export type DisputeWorld = Awaited<ReturnType<typeof startDisputeWorld>>;

/** Who owns models. */
export type Owner = "builder" | "hostile";
export type Family = "direct" | "text";

/** On the ledger, without its activation. */
export interface CreatedModel {
  readonly owner: Owner;
  readonly family: Family;
  readonly modelId: number;
  readonly cap: number;
  /** The owner's copy, and the one that watchers read. */
  readonly folder: string;
  readonly publishedIn: string;
}

export interface WantedModel {
  readonly owner: Owner;
  readonly family: Family;
  readonly model: PublishedModel;
}

/** Who has an account on the ledger. The watcher needs none. */
const PEOPLE = ["hostile", "builder", "customer"] as const;
const WATCHER_WEI = parseEther("2");
/** So that batches are full: each takes a proof. */
const CLOSE_INTERVAL_MS = 10_000;
const SIZES = { direct: DIRECT_SIZE, text: TEXT_SIZE } as const;

export async function startDisputeWorld(options: DisputeOptions) {
  const { backend, keepIn, tell } = options;
  let deployed!: Readonly<Record<"game" | "gate", Address>>;
  const world = await createWorld({
    ...{ name: "disputes", backend, keepIn, tell, shape: WIDE_SHAPE, closeIntervalMs: CLOSE_INTERVAL_MS },
    others: await buildModelCircuits(DIRECT_SIZE, [TEXT_SIZE]),
    gateOn: async (l1Url) => {
      deployed = await deployGate(l1Url);
      return deployed.gate;
    },
  });
  try {
    return { ...(await people(world, deployed, options)), stop: () => world.stop() };
  } catch (error) {
    await world.stop();
    throw error;
  }
}

/** Commands as an operator runs them who has no rollup yet. */
async function deployGate(l1Url: string) {
  const folder = mkdtempSync(join(tmpdir(), "drill-gate-"));
  try {
    const signed = ["--rpc", l1Url, "--private-key-file", writeKey(folder, "operator")];
    const made = await commandRunner(folder).run<Record<"game" | "gate", Address>>(...DEPLOY, ...signed);
    return { game: getAddress(made.game), gate: getAddress(made.gate) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeKey(folder: string, name: DrillAccountName): string {
  const path = join(folder, `${name}-key`);
  writeFileSync(path, drillPrivateKey(name), { mode: 0o600 });
  return path;
}

async function people(
  world: World,
  { game, gate }: Readonly<Record<"game" | "gate", Address>>,
  { backend, tell }: DisputeOptions,
) {
  const [home, published, base] = ["home", "published", "base"].map((name) => join(world.folder, name)) as [
    ...[string, string, string],
  ];
  for (const folder of [home, published]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(home, "deployment.json"), world.l1.encoded);
  writeFileSync(join(home, "endpoints.json"), JSON.stringify({ sequencerUrl: world.sequencerUrl }));
  await writeTextBase(base);
  const clients = {} as Record<(typeof PEOPLE)[number], LedgerClient>;
  for (const name of PEOPLE) clients[name] = await accountOf(world, name);
  const l1 = world.l1.client;
  await l1.setBalance({ address: drillAccount("watcher").address, value: WATCHER_WEI });
  const rollup = clients.builder.rollupAddress;
  const commands = commandsFor({ backend, base, gate, published });
  const runner = commandRunner(home);
  const run = {
    run<Answer = Record<string, unknown>>(...args: readonly string[]) {
      tell(`openledger ${args.slice(0, 2).join(" ")}`);
      return runner.run<Answer>(...args);
    },
  };
  const as = (name: DrillAccountName): readonly string[] => ["--private-key-file", writeKey(home, name)];
  const known = new Map<string, CreatedModel>();
  const keyOf = ({ model, owner }: WantedModel) => `${owner}/${model.staticsHash}`;
  tell("three Datanets with a version each, posted on L1");
  const mails = await publishRows(world, clients, directRows());
  const long = await publishRows(world, clients, longRows());
  const texts = await publishRows(world, clients, textRows());
  await world.allPosted();
  return {
    ...{ as, base, clients, commands, freePort, game, gate, home, published, rollup, run, tell, world },
    l1: l1 as unknown as PublicClient,
    datanets: { direct: mails.datanetId, text: texts.datanetId },
    honestDirect: {
      ...directModel(mails.rows, mails.datanetId),
      long: directModel(long.rows, long.datanetId),
    },
    /** What an owner knows of the honest language model of the version. */
    honestTexts(owner: Owner) {
      tell(`the language model of ${owner} is trained`);
      return honestTexts(texts.rows, texts.datanetId, base, drillAccount(owner).address, rollup);
    },
    account: (name: DrillAccountName, at: Address) => accountAt(world, name, at),
    serve: (name: string, args: readonly string[], isReady?: () => Promise<boolean>) =>
      world.serve(commandSpec(name, args, { OPENLEDGER_HOME: home }, isReady)),
    /** Creates all that are missing, in as few batches as they take; registers language models for claims. */
    async create(wanted: readonly WantedModel[]): Promise<CreatedModel[]> {
      const isNew = [...new Map(wanted.map((one) => [keyOf(one), one])).values()].filter(
        (one) => !known.has(keyOf(one)),
      );
      tell(`${isNew.length} models are created`);
      for (const one of isNew) {
        const { family, model, owner } = one;
        const folder = join(world.folder, `model-${known.size}`);
        await writeModel(folder, model as never);
        const modelId = await createdBy(world, clients[owner], () =>
          createModel(clients[owner], { ...modelTerms(model), ...ownerOf(owner, clients[owner]) }),
        );
        const cap = SIZES[family].payments;
        const publishedIn = join(published, String(modelId));
        known.set(keyOf(one), { owner, family, modelId, cap, folder, publishedIn });
      }
      if (isNew.length > 0) await world.allPosted();
      for (const one of isNew)
        if (one.family === "text") await run.run(...commands.admit(known.get(keyOf(one))!), ...as(one.owner));
      return wanted.map((one) => known.get(keyOf(one))!);
    },
  };
}

async function accountOf(world: World, name: DrillAccountName): Promise<LedgerClient> {
  const wallet = drillAccount(name);
  const { deployment, url } = world.l1;
  const { chainId, rollupAddress } = deployment;
  const l2Key = await deriveKey({ wallet, chainId, rollupAddress });
  const leafId = await world.openAccount({ keyX: l2Key.keyX, l1Owner: wallet.address });
  const client = await createLedgerClient({
    ...{ sequencerUrl: world.sequencerUrl, rpcUrl: url, rollupAddress, wallet, l2Key },
  });
  return { ...client, leafId };
}

/** Half of the rows are the builder's, half the customer's. */
async function publishRows(
  world: World,
  { builder, customer }: Record<"builder" | "customer", LedgerClient>,
  contents: readonly Uint8Array[],
) {
  const datanetId = await createdBy(world, builder, () =>
    createDatanet(builder, ownerOf("builder", builder)),
  );
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
  return { datanetId, rows };
}

const ownerOf = (name: Owner, { l2Key }: LedgerClient) => ({
  l1Owner: drillAccount(name).address,
  keyX: l2Key!.keyX,
  amountWei: parseEther("20"),
});

const modelTerms = ({ statics: { binding, split, ...statics } }: PublishedModel) => ({
  ...statics,
  binding: unpackBinding(binding),
  split: unpackSplit(split),
  priceWei: parseEther("0.5"),
});

/** @returns the leaf that it has opened */
async function createdBy(
  world: World,
  client: LedgerClient,
  send: () => Promise<{ readonly hash: Hex }>,
): Promise<number> {
  const { hash } = await world.patiently(send);
  const { operation } = await waitFor(client, { hash }, "acknowledged");
  return operation!.createdId!;
}

/** Calls a contract of disputes with an account's key; returns once it is mined. */
function accountAt({ l1 }: World, name: DrillAccountName, at: Address) {
  const wallet = l1.walletOf(name);
  const { address } = wallet.account;
  const sender = {
    ...{ address, publicClient: l1.client as unknown as PublicClient },
    async send(call: { readonly to: Address; readonly data: Hex; readonly valueWei: bigint }) {
      const hash = await wallet.sendTransaction({ to: call.to, data: call.data, value: call.valueWei });
      const { gasUsed, status } = await l1.client.waitForTransactionReceipt({ hash });
      if (status !== "success") throw drillError("DRL_UNEXPECTED", `${hash} was reverted`);
      return { hash, gasUsed };
    },
  };
  const { send } = sendingTo(sender, at);
  return {
    address,
    /** @throws CLI_L1_REVERTED with the contract's name for it */
    send: (call: { readonly data: Hex; readonly valueWei: bigint }) => send(call, "a move"),
  };
}
