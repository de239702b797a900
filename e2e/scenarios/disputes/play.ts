/** Plays every lie against `openledger challenger` on one rollup, with honest models beside them. */
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { readDisputes, readGame } from "@openledger/challenger/events/read-contracts";
import { textSetting } from "@openledger/models/registered/model-families";
import { textFamily } from "@openledger/models/registered/text-family";
import { runOpenledger } from "@openledger/scripts/cli/openledger-process";
import { formatEther } from "viem";
import { drillError } from "../../world/drill-errors.ts";
import type { ManagedProcess } from "../../world/process.ts";
import { STEP_TIMEOUT_MS } from "../../world/world.ts";
import { CLAIM_LIES, type ClaimedModel, rightClaim } from "./claim-lies.ts";
import {
  type ClaimedLie,
  challengeAll,
  claim,
  climbLadder,
  defendLies,
  flood,
  payFor,
  refutedClaimsOf,
  refutedInTime,
  stakesOf,
} from "./claims.ts";
import {
  type Committed,
  challengeLeaf,
  commitHonestly,
  commitLie,
  isBegun,
  isRefuted,
  type PreparedLie,
  publish,
  readerOf,
  recomputed,
  refutedOf,
} from "./commitments.ts";
import { DIRECT_LIES } from "./direct-lies.ts";
import {
  begin,
  closeAndDraw,
  EPOCH_SECONDS,
  type ModelServer,
  requireSettled,
  serveModel,
  settle,
} from "./epochs.ts";
import { type CommitmentLie, isSlow } from "./lie.ts";
import { Measures, mostMemoryMb } from "./measures.ts";
import { type HonestTexts, TEXT_LIES } from "./text-lies.ts";
import {
  type CreatedModel,
  type DisputeOptions,
  type DisputeWorld,
  type Family,
  type Owner,
  startDisputeWorld,
  type WantedModel,
} from "./world.ts";

const DAY_SECONDS = 86_400;
/** Longer than either side's clock, and than who is asked for a leaf has. */
const SIDE_SECONDS = 25 * 3_600;
const QUESTIONS = ["The union?", "The Congress?"] as const;
/** Claims of the honest owner beside those of drawn receipts: all are challenged at once. */
const MORE_CLAIMS = 6;
const UNSERVED_STATUS = 3;

const named = (family: string) => (lie: { readonly name: string; readonly description: string }) => ({
  ...{ name: `${family}-${lie.name}`, description: lie.description },
});
export const LIES: readonly { readonly name: string; readonly description: string }[] = [
  ...DIRECT_LIES.map(named("direct")),
  ...TEXT_LIES.map(named("text")),
  ...CLAIM_LIES.map(named("claim")),
];

export interface Verdict {
  readonly lies: number;
  readonly unrefuted: readonly string[];
  readonly honestRefuted: number;
  readonly watcherStakeEth: number;
  /** The most memory of the process until it has read the flood and recomputed all honest models. */
  readonly watcherHeapMb: number;
  /** The most it ever had: with models of claims opened and traced. */
  readonly watcherPeakMb: number;
  readonly largestGas: number;
  readonly largestHash: string;
}

/** @param only how names of lies begin that are played, without the honest models and what strangers do */
export async function playDisputes(options: DisputeOptions, only?: string): Promise<Verdict> {
  const f = await startDisputeWorld(options);
  try {
    return await new Play(f, only).run();
  } finally {
    await f.stop();
  }
}

/** A model, and what its owner knows of it. */
interface Owned extends CreatedModel {
  readonly model: PublishedModel;
}

class Play {
  readonly #f: DisputeWorld;
  readonly #only: string | undefined;
  readonly #unrefuted: string[] = [];
  #lies = 0;
  #watch!: ManagedProcess;
  #measures!: Measures;
  #heapMb = 0;

  constructor(f: DisputeWorld, only: string | undefined) {
    this.#f = f;
    this.#only = only;
  }

