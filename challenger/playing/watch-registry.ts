/** A watcher of the registry: each open model commitment is recomputed once, on another thread, and challenged where it is false. */

import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Address, Hex, PublicClient } from "viem";
import { challengerError } from "../challenger-errors.ts";
import type { ChallengerSender, ChallengerSetting } from "../challenger-setting.ts";
import type { ChallengerState, Verdict } from "../challenger-state.ts";
import { untoldError } from "../events/event-log.ts";
import { readDisputes } from "../events/read-contracts.ts";
import type { GameReader } from "../games/read-games.ts";
import type { GameState } from "../games/trace-moves.ts";
import {
  type AvailabilityChallenges,
  type ModelCommitment,
  readAvailabilityChallenges,
  withPosted,
  withStatements,
} from "../model-commitments/read-model-commitments.ts";
import type { ModelCommitmentWindow, WindowReader } from "../model-commitments/read-windows.ts";
import { modelCommitmentLines, recomputedLine } from "../model-commitments/read-windows.ts";
import { feeBack, NOTHING_WRONG, type WatchedCommitment } from "../model-commitments/watch-commitment.ts";
import type { L1Call } from "../sending/l1-sender.ts";
import { type ShownLeaf, TREES } from "../statements/committed-model.ts";
import { messageOf } from "./describe-round.ts";
import type { KeptFiles } from "./kept-files.ts";
import type { GamePlayers } from "./play-games.ts";
import { type ModelPlace, placeOf } from "./published-files.ts";
import { rowTurnsOf } from "./row-games.ts";

/** In JSON: there may be thousands. */
const MOST_WANTED_SHOWN = 8;
/** 7 MB at most, and one question to the node. */
const MOST_POSTED = 64;
/** Recomputing may take hours, and answers come meanwhile. */
const MOST_AGE_MS = 15_000;
/** Then the next look begins, which knows of what was posted meanwhile, and looks at that first. */
const MOST_PLACES_MS = 3_600_000;
/** Before the end of a window that was not looked at to the end: then somebody is told, and it is trained before others. */
const LATE_SECONDS = 3n * 86_400n;
/** One model commitment's time in a look: at first so much, later as much as it has had in all. */
const FIRST_SLICE_MS = 600_000;

/** One model commitment to recompute, as it passes to another thread. */
export interface RecomputeTask {
  readonly modelCommitment: ModelCommitment;
  readonly asked: AvailabilityChallenges;
  readonly known: Verdict | null;
  readonly place: ModelPlace;
  /** Whether a model whose places are right is trained again. */
  readonly trains: boolean;
  /** Then it is ended, and goes on another time; null for as long as any may take. */
  readonly sliceMs: number | null;
  /** Where games are, and what of the model is played here; null for none. */
  readonly games: Address | null;
  readonly digest: Hex | null;
  /** Where copies of files are kept, and with which statics its model is registered; null keeps none. */
  readonly keeps: { readonly folder: string; readonly statics: Hex } | null;
  readonly setting: Pick<
    ChallengerSetting,
    "rpcUrl" | "disputes" | "rollup" | "mostFeesWei" | "mostStakeWei"
  > & {
    readonly base: string | undefined;
    /** null only looks. */
    readonly account: Address | null;
    readonly spentWei: bigint;
  };
}

/** What the thread asks of the one that sends. */
export interface RecomputeModules {
  send(call: L1Call): Promise<{ readonly hash: Hex; readonly gasUsed: bigint }>;
  spend(id: bigint, wei: bigint): Promise<void>;
  /** Of the account's games about its rows. */
  turns(): Promise<readonly GameState["turn"][]>;
  onProgress(line: string): void;
}

export type Recompute = (task: RecomputeTask, modules: RecomputeModules) => Promise<WatchedCommitment>;

interface RegistryWatching {
  readonly setting: ChallengerSetting;
  readonly sender: ChallengerSender | null;
  readonly registry: WindowReader;
  readonly reader: GameReader | null;
  readonly players: GamePlayers | null;
  readonly kept: KeptFiles | null;
  readonly state: ChallengerState;
  readonly client: PublicClient;
  readonly recompute: Recompute;
  readonly onProgress: (line: string) => void;
}

