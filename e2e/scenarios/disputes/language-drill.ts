/**
 * Owners of language models on L1, with real processes: an honest one whose server claims and defends by itself, a liar, a
 * challenger of a right claim, and `openledger watch`. Each epoch is settled on L1, and every wei is somebody's.
 */
import { join } from "node:path";
import { RANDOMNESS_DELAY_BLOCKS } from "@openledger/bridge/l1/settlement-times";
import type { ClaimingView } from "@openledger/challenger/internal/claiming/claiming-report";
import { readWindows } from "@openledger/challenger/model-commitments/read-windows";
import { getModel, getPayments, getSettlement } from "@openledger/client/sequencer/model-reads";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import type { SettlingView } from "@openledger/models/settler/turn-report";
import { type Address, formatEther } from "viem";
import { drillAccount } from "../../world/accounts.ts";
import { drillError } from "../../world/drill-errors.ts";
import { STEP_TIMEOUT_MS } from "../../world/world.ts";
import { renderColumns } from "../table.ts";
import { falseAt, LANGUAGE_LIES } from "./language-lies.ts";
import { playFalseRows, postHonestly, type RefutedRows } from "./language-model-commitments.ts";
import { challengeFalsely, claimLie, fightFor, isRefuted, payFor, readerOf } from "./language-people.ts";
import {
  BOND_WEI,
  type CreatedModel,
  type LanguageWorld,
  type LanguageWorldOptions,
  type OpenedWorld,
  STAKE_WEI,
  startLanguageWorld,
} from "./language-world.ts";

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 24 * HOUR_SECONDS;
/** Of the honest model: longer than from its activation to both questions, since an epoch that is over is closed at the first payment. */
const EPOCH_SECONDS = 4 * DAY_SECONDS;
const WATCH_MINUTES = "0.05";
const QUESTIONS = ["The union?", "The Congress?"] as const;

/** Of one epoch, as the ledger settled it. */
interface SettledEpoch {
  readonly whose: string;
  readonly how: "draws" | "row counts";
  readonly paidWei: bigint;
  readonly earnedWei: bigint;
  readonly ownerWei: bigint;
  readonly treasuryWei: bigint;
  readonly burnedWei: bigint;
}

interface LanguageDrillResult {
  readonly epochs: readonly SettledEpoch[];
  readonly lies: readonly { readonly name: string; readonly claimId: bigint; readonly refutedBy: string }[];
  /** The watcher's: half of each false claim's bond, with his own stakes. */
  readonly watcherWei: bigint;
  /** The honest owner's: his bonds, and the stake of who challenged him falsely. */
  readonly ownerWei: bigint;
  readonly burnedBondWei: bigint;
  /** False model commitments of rows, before the liar's activation. */
  readonly rowLies: readonly RefutedRows[];
  /** The watcher's: half of each one's bond. His stakes of games over rows came back besides. */
  readonly rowWatcherWei: bigint;
}

export async function runLanguageDrill(options: LanguageWorldOptions): Promise<LanguageDrillResult> {
  const { tell } = options;
  const f = await startLanguageWorld(options);
  try {
    tell("openledger watch begins");
    const watch = ["watch", f.gate, "--models", f.published, "--base", f.base, "--every", WATCH_MINUTES];
    await f.serve("watch", [...watch, ...f.as("watcher")]);
    tell("an honest owner posts the rows of his language model, and waits for the window");
    const honest = await postHonestly(f, "builder");
    const rowLies = await playFalseRows(f, tell);
    tell("the hostile owner posts the model's own rows at last");
    const hostile = await postHonestly(f, "hostile");
    await watchedAndOver(f, [honest, hostile]);
    tell("nobody has refuted these: both models are admitted, and begin");
    const models = { builder: await f.begun(honest), hostile: await f.begun(hostile) };
    await f.approved(Object.values(models));
    return await playOwners({ ...f, models }, options, rowLies);
  } finally {
    await f.stop();
  }
}

/** Attested by the watcher, and out of their windows. */
async function watchedAndOver(f: OpenedWorld, models: readonly CreatedModel[]): Promise<void> {
  const l1 = f.world.l1.client as never;
  for (const { modelId } of models)
    await f.world.waitFor(
      `watch to recompute model ${modelId}`,
      async () => {
        const windows = await readWindows(l1, f.gate, { modelId });
        return windows.at(-1)?.attestedBy?.includes(drillAccount("watcher").address) === true;
      },
      STEP_TIMEOUT_MS,
    );
  await f.world.passTime(7 * DAY_SECONDS);
}