  get #isWhole(): boolean {
    return this.#only === undefined;
  }

  #plays(name: string): boolean {
    return this.#only === undefined || name.startsWith(this.#only);
  }

  async run(): Promise<Verdict> {
    const f = this.#f;
    const isText = TEXT_LIES.some(({ name }) => this.#plays(`text-${name}`));
    const claims = CLAIM_LIES.filter(({ name }) => this.#plays(`claim-${name}`));
    const ofLiar = isText || claims.length > 0 ? await f.honestTexts("hostile") : null;
    const ofBuilder = this.#isWhole ? await f.honestTexts("builder") : null;
    const lies = await this.#prepared(ofLiar);
    f.tell(`${lies.length} false commitments are made; their models are created, without activations`);
    const wanted: WantedModel[] = [];
    const text = (owner: Owner, { register, trained }: HonestTexts) =>
      wanted.push({ owner, family: "text", model: register(trained) as never });
    if (claims.length > 0) text("hostile", ofLiar!);
    if (ofBuilder !== null) text("builder", ofBuilder);
    if (this.#isWhole)
      wanted.push({ owner: "builder", family: "direct", model: f.honestDirect.model as never });
    const ofLies = lies.map(
      ({ family, made: { model } }): WantedModel => ({ owner: "hostile", family, model }),
    );
    const created = await f.create([...wanted, ...ofLies]);
    const owned = created.map((one, k): Owned => ({ ...one, model: [...wanted, ...ofLies][k]!.model }));
    for (const [k, one] of owned.entries())
      if (lies[k - wanted.length]?.lie.isServed !== false) await publish(one, one.model);
    const liar = claims.length > 0 ? await this.#claimed(owned[0]!, ofLiar!) : null;
    if (this.#isWhole) {
      f.tell("strangers register models and make claims under other rollups");
      await flood(f, liar!, CLAIM_LIES.find(({ name }) => name === "largest")!.make(liar!));
    }
    f.tell("openledger challenger begins, with 2 ETH");
    this.#measures = await Measures.start(f);
    this.#watch = await f.serve("watch", [...f.commands.watch, ...f.commands.often, ...f.as("watcher")]);
    const honest: Committed[] = [];
    for (const one of owned.slice(0, wanted.length)) honest.push(await commitHonestly(f, one));
    if (this.#isWhole) await challengeLeaf(f, honest.at(-1)!);
    for (const one of honest) await recomputed(f, one, this.#watch);
    f.tell(`${honest.length} honest commitments are recomputed`);
    this.#heapMb = mostMemoryMb(this.#watch.pid!);
    await this.#playCommitments(lies, owned.slice(wanted.length));
    if (honest.length > 0) {
      await f.world.passTime(7 * DAY_SECONDS);
      f.tell("the windows of honest commitments are over: their models begin");
      await begin(f, owned.slice(0, wanted.length));
    }
    if (this.#isWhole) {
      const built = await this.#claimed(owned[1]!, ofBuilder!);
      await this.#playEpochs(liar!, built, owned[2]!);
      await this.#requireBonds(honest, built);
      return this.#verdict(honest, built);
    }
    if (liar !== null) await this.#playClaims(liar, claims);
    return this.#verdict(honest, null);
  }

  /** All are made before the first model is created: models go into as few batches as they take. Slow ones come last. */
  async #prepared(texts: HonestTexts | null): Promise<PreparedLie[]> {
    const lies: PreparedLie[] = [];
    this.#f.tell("false commitments are made");
    const add = async <Made>(family: Family, all: readonly CommitmentLie<Made, never>[], known: Made) => {
      for (const lie of all)
        if (this.#plays(`${family}-${lie.name}`))
          lies.push({ name: `${family}-${lie.name}`, family, lie, made: await lie.make(known) });
    };
    await add("direct", DIRECT_LIES as never, this.#f.honestDirect);
    await add("text", TEXT_LIES as never, texts!);
    return lies.toSorted((a, b) => Number(isSlow(a.lie)) - Number(isSlow(b.lie)));
  }

  async #claimed(model: Owned, { traced }: HonestTexts): Promise<ClaimedModel> {
    const { base, rollup } = this.#f;
    const published = model.model as unknown as ClaimedModel["published"];
    const answering = await textFamily(await textSetting({ base })).open(published);
    const at = { ...traced.model, rollup, modelId: BigInt(model.modelId) };
    return { ...model, published, answering: answering as never, traced: { ...traced, model: at } };
  }

  #count(name: string, isGone: boolean): void {
    this.#lies++;
    if (isGone) return;
    this.#unrefuted.push(name);
    this.#f.tell(`the watcher's last words:\n${this.#watch.lastLines()}`);
  }

  /** One after another, since several are of one model; then what only time shows, side by side. */
  async #playCommitments(lies: readonly PreparedLie[], models: readonly CreatedModel[]): Promise<void> {
    const f = this.#f;
    const slow: Committed[] = [];
    for (const [k, prepared] of lies.entries()) {
      const committed = await commitLie(f, models[k]!, prepared);
      if (!isSlow(prepared.lie)) this.#count(prepared.name, await isRefuted(f, committed));
      else slow.push(committed);
      if (prepared.lie.isServed === false) await this.#requireAlarm();
    }
    if (slow.length === 0) return;
    for (const one of slow)
      await f.world.waitFor(`watch to begin with "${one.name}"`, () => isBegun(f, one), STEP_TIMEOUT_MS);
    f.tell("six days pass: who is silent has lost, in games and before the last day of a window");
    await f.world.passTime(6 * DAY_SECONDS);
    for (const one of slow) this.#count(one.name, await isRefuted(f, one));
  }

  /** Of an unserved model the process that goes on tells, and a single look that finds nothing else. */
  async #requireAlarm(): Promise<void> {
    const f = this.#f;
    const hasSaid = async () => this.#watch.hasSaid("CMD_MODEL_UNSERVED");
    await f.world.waitFor("watch to report a model that is not served", hasSaid, STEP_TIMEOUT_MS);
    const { status, stderr, stdout } = await runOpenledger(f.home, f.commands.watch);
    if (status !== UNSERVED_STATUS)
      throw drillError(
        "DRL_UNEXPECTED",
        `a look at an unserved model ends with ${status}: ${stdout}${stderr}`,
      );
  }

  async #playClaims(liar: ClaimedModel, lies: typeof CLAIM_LIES): Promise<readonly ClaimedLie[]> {
    const f = this.#f;
    const claimed: ClaimedLie[] = [];
    for (const lie of lies) {
      const made = lie.make(liar);
      const salt = saltOf(lie);
      claimed.push({ lie, made, claimId: await claim(f, liar, made, salt) });
      f.tell(`claim-${lie.name}: claimed`);
    }
    const late = await defendLies(f, liar, claimed);
    const silent = claimed.filter(({ lie }) => !lie.isFought && !lie.isShown);
    const ids = silent.map(({ claimId }) => claimId);
    await f.world.waitFor(
      "watch to challenge false claims",
      async () => (await stakesOf(f, ids)).length === ids.length,
      STEP_TIMEOUT_MS,
    );
    await f.world.passTime(SIDE_SECONDS);
    late.push(...(await refutedInTime(f, silent)));
    for (const { lie } of claimed) this.#count(`claim-${lie.name}`, !late.includes(lie.name));
    return claimed;
  }

  async #playEpochs(liar: ClaimedModel, built: ClaimedModel, direct: CreatedModel): Promise<void> {
    const f = this.#f;
    const { as, commands, run, world } = f;
    f.tell("honest owners serve their models; questions are asked and paid, a liar's receipts too");
    const [ofDirect, ofText] = [await serveModel(f, direct), await serveModel(f, built)];
    await run.run(...commands.ask(direct, "Subject: lunch at noon?", ofDirect.url), ...as("customer"));
    for (const prompt of QUESTIONS)
      await run.run(...commands.ask(built, prompt, ofText.url), ...as("customer"));
    for (const lie of CLAIM_LIES) if (lie.isPaid) await payFor(f, liar, lie.make(liar), saltOf(lie));
    await world.passTime(EPOCH_SECONDS);
    await closeAndDraw(f, [direct, liar], [built], () =>
      stageOf(f, ofText, ({ stage }) => stage === "awaiting-randomness"),
    );
    await settle(f, direct, ["--server", ofDirect.url]);
    await requireSettled(f, direct, "draws");
    await stageOf(
      f,
      ofText,
      ({ claiming }) => claiming.stage === "awaiting-windows" && claiming.draws.open === QUESTIONS.length,
    );
    f.tell(`${MORE_CLAIMS} more claims of the honest owner; a liar's friend opens games about a right claim`);
    for (let k = 0; k < MORE_CLAIMS; k++)
      await claim(f, built, rightClaim(built, `The debt ${k}?`), 500n + BigInt(k));
    await climbLadder(f, liar);
    const games = await challengeAll(f, built);
    f.tell(`the honest owner has answered in ${games} games at once; the liar claims`);
    const claimed = await this.#playClaims(liar, CLAIM_LIES);
    await this.#requireOneStake(claimed);
    await stageOf(f, ofText, ({ claiming }) => claiming.openGames === 0);
    await world.passTime(SIDE_SECONDS);
    await stageOf(f, ofText, ({ settled }) => settled?.epoch === 1);
    await requireSettled(f, built, "draws");
    await world.passTime(12 * DAY_SECONDS);
    f.tell("14 days after the CloseEpoch the liar's epoch is settled by row counts");
    await settle(f, liar, ["--default-split"]);
    await requireSettled(f, liar, "row counts");
  }

  /** What the first challenge of a claim costs, whatever games are open about others. */
  async #requireOneStake(claimed: readonly ClaimedLie[]): Promise<void> {
    const f = this.#f;
    const ids = claimed.map(({ claimId }) => claimId);
    const stakes = await stakesOf(f, ids);
    const stakeWei = await readGame(f.l1, f.game)("stakeWei", []);
    if (stakes.length === 0 || stakes.some((wei) => wei >= 2n * stakeWei))
      throw drillError(
        "DRL_UNEXPECTED",
        `the watcher has paid stakes of ${stakes.map((wei) => formatEther(wei))} ETH`,
      );
  }

  /** Whole bonds are the honest owners' again. @throws DRL_UNEXPECTED */
  async #requireBonds(honest: readonly Committed[], { modelId }: ClaimedModel): Promise<void> {
    const f = this.#f;
    for (const name of ["builder", "hostile", "watcher"] as const) await withdraw(f, name);
    for (const { id } of honest) {
      const [, , , bondWei] = await readDisputes(f.l1, f.gate)("modelCommitments", [id]);
      if (bondWei !== 0n) throw drillError("DRL_UNEXPECTED", `the bond of commitment ${id} is not returned`);
    }
    const { claims } = await readerOf(f).claims({ rollup: f.rollup, modelId: BigInt(modelId) });
    const held = claims.filter(({ bondWei }) => bondWei > 0n);
    if (held.length > 0)
      throw drillError("DRL_UNEXPECTED", `${held.length} bonds of claims are not returned`);
  }

  async #verdict(honest: readonly Committed[], built: ClaimedModel | null): Promise<Verdict> {
    const f = this.#f;
    const watcherPeakMb = mostMemoryMb(this.#watch.pid!);
    await this.#measures.stop();
    const { largestGas, stakedEth, stakedWei } = this.#measures;
    if (this.#isWhole && stakedWei !== 0n)
      throw drillError("DRL_UNEXPECTED", `${formatEther(stakedWei)} ETH of the watcher are not returned`);
    const claims = built === null ? 0 : await refutedClaimsOf(f, built);
    return {
      ...{ lies: this.#lies, unrefuted: this.#unrefuted },
      honestRefuted: (await refutedOf(f, honest)) + claims,
      ...{ watcherStakeEth: stakedEth, watcherHeapMb: this.#heapMb, watcherPeakMb },
      ...{ largestGas: largestGas.gas, largestHash: largestGas.hash },
    };
  }
}

/** Of what a lie is paid for with, and claimed. */
const saltOf = (lie: (typeof CLAIM_LIES)[number]): bigint => 100n + BigInt(CLAIM_LIES.indexOf(lie));

/** Waits for what the honest owner's server says of itself. */
async function stageOf(
  { world }: DisputeWorld,
  { view }: ModelServer,
  isThere: (view: Awaited<ReturnType<ModelServer["view"]>>) => boolean,
): Promise<void> {
  await world.waitFor(
    "the honest owner's server",
    async () => {
      await world.operator("/operator/close", {});
      return isThere(await view());
    },
    STEP_TIMEOUT_MS,
  );
}

/** What L1 owes, if it does: a server has taken its own. */
async function withdraw({ as, commands, run }: DisputeWorld, name: Owner | "watcher"): Promise<void> {
  await run.run(...commands.withdraw, ...as(name)).catch((error: unknown) => {
    if (!String(error).includes("owes nothing")) throw error;
  });
}