interface SeenCommitments {
  readonly lines: readonly string[];
  readonly views: readonly CommitmentView[];
  readonly failures: readonly unknown[];
  /** Models of the rollup that are posted, and not refuted. */
  readonly posted: ReadonlySet<number>;
  /** Whether models are left to be trained again. */
  readonly isWaiting: boolean;
}

type Watched = Omit<WatchedCommitment, "verdict">;
const UNTOUCHED: Watched = {
  ...{ examined: null, isUnserved: false, isUntrained: false },
  ...{ isRecomputed: false, sent: null, failure: null },
};

export class RegistryWatch {
  readonly #of: RegistryWatching;
  /** How often each was tried: those that fail come last. */
  readonly #trainings = new Map<bigint, number>();
  /** Time that places of each have taken: what is new or quick comes first. */
  readonly #spentMs = new Map<bigint, number>();
  /** Leaves that had been shown for fees of one's own when each was looked at last. */
  readonly #shown = new Map<bigint, number>();
  /** What is to be recomputed in this look, read at once. */
  #commitments: readonly ModelCommitment[] = [];
  /** Some of these, with what L1 was shown of them. */
  #posted = new Map<bigint, ModelCommitment>();
  /** What the registry's events say, for some time: looks at hundreds of model commitments ask for it. */
  #facts: { readonly all: Facts; readonly atMs: number } | null = null;

  constructor(of: RegistryWatching) {
    this.#of = of;
  }

