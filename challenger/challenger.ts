/**
 * One program for all who take part in disputes: it makes moves in games, shows leaves, claims what is drawn, takes money back, and
 * recomputes what others post (docs/explanation/disputes.md). Each look does it in the order of the deadlines.
 */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { l1Http } from "@openledger/bridge/l1/l1-client";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { takeFileLock } from "@openledger/foundation/file-lock";
import { type Address, createPublicClient, type PublicClient, type Transport, zeroAddress } from "viem";
import { challengerError } from "./challenger-errors.ts";
import type { ChallengerSender, ChallengerSetting } from "./challenger-setting.ts";
import { ChallengerState } from "./challenger-state.ts";
import { ClaimProposer, type ProposingModules } from "./claiming/propose-claims.ts";
import { EventJournal } from "./events/event-journal.ts";
import { type EventFact, EventLog, type EventSource } from "./events/event-log.ts";
import { readGame } from "./events/read-contracts.ts";
import { receiptClaim } from "./games/claims/receipt-claim.ts";
import { gameSource } from "./games/game-events.ts";
import { GameReader, sameAddress } from "./games/read-games.ts";
import { readGames } from "./games/trace-contracts.ts";
import { registrySources, WindowReader } from "./model-commitments/read-windows.ts";
import { readRegistry } from "./model-commitments/registry.ts";
import { showLeaves } from "./playing/answer-availability-challenges.ts";
import { messageOf } from "./playing/describe-round.ts";
import { KeptFiles } from "./playing/kept-files.ts";
import { OpenedModels } from "./playing/opened-models.ts";
import { GamePlayers, type SeenGames } from "./playing/play-games.ts";
import { sendingTo } from "./playing/trace-sender.ts";
import { type CommitmentView, type Recompute, RegistryWatch } from "./playing/watch-registry.ts";
import { withdrawAll } from "./playing/withdraw.ts";

export interface ChallengerModules {
  /** Of everything that the account sends, one after another (`inOrder`); null only looks. */
  readonly sender: ChallengerSender | null;
  readonly onProgress: (line: string) => void;
  /** Where an open model commitment is recomputed: for hours, so on another thread. Needed by `watch`. */
  readonly recompute?: Recompute;
  /** Needed by `propose`. */
  readonly proposing?: ProposingModules & { readonly modelIds: readonly number[] };
  /** Default: a client of its own. */
  readonly publicClient?: PublicClient;
}

/** What one look has found and done, for people and for programs. */
export interface Look {
  readonly lines: readonly string[];
  readonly view: LookView;
  /** Contracts that could not be read, moves that were not made, and what is false and not challenged. */
  readonly failures: readonly unknown[];
  /** Whether something was left that the next look does at once. */
  readonly isWaiting: boolean;
}

/** Amounts are bigint. */
export interface LookView {
  readonly modelCommitments: readonly CommitmentView[];
  /** Games and claims of each language model. */
  readonly models: readonly object[];
  /** Models that promise their rows, and nobody has posted them. */
  readonly unposted: readonly number[];
  /** Leaves that were shown. */
  readonly answered: readonly object[];
  readonly withdrawals: readonly object[];
}

export interface Challenger {
  /** Does everything that is due. While a recomputation goes on, moves are made all the same. */
  look(): Promise<Look>;
  /** Looks until the signal; once for a single look. @param tell told of each */
  run(tell: (look: Look) => void, signal?: AbortSignal): Promise<void>;
  /** Gives back the folder. */
  close(): void;
}

/** What is due is looked at so often while something else goes on. */
const MOST_BETWEEN_MS = 60_000;
/** A look for bonds of claims that count: nothing else waits for them. */
const COLLECT_EVERY_MS = 3_600_000;