async function playOwners(
  f: LanguageWorld,
  { backend, tell }: LanguageWorldOptions,
  rowLies: readonly RefutedRows[],
): Promise<LanguageDrillResult> {
  const { models, run, world } = f;
  const { builder: honest, hostile: liar } = models;
  const { client } = world.l1;
  const url = `http://127.0.0.1:${await f.freePort()}`;
  const serve = [
    ...["models", "serve", honest.folder, "--model", String(honest.modelId), "--base", f.base],
    ...["--port", new URL(url).port, "--data", join(world.folder, "answers"), "--prover", backend],
    ...["--settle", "--claim", "--epoch-length", String(EPOCH_SECONDS), ...f.as("builder")],
  ];
  const view = async () => {
    const response = await fetch(`${url}/v1/settling`, { signal: AbortSignal.timeout(30_000) });
    return (await response.json()) as SettlingView & { readonly claiming: ClaimingView };
  };
  const isServed = async () => (await view()).stage !== null;
  const refused = await run.refusal(...serve.slice(0, -2), ...f.as("hostile"));
  if (refused !== "CMD_NOT_CLAIMANT") throw drillError("DRL_UNEXPECTED", `a stranger may claim: ${refused}`);
  tell("the honest owner serves his model with --settle --claim; two questions are asked and paid");
  const server = await f.serve("model-server", serve, isServed);
  for (const prompt of QUESTIONS) {
    const ask = ["models", "ask", String(honest.modelId), prompt, "--server", url, "--base", f.base];
    await run.run(...ask, ...f.as("customer"));
  }
  tell("the hostile owner's friend pays for receipts with false queries");
  const lies = LANGUAGE_LIES.map((lie, i) => ({
    ...{ lie, salt: 100n + BigInt(i), trace: lie.trace(liar, lie.prompt) },
  }));
  for (const { lie, salt, trace } of lies)
    if (lie.isPaid) await payFor(f, liar, { prompt: lie.prompt, salt, query: trace.query });
  await world.passTime(EPOCH_SECONDS);
  await closeAndDraw(f, liar.modelId, async () => {
    await world.waitFor(
      "the honest owner's epoch to be closed",
      async () => (await view()).stage === "awaiting-randomness",
      STEP_TIMEOUT_MS,
    );
    tell("closed; the server is killed before the draws are there, and started again after them");
    await server.kill();
  });
  await server.start();
  const claimed = async () => {
    const { claiming } = await view();
    return claiming.stage === "awaiting-windows" && claiming.draws.open === 2;
  };
  await world.waitFor("the server to claim its draws by itself", claimed, STEP_TIMEOUT_MS);
  tell("claimed by itself; the hostile owner claims his lies, and somebody challenges a right claim");
  const [right] = (await readerOf(f).claims(honest.traced.model)).claims;
  const falseClaims: { name: string; claimId: bigint }[] = [];
  const fought = new Map<bigint, (typeof lies)[0]["trace"]>();
  for (const one of lies) {
    const claimId = await claimLie(f, liar, one);
    falseClaims.push({ name: one.lie.name, claimId });
    if (one.lie.isFought) fought.set(claimId, one.trace);
  }
  const { shown } = await readerOf(f).show(right!);
  const prompt = new TextDecoder().decode(Buffer.from(shown!.prompt.slice(2), "hex"));
  const disputed = { claimId: right!.claimId, trace: falseAt(honest, prompt, "chain") };
  const [refusal] = await Promise.all([challengeFalsely(f, honest, disputed), fightFor(f, liar, fought)]);
  tell(`L1 refuses the false challenger's last move (${refusal}), and has refuted what was fought for`);
  await world.passTime(49 * HOUR_SECONDS);
  tell("two days pass: who is silent has lost");
  await world.waitFor(
    "all false claims to be refuted, and the false challenge to be over",
    async () =>
      (await Promise.all(falseClaims.map(({ claimId }) => isRefuted(f, claimId)))).every(Boolean) &&
      (await view()).claiming.openGames === 0,
    STEP_TIMEOUT_MS,
  );
  if (await isRefuted(f, right!.claimId)) throw drillError("DRL_UNEXPECTED", "a right claim is refuted");
  await world.passTime(2 * DAY_SECONDS);
  tell("the windows are over: the honest epoch is settled by its draws");
  await world.waitFor(
    "the server to settle its epoch",
    async () => {
      await world.operator("/operator/close", {});
      return (await view()).settled?.epoch === 1;
    },
    STEP_TIMEOUT_MS,
  );
  const epochs = [await settledEpoch(f, honest.modelId, 1, "honest")];
  await world.waitFor(
    "the server to take its bonds back",
    async () => (await paidTo(f, "builder")) > 0n,
    STEP_TIMEOUT_MS,
  );
  await world.passTime(10 * DAY_SECONDS);
  epochs.push(await settleByRows(f, 1, "liar", backend));
  tell(
    "14 days after the CloseEpoch the liar's epoch is settled by row counts; then he claims nothing at all",
  );
  await payFor(f, liar, { prompt: QUESTIONS[0], salt: 200n });
  await world.passTime(2 * HOUR_SECONDS);
  await closeAndDraw(f, liar.modelId, async () => {});
  await world.passTime(14 * DAY_SECONDS);
  epochs.push(await settleByRows(f, 2, "silent", backend));
  for (const name of ["watcher", "builder", "hostile"] as const)
    if ((await owedBy(f, name)) > 0n) await run.run("disputes", "withdraw", f.gate, ...f.as(name));
  const ofRows = await requireRowWei(f, rowLies);
  const [watcherWei, ownerWei] = [await paidTo(f, "watcher"), await paidTo(f, "builder")];
  // Of games over queries and over rows.
  const games =
    lies.filter(({ lie }) => lie.isPaid).length + rowLies.filter(({ fault }) => fault === "Row").length;
  const stakesWei = STAKE_WEI * BigInt(games);
  requireWei("the watcher", watcherWei, (BOND_WEI / 2n) * BigInt(lies.length) + stakesWei);
  requireWei("the honest owner", ownerWei, 2n * BOND_WEI + STAKE_WEI);
  requireWei("the liar", await paidTo(f, "hostile"), 0n);
  requireWei("the false challenger", await paidTo(f, "customer"), 0n);
  requireWei("the contract", await client.getBalance({ address: f.game }), 0n);
  return {
    ...{ epochs, watcherWei, ownerWei, rowLies, rowWatcherWei: ofRows },
    burnedBondWei: (BOND_WEI - BOND_WEI / 2n) * BigInt(lies.length),
    lies: falseClaims.map((one) => ({ ...one, refutedBy: drillAccount("watcher").address })),
  };
}