  /**
   * One look at every model commitment that is open and not yet found right as a whole; then one model is trained again, of
   * a single look all. Attack: trainings of hours, each with a bond that comes back, before a false place is looked at.
   * Attack: files that come for an hour each, or never are read: hundreds of them would fill a window. What has had the least
   * time comes first; then what answers a fee, since the next leaf has to be asked for in time; then the others. So owners who
   * answer without end keep nothing from its turn. No training holds these up, but of what ends in three days.
   */
  async look(): Promise<SeenCommitments> {
    const { registry, setting } = this.#of;
    const { untold, windows } = await registry.windows();
    const due = windows.filter((window) => this.#isDue(window));
    this.#commitments = await withStatements(registry, due);
    this.#posted = new Map();
    this.#facts = null;
    const lines = [`${registry.address}${windows.length === 0 ? ": nothing is posted" : ""}`];
    const [views, failures]: [CommitmentView[], unknown[]] = [[], [...untold]];
    const isOurs = ({ rollup }: ModelCommitmentWindow) =>
      setting.rollup !== null && rollup.toLowerCase() === setting.rollup.toLowerCase();
    const found = new Map<ModelCommitmentWindow, Watched>();
    const watch = async (window: ModelCommitmentWindow, trains: boolean, sliceMs: number | null = null) => {
      const failed = (error: unknown) => ({ ...UNTOUCHED, failure: error as Error });
      found.set(window, await this.#watch(window, trains, sliceMs).catch(failed));
    };
    // Attack: others' rollups, whose model commitments take hours.
    const [ours, others] = [windows.filter(isOurs), windows.filter((window) => !isOurs(window))];
    // Beside what has the first turn in a look.
    let placesMs = 0;
    const left = new Set<ModelCommitmentWindow>();
    const { answered, isWaiting: hasFees } = await this.#fees(due);
    const spentOn = ({ id }: ModelCommitmentWindow) => this.#spentMs.get(id) ?? 0;
    for (const some of [ours, others]) {
      const bySpent = some.toSorted((a, b) => spentOn(a) - spentOn(b));
      const next = bySpent.find((window) => this.#isDue(window) && !answered.has(window.id));
      const placeOf = (window: ModelCommitmentWindow) =>
        window === next ? 0 : answered.has(window.id) ? 1 : 2;
      for (const window of bySpent.sort((a, b) => placeOf(a) - placeOf(b))) {
        const atMs = Date.now();
        if (setting.everyMs !== null && placesMs > MOST_PLACES_MS && this.#isDue(window)) {
          left.add(window);
          continue;
        }
        const spentMs = spentOn(window);
        const sliceMs = setting.everyMs === null ? null : Math.max(FIRST_SLICE_MS, spentMs);
        await watch(window, false, sliceMs);
        const shown = answered.get(window.id);
        if (shown !== undefined) this.#shown.set(window.id, shown);
        const tookMs = Date.now() - atMs;
        if (window !== next) placesMs += tookMs;
        if (this.#isDue(window)) this.#spentMs.set(window.id, spentMs + tookMs);
        const { failure, sent } = found.get(window)!;
        if (sliceMs !== null && tookMs >= sliceMs && isRollupError(failure, "MOD_THREAD_ENDED")) {
          left.add(window);
          found.set(window, { ...UNTOUCHED, sent });
        }
      }
    }
    const triesOf = ({ id }: ModelCommitmentWindow) => this.#trainings.get(id) ?? 0;
    const untrained = [...ours, ...others]
      .filter((window) => found.get(window)?.isUntrained === true)
      .sort((a, b) => triesOf(a) - triesOf(b));
    const isAnyLeft = untrained.length + left.size > 0;
    const { timestamp } = isAnyLeft ? await this.#of.client.getBlock() : { timestamp: 0n };
    const isLate = (window: ModelCommitmentWindow) =>
      (setting.rollup === null || isOurs(window)) && window.endsAtSeconds - timestamp < LATE_SECONDS;
    // Attack: leaves for fees one after another, or files of hours, until the windows of those that only a training shows end.
    const next = untrained.find(isLate) ?? (left.size > 0 || hasFees ? undefined : untrained[0]);
    for (const window of setting.everyMs === null ? untrained : next === undefined ? [] : [next]) {
      this.#trainings.set(window.id, triesOf(window) + 1);
      await watch(window, true);
    }
    for (const window of windows) {
      const seen = found.get(window) ?? UNTOUCHED;
      const isLeft = left.has(window);
      if ((isLeft || seen.isUntrained) && isLate(window))
        failures.push(alarm("CMD_FALSE_UNCHALLENGED", window, UNLOOKED));
      lines.push(
        ...(isLeft ? [...modelCommitmentLines(window), "  left for the next look"] : linesOf(window, seen)),
      );
      views.push(viewOf(window, seen));
      failures.push(...(await this.#alarmsOf(window, seen)));
    }
    const posted = windows.filter((window) => isOurs(window) && window.state !== "refuted");
    const isWaiting =
      left.size > 0 || (setting.everyMs !== null && next !== undefined && untrained.length > 1);
    return { lines, views, failures, isWaiting, posted: new Set(posted.map(({ modelId }) => modelId)) };
  }

  /** What is left open. Where somebody else was faster, nothing is. */
  async #alarmsOf(window: ModelCommitmentWindow, { examined, failure, isUnserved, sent }: Watched) {
    const { client, registry, sender } = this.#of;
    const { id } = window;
    const isFalse = (examined?.fault ?? null) !== null;
    // Attack: a leaf that nobody publishes, beside a place that is known to be false.
    const isAsked = sent?.what === "challengeAvailability" || sent?.what === "requestLeaves";
    const isLeft = failure !== null || (isFalse && (sender === null || isAsked));
    const isUnknown = isUnserved || (window.state === "open" && (examined?.wanted.length ?? 0) > 0);
    if (isUnknown && !(isFalse && isLeft)) return [alarm("CMD_MODEL_UNSERVED", window, UNSERVED)];
    const warning = isFalse ? undefined : examined?.warnings[0];
    if (window.state === "open" && failure === null && warning !== undefined)
      return [
        alarm(
          "CMD_FALSE_UNCHALLENGED",
          window,
          `has what no challenge shows, do not approve it: ${warning.split("\n")[0]}`,
        ),
      ];
    if (window.state !== "open" || !isLeft) return [];
    const [, , isRefuted] = await readDisputes(client, registry.address)("modelCommitments", [id]);
    if (isRefuted) return [];
    if (isRollupError(failure, "CMD_FALSE_UNCHALLENGED") || examined?.fault == null) return [failure];
    const why = failure?.message ?? "no one signs: openledger challenger --account NAME challenges it";
    return [alarm("CMD_FALSE_UNCHALLENGED", window, `is false, and not challenged: ${why.split("\n")[0]}`)];
  }

  /**
   * Those of whose leaves one was shown for a fee of one's own since they were looked at last, with how many were in all; and
   * whether another fee waits.
   */
  async #fees(due: readonly ModelCommitmentWindow[]) {
    const { sender, state } = this.#of;
    const answered = new Map<bigint, number>();
    let isWaiting = false;
    for (const { id } of due) {
      if (sender === null || state.spentWei(id) === 0n) continue;
      const asked = await this.#askedOf(id).catch(() => null);
      if (asked === null) continue;
      const isMine = ({ index, tree }: ShownLeaf) =>
        asked.paid.some(
          (one) => one.who === sender.address && TREES[one.tree] === tree && one.index === BigInt(index),
        );
      const shown = asked.shown.filter(isMine).length;
      if (shown > (this.#shown.get(id) ?? 0)) answered.set(id, shown);
      isWaiting ||= asked.open.some(({ feeWei, who }) => feeWei > 0n && who === sender.address);
    }
    return { answered, isWaiting };
  }

  #isDue(window: ModelCommitmentWindow): boolean {
    return window.family !== null && window.state === "open" && !this.#of.state.isRecomputed(window);
  }

  /** Some at a time: those behind it come next. Attack: thousands of model commitments, each with 110 KB of leaves. */
  async #withPosted(id: bigint): Promise<ModelCommitment | undefined> {
    const from = this.#commitments.findIndex((one) => one.id === id);
    if (from !== -1 && !this.#posted.has(id)) {
      const some = await withPosted(this.#of.registry, this.#commitments.slice(from, from + MOST_POSTED));
      this.#posted = new Map(some.map((one) => [one.id, one]));
    }
    return this.#posted.get(id);
  }

  async #askedOf(id: bigint): Promise<AvailabilityChallenges> {
    const { registry } = this.#of;
    if (this.#facts === null || Date.now() - this.#facts.atMs > MOST_AGE_MS)
      this.#facts = { all: await registry.log.read(), atMs: Date.now() };
    return readAvailabilityChallenges(registry, id, this.#facts.all);
  }

  async #watch(window: ModelCommitmentWindow, trains: boolean, sliceMs: number | null): Promise<Watched> {
    const { client, onProgress, registry, sender, setting, state } = this.#of;
    const { id, modelId } = window;
    if (window.state === "refuted" && setting.mostFeesWei > 0n && sender !== null) {
      const send = (call: { data: Hex; valueWei: bigint }) => sender.send({ to: registry.address, ...call });
      const watcher = { address: sender.address, send };
      const back = { publicClient: client, disputes: registry.address, watcher };
      const sent = await feeBack(back, window, () => this.#askedOf(id));
      return { ...UNTOUCHED, sent };
    }
    if (!this.#isDue(window)) return { ...UNTOUCHED, isRecomputed: state.isRecomputed(window) };
    const modelCommitment = await this.#withPosted(id);
    if (modelCommitment === undefined) throw new RangeError(`L1 has taken model commitment ${id} back`);
    if (modelCommitment.posted === null) throw untoldError(`of what L1 was shown of model commitment ${id}`);
    const asked = await this.#askedOf(id);
    const known = state.verdictOf(modelCommitment);
    const { disputes, mostFeesWei, mostStakeWei, places, rollup, rpcUrl } = setting;
    const { kept, players, reader } = this.#of;
    if (trains || known?.isRight !== true) onProgress(`recomputing model ${modelId}, model commitment ${id}`);
    const named = { rollup: window.rollup, modelId: BigInt(modelId) };
    const account = sender?.address ?? null;
    const statics = players?.staticsOf(named) ?? null;
    const task: RecomputeTask = {
      ...{ modelCommitment, asked, known, trains, sliceMs, games: players?.game ?? null },
      ...{ place: placeOf(places, modelId), digest: players?.rowsPlayed(named) ?? null },
      keeps: kept === null || statics === null ? null : { folder: kept.folder, statics },
      setting: {
        ...{ rpcUrl, disputes, rollup, base: places.base, mostFeesWei, mostStakeWei, account },
        spentWei: state.spentWei(id),
      },
    };
    const modules: RecomputeModules = {
      ...{ onProgress, spend: (of, wei) => state.spend(of, wei) },
      send: (call) => (sender === null ? Promise.reject(new Error("no one signs")) : sender.send(call)),
      turns: async () =>
        reader === null || account === null ? [] : rowTurnsOf(reader, { account, id, named }),
    };
    const { verdict, ...watched } = await this.#of.recompute(task, modules).catch(async (error: unknown) => {
      if (!isRollupError(error, "MOD_THREAD_ENDED")) throw error;
      if (!trains) {
        // Attack: files that end whoever reads them. Nobody can, as if there were none; fees are not paid for a failure of one's own.
        const none = { ...task, place: null, setting: { ...task.setting, mostFeesWei: 0n } };
        return { ...(await this.#of.recompute(none, modules)), failure: error };
      }
      const warnings = [`it was not trained again: ${error.message}`];
      const examined = { ...NOTHING_WRONG, warnings };
      // Attack: other files for every look, each trained for hours.
      const isTrained = { isTrained: true, count: (known?.count ?? 0) + 1 };
      const verdict = known && { ...known, ...isTrained, mismatch: warnings[0]!, warnings };
      return { ...UNTOUCHED, examined, verdict };
    });
    if (verdict !== null) await state.keepVerdict(id, verdict);
    if (watched.isRecomputed) await state.keepRecomputed(window);
    return watched;
  }
}

type Facts = Awaited<ReturnType<WindowReader["log"]["read"]>>;

const alarm = (
  code: "CMD_FALSE_UNCHALLENGED" | "CMD_MODEL_UNSERVED",
  { endsAtSeconds, id, modelId }: ModelCommitmentWindow,
  why: string,
) =>
  challengerError(code, `model commitment ${id} of model ${modelId} ${why}`, {
    data: { modelCommitment: id, modelId, endsAtSeconds },
  });
const UNSERVED = "is open, and what it is made of is not all available: no one can recompute it";
const UNLOOKED =
  "may be false: looks had too little time for all of it, and its window ends soon. Do not approve it";

function linesOf(
  window: ModelCommitmentWindow,
  { examined, failure, isRecomputed, isUnserved, isUntrained, sent }: Watched,
): string[] {
  const found =
    examined === null
      ? []
      : [
          ...(examined.fault === null ? [] : [`  wrong: ${JSON.stringify(examined.fault)}`]),
          ...[...new Set(examined.wanted.map(({ tree }) => tree))].map(
            (tree) =>
              `  leaves of "${tree}" are not published, or too long: challenge them, and do not approve it`,
          ),
          ...examined.warnings.map((warning) => `  no challenge for this, do not approve it: ${warning}`),
        ];
  return [
    ...modelCommitmentLines(window),
    ...(isUnserved ? ["  its files are not available: do not approve it"] : []),
    ...(window.state === "open" && isRecomputed ? [recomputedLine(window)] : []),
    ...(window.state === "open" && examined === null && failure === null && !isUnserved && !isRecomputed
      ? ["  not recomputed: of another rollup, or of a family that is not watched"]
      : []),
    ...(failure === null
      ? []
      : [
          `  ${examined === null ? "cannot be recomputed" : "nothing sent"}: ${failure.message.split("\n")[0]}`,
        ]),
    ...found,
    ...(isUntrained ? ["  its places are right; it is left to train it again"] : []),
    ...(sent === null ? [] : [`  sent: ${sent.what}, L1 transaction ${sent.hash}, ${sent.gasUsed} gas`]),
  ];
}

export type CommitmentView = ReturnType<typeof viewOf>;

function viewOf(window: ModelCommitmentWindow, watched: Watched) {
  const { examined, failure, isRecomputed, isUnserved, sent } = watched;
  const found = examined && { ...examined, wanted: examined.wanted.slice(0, MOST_WANTED_SHOWN) };
  return {
    ...window,
    examined: found,
    isUnserved,
    isRecomputed,
    sent,
    failure: failure && messageOf(failure),
  };
}