/** @throws CMD_USAGE for no contract of disputes, for a role without its account, and where another process has the folder */
export async function openChallenger(
  setting: ChallengerSetting,
  modules: ChallengerModules,
): Promise<Challenger> {
  const { disputes, roles, rollup, rpcUrl } = setting;
  const { onProgress, sender } = modules;
  if (sender === null && (roles.has("defend") || roles.has("propose")))
    throw challengerError("CMD_USAGE", "who defends or proposes signs: --account NAME");
  await initPoseidon();
  const client = modules.publicClient ?? readingClient(l1Http(rpcUrl));
  const [registry, game] = await Promise.all([readRegistry(client, disputes), readGames(client, disputes)]);
  if (registry === null && game === null)
    throw challengerError(
      "CMD_USAGE",
      `the contract at ${disputes} is no contract of disputes: check the address and --rpc`,
    );
  const of = [disputes, rollup, sender?.address ?? "nobody"].join(" ").toLowerCase();
  const { close, pathOf } = await takeFolder(setting.folder, of);
  const damaged: string[] = [];
  const state = await ChallengerState.open(pathOf("state.json"), of, (why) => damaged.push(why));
  // Each contract apart: one whose events a node does not tell keeps nobody from the other.
  const logOf = <Fact extends EventFact>(name: string, sources: readonly EventSource<Fact>[]) => {
    const path = pathOf(`${name}.jsonl`);
    const journal = path === null ? null : new EventJournal<Fact>(path, of, (why) => damaged.push(why));
    return new EventLog<Fact>(client, sources, journal);
  };
  // Attack: registrations of contracts that call themselves rollups, until the memory is full. They are not read.
  const played = rollup === null || game === null ? null : logOf("games", [gameSource(game, { rollup })]);
  return new DisputesLoop(setting, modules, {
    ...{ client, close, damaged, state, game },
    registry: registry && new WindowReader(client, disputes, logOf("registry", registrySources(disputes))),
    reader: played && new GameReader(client, game!, { rollup: rollup! }, played),
    opened: new OpenedModels(setting.places.base, onProgress),
    kept: setting.folder === null ? null : new KeptFiles(pathOf("files")!),
  });
}

/** Asks for hundreds of claims, games and windows in a few calls, of any node: the contract that collects them is sent along. */
export const readingClient = (transport: Transport): PublicClient =>
  createPublicClient({ transport, batch: { multicall: { deployless: true, batchSize: MOST_CALL_BYTES } } });

/**
 * 28 reads by a number. The answers come back as a contract's code, of which L1 takes 24,576 bytes, and a game's takes 640.
 * Attack: claims, games and windows until a call is too large for every node.
 */
const MOST_CALL_BYTES = 1_024;

/** For this process alone: two of one account would send beside each other, and spend twice. @throws CMD_USAGE */
async function takeFolder(folder: string | null, of: string) {
  if (folder === null) return { pathOf: () => null, close: () => {} };
  await mkdir(folder, { recursive: true });
  const name = join(folder, of.replaceAll(" ", "-"));
  const close = takeFileLock(`${name}.lock`, (processId) =>
    challengerError("CMD_USAGE", `process ${processId} plays for this account already: it has ${name}.lock`),
  );
  return { close, pathOf: (kind: string) => `${name}.${kind}` };
}

interface Opened {
  readonly client: PublicClient;
  readonly registry: WindowReader | null;
  readonly reader: GameReader | null;
  readonly game: Address | null;
  readonly state: ChallengerState;
  readonly opened: OpenedModels;
  readonly kept: KeptFiles | null;
  /** Files that were not taken, to be told once. */
  readonly damaged: string[];
  close(): void;
}

class DisputesLoop implements Challenger {
  readonly close: () => void;
  readonly #setting: ChallengerSetting;
  readonly #modules: ChallengerModules;
  readonly #of: Opened;
  readonly #players: GamePlayers | null;
  readonly #watch: RegistryWatch | null;
  readonly #proposers: readonly ClaimProposer[];
  #collectAtMs = 0;