/** @param meanwhile what happens between the CloseEpoch and the block of its randomness */
async function closeAndDraw(
  { as, clients, run, world }: LanguageWorld,
  modelId: number,
  meanwhile: () => Promise<void>,
): Promise<void> {
  await run.run("models", "close-epoch", String(modelId), ...as("hostile"));
  await meanwhile();
  await world.allPosted();
  await world.l1.client.mine({ blocks: RANDOMNESS_DELAY_BLOCKS + world.finalityDepthBlocks });
  await world.waitFor(
    "the epoch's randomness",
    async () => (await getModel(clients.builder, modelId)).closedEpoch?.prevRandao !== null,
    STEP_TIMEOUT_MS,
  );
}

async function settleByRows(f: LanguageWorld, epoch: number, whose: string, backend: string) {
  const { modelId } = f.models.hostile;
  const settle = ["models", "settle", String(modelId), "--default-split", "--prover", backend];
  await f.run.run(...settle, ...f.as("hostile"));
  await f.world.allPosted();
  return settledEpoch(f, modelId, epoch, whose);
}

/** @throws DRL_UNEXPECTED where a wei is missing */
async function settledEpoch(
  { clients }: LanguageWorld,
  modelId: number,
  epoch: number,
  whose: string,
): Promise<SettledEpoch> {
  const settlement = await getSettlement(clients.builder, modelId, epoch);
  const { payments } = await getPayments(clients.builder, modelId, epoch);
  if (settlement?.batchNumber == null)
    throw drillError("DRL_UNEXPECTED", `epoch ${epoch} of model ${modelId} is not settled`);
  const [earnedWei, ownerWei, treasuryWei, burnedWei] = [
    ...[settlement.earnedSumWei!, settlement.ownerWei!],
    ...[settlement.treasuryWei!, settlement.burnedWei!],
  ] as [bigint, bigint, bigint, bigint];
  const paidWei = payments.reduce((sum, { amountWei }) => sum + amountWei, 0n);
  requireWei(`epoch ${epoch} of model ${modelId}`, earnedWei + ownerWei + treasuryWei + burnedWei, paidWei);
  const how = whose === "honest" ? "draws" : "row counts";
  if (ownerWei > 0n !== (how === "draws") || earnedWei === 0n)
    throw drillError("DRL_UNEXPECTED", `epoch ${epoch} of model ${modelId} is not settled by ${how}`);
  return { whose, how, paidWei, earnedWei, ownerWei, treasuryWei, burnedWei };
}