  constructor(setting: ChallengerSetting, modules: ChallengerModules, of: Opened) {
    const { everyMs, mostStakeWei, places, roles } = setting;
    const { client, game, kept, opened, reader, registry, state } = of;
    const { onProgress, proposing, recompute, sender } = modules;
    this.close = of.close;
    this.#setting = setting;
    this.#modules = modules;
    this.#of = of;
    const rightClaims = (digest: string) => ({
      has: ({ blockHash, claimId }: { blockHash: string; claimId: bigint }) =>
        state.isRight(`${claimId}/${blockHash}`, digest),
      keep: ({ blockHash, claimId }: { blockHash: string; claimId: bigint }) =>
        state.keepRight(`${claimId}/${blockHash}`, digest),
    });
    const posted = async () => {
      if (!roles.has("watch") || registry === null) return [];
      const { windows } = await registry.windows();
      const isOwn = (one: (typeof windows)[number]) => sameAddress(one.rollup, setting.rollup ?? zeroAddress);
      return windows.filter((one) => one.state === "open" && isOwn(one)).map(({ modelId }) => modelId);
    };
    // A registry that cannot be read is told by its own look.
    const named = async () => [...(proposing?.modelIds ?? []), ...(await posted().catch(() => []))];
    this.#players =
      game === null
        ? null
        : new GamePlayers({
            ...{ client, game, reader, named, roles, places, opened, kept },
            ...{ sender, rightClaims, mostStakeWei, onProgress },
            looksOnce: everyMs === null,
          });
    this.#watch =
      registry === null || !roles.has("watch")
        ? null
        : new RegistryWatch({
            ...{ setting, sender, registry, reader, state, kept, client, onProgress },
            ...{ players: this.#players, recompute: recompute! },
          });
    const judge = sender === null || game === null ? null : sendingTo(sender, game);
    this.#proposers =
      !roles.has("propose") || proposing === undefined || judge === null || reader === null
        ? []
        : proposing.modelIds.map(
            (modelId) =>
              new ClaimProposer(
                modelId,
                judge,
                reader,
                async (id, receipt) => {
                  const { data, query } = receiptClaim(await this.#players!.opened(id), receipt);
                  return { data, query: query.query };
                },
                proposing,
              ),
          );
  }

  async look(): Promise<Look> {
    const seen = new Seen();
    for (const why of this.#of.damaged.splice(0)) seen.lines.push(why);
    const promising = await this.#due(seen);
    if (this.#watch === null) return seen.look({});
    const watching = this.#watch.look().then(
      (found) => ({ found }),
      (error: unknown) => ({ error }),
    );
    // Attack: several heavy model commitments, each trained for hours, while somebody's clock runs in a game.
    const betweenMs = Math.min(this.#setting.everyMs ?? MOST_BETWEEN_MS, MOST_BETWEEN_MS);
    let done = await within(watching, betweenMs);
    for (; done === null; done = await within(watching, betweenMs)) await this.#dueAgain(seen);
    if ("error" in done) {
      seen.failures.push(done.error);
      return seen.look({});
    }
    const { found } = done;
    seen.lines.push(...found.lines);
    seen.failures.push(...found.failures);
    seen.isWaiting ||= found.isWaiting;
    const unposted = promising.filter((modelId) => !found.posted.has(modelId));
    for (const modelId of unposted)
      seen.lines.push(`model ${modelId} promises its rows, and no one has posted them: it cannot begin`);
    return seen.look({ modelCommitments: found.views, unposted });
  }

  async run(tell: (look: Look) => void, signal?: AbortSignal): Promise<void> {
    const { everyMs } = this.#setting;
    while (signal?.aborted !== true) {
      const look = await this.look();
      tell(look);
      if (everyMs === null) return;
      if (!look.isWaiting) await pause(everyMs, signal);
    }
  }

  /** All that has a deadline of others. @returns models whose rows have to be posted */
  async #due(seen: Seen): Promise<readonly number[]> {
    let promising: readonly number[] = [];
    const players = this.#players;
    // Attack: models whose files take minutes, while a leaf is due within the day.
    await this.#showDue(seen);
    // One contract that cannot be read keeps nobody from the other.
    if (players !== null)
      await seen.attempt(async () => {
        const games = await players.look();
        ({ promising } = games);
        seen.tellGames(games);
        this.#noteMoves(games);
      });
    await this.#owns(seen);
    return promising;
  }

  /** While something else goes on: what is new is told at once. */
  async #dueAgain(seen: Seen): Promise<void> {
    const players = this.#players;
    if (players !== null)
      await seen.attempt(async () => {
        const games = await players.again();
        for (const line of games.lines) this.#modules.onProgress(line);
        seen.tellGames(games);
        this.#noteMoves(games);
      });
    await this.#showDue(seen);
    await this.#owns(seen);
  }

  async #showDue(seen: Seen): Promise<void> {
    const { sender } = this.#modules;
    if (sender !== null && this.#setting.roles.has("defend") && this.#of.registry !== null)
      await seen.attempt(() => this.#showLeaves(seen, sender));
  }

  #noteMoves({ moves }: Pick<SeenGames, "moves">): void {
    const { proposing } = this.#modules;
    for (const { claimId, gameId, gasUsed, modelId, what } of moves) {
      if (proposing?.modelIds.includes(modelId) !== true) continue;
      proposing.report(modelId).noteMove(what);
      proposing.log.info(
        { modelId, claimId, gameId, what, gasUsed },
        `game ${gameId} about claim ${claimId}: ${what}, ${gasUsed} gas`,
      );
    }
  }

  /** Claims and money of the account. */
  async #owns(seen: Seen): Promise<void> {
    const { sender } = this.#modules;
    if (sender === null) return;
    for (const proposer of this.#proposers)
      await seen.attempt(() => this.#propose(seen, proposer, sender.address));
    const isDue = Date.now() >= this.#collectAtMs || this.#proposers.some(({ wantsMoney }) => wantsMoney);
    if (this.#setting.everyMs !== null && isDue) await seen.attempt(() => this.#collect(seen, sender));
  }

  async #showLeaves(seen: Seen, sender: ChallengerSender): Promise<void> {
    const { opened, registry } = this.#of;
    const modules = { sender, registry: registry!, opened, onProgress: this.#modules.onProgress };
    const { answered, failures } = await showLeaves(modules, this.#setting.places);
    for (const { gasUsed, hash, index, modelCommitment, tree } of answered)
      seen.lines.push(
        `model commitment ${modelCommitment}: leaf ${index} of "${tree}" is shown, L1 transaction ${hash}, ${gasUsed} gas`,
      );
    seen.answered.push(...answered);
    for (const failure of failures) seen.lines.push(`not shown: ${messageOf(failure)}`);
    seen.failures.push(...failures);
  }

  async #propose(seen: Seen, proposer: ClaimProposer, account: Address): Promise<void> {
    const { modelId } = proposer;
    const { report } = this.#modules.proposing!;
    const { game, reader } = this.#of;
    const isRegistered = (await reader!.models()).some((one) => Number(one.modelId) === modelId);
    if (!isRegistered) return report(modelId).set({ stage: "unregistered", epoch: null });
    const openGames = await readGame(this.#of.client, game!)("openGamesOf", [account]);
    report(modelId).set({ openGames: Number(openGames) });
    const { failures, isWaiting } = await proposer.propose();
    seen.failures.push(...failures);
    seen.isWaiting ||= isWaiting;
  }

  async #collect(seen: Seen, sender: ChallengerSender): Promise<void> {
    const { game, reader, registry } = this.#of;
    const { onProgress } = this.#modules;
    const paid = await withdrawAll({ sender, registry, game, reader }, onProgress);
    this.#collectAtMs = Date.now() + COLLECT_EVERY_MS;
    for (const proposer of this.#proposers) proposer.noteCollected();
    seen.withdrawals.push(...paid);
    for (const { line } of paid) seen.lines.push(line);
  }
}

/** A look while it is made. */
class Seen {
  readonly lines: string[] = [];
  readonly failures: unknown[] = [];
  readonly answered: object[] = [];
  readonly withdrawals: object[] = [];
  isWaiting = false;
  readonly #models: object[] = [];

  tellGames({ failures, isWaiting, lines, models }: Omit<SeenGames, "promising" | "moves">): void {
    this.lines.push(...lines);
    this.failures.push(...failures);
    this.#models.push(...models);
    this.isWaiting ||= isWaiting;
  }

  async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.failures.push(error);
    }
  }

  look(found: Partial<LookView>): Look {
    const { answered, failures, isWaiting, lines, withdrawals } = this;
    const own = { models: this.#models, answered, withdrawals };
    const view = { modelCommitments: [], unposted: [], ...found, ...own };
    return { lines: lines.length === 0 ? ["nothing to do"] : lines, view, failures, isWaiting };
  }
}

/** null where it has not ended by then. */
async function within<T>(work: Promise<T>, ms: number): Promise<T | null> {
  const ending = new AbortController();
  const timeout = sleep(ms, null, { signal: ending.signal }).catch(() => null);
  try {
    return await Promise.race([work, timeout]);
  } finally {
    ending.abort();
  }
}

const pause = (ms: number, signal: AbortSignal | undefined) =>
  sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {});