/**
 * Half of each refuted bond and all stakes are the watcher's, whole bonds of the others their owners'; nothing is left.
 * @returns the watcher's part of bonds
 */
async function requireRowWei(f: LanguageWorld, lies: readonly RefutedRows[]): Promise<bigint> {
  const { gate: disputes, world } = f;
  const halvesWei = (BOND_WEI / 2n) * BigInt(lies.length);
  requireWei("the watcher, of model commitments", await paidTo(f, "watcher", disputes), halvesWei);
  for (const owner of ["builder", "hostile"] as const)
    requireWei(`the ${owner}, of model commitments`, await paidTo(f, owner, disputes), BOND_WEI);
  requireWei(
    "the contract of model commitments",
    await world.l1.client.getBalance({ address: disputes }),
    0n,
  );
  return halvesWei;
}

/** What contracts of rows owe or hold for somebody who has not withdrawn yet. */
async function owedBy(f: LanguageWorld, name: "watcher" | "builder" | "hostile"): Promise<bigint> {
  const { client } = f.world.l1;
  const who = drillAccount(name).address;
  const owed = await Promise.all(
    [f.game, f.gate].map((address) =>
      client.readContract({ address, abi: traceGameAbi, functionName: "owedWei", args: [who] }),
    ),
  );
  const windows = await readWindows(client as never, f.gate);
  const standing = windows.filter(({ owner, state }) => owner === who && state === "counts");
  const held = await Promise.all(
    standing.map(({ id }) =>
      client.readContract({
        address: f.gate,
        abi: disputesAbi,
        functionName: "modelCommitments",
        args: [id],
      }),
    ),
  );
  return [...owed, ...held.map(([, , , bondWei]) => bondWei)].reduce((sum, wei) => sum + wei, 0n);
}

/** What a contract has paid out to somebody. @param address default: the games */
async function paidTo(
  { game, world }: LanguageWorld,
  name: Parameters<typeof drillAccount>[0],
  address: Address = game,
) {
  const paid = await world.l1.client.getContractEvents({
    ...{ address, abi: traceGameAbi, eventName: "Withdrawn", fromBlock: 0n, strict: true },
    args: { who: drillAccount(name).address },
  });
  return paid.reduce((sum, { args }) => sum + args.amountWei, 0n);
}

function requireWei(whose: string, actual: bigint, expected: bigint): void {
  if (actual !== expected)
    throw drillError("DRL_UNEXPECTED", `${whose} has ${actual} wei instead of ${expected}`);
}

export function languageTable({
  burnedBondWei,
  epochs,
  lies,
  ownerWei,
  rowLies,
  rowWatcherWei,
  watcherWei,
}: LanguageDrillResult) {
  const ether = (wei: bigint) => formatEther(wei);
  const lines = [
    ["epoch of", "settled by", "paid", "rows", "owner", "treasury", "burned (OPEN)"],
    ...epochs.map((one) => [
      ...[one.whose, one.how, ether(one.paidWei), ether(one.earnedWei), ether(one.ownerWei)],
      ...[ether(one.treasuryWei), ether(one.burnedWei)],
    ]),
  ];
  return [
    renderColumns(lines),
    renderColumns([
      ["false rows", "shown by", "model commitment, gas"],
      ...rowLies.map(({ fault, name, postGas }) => [name, fault, postGas.toLocaleString("en")]),
    ]),
    `paid for them: ${ether(rowWatcherWei)} ETH`,
    `false claims refuted: ${lies.map(({ name }) => name).join(", ")}`,
    `paid on L1: the watcher ${ether(watcherWei)} ETH, the honest owner ${ether(ownerWei)} ETH; burned of bonds ${ether(burnedBondWei)} ETH`,
  ].join("\n");
}

/** The last line of the command. */
export function languageFacts({ epochs, lies, rowLies, ...wei }: LanguageDrillResult): object {
  const texts = (one: object) =>
    Object.fromEntries(
      Object.entries(one).map(([name, value]) => [name, typeof value === "bigint" ? `${value}` : value]),
    );
  return { ...texts(wei), lies: lies.map(texts), rowLies: rowLies.map(texts), epochs: epochs.map(texts) };
}
