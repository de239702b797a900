import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { directFamily } from "@openledger/attribution/model/direct-family";
import { directTraining } from "@openledger/attribution/model/direct-training";
import { fetchModel, readModel } from "@openledger/attribution/model/model-directory";
import { fetchFiles } from "@openledger/attribution/model/model-download";
import type { FamilyTraining, ModelFamily } from "@openledger/attribution/model/model-family";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { LEAF_FILE } from "@openledger/attribution/model/model-manifest";
import { verifyModel } from "@openledger/attribution/model/verify-model";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { modelFamilies } from "@openledger/models/registered/model-families";
import { type Address, createPublicClient, http } from "viem";
import { challengerError } from "../challenger-errors.ts";
import { sameAddress } from "../games/read-games.ts";
import { readTraceContracts } from "../games/trace-contracts.ts";
import { trainingsWithPromises } from "../games/traced-recipe.ts";
import { gamesOver, promisesPosting } from "../playing/disputes-contracts.ts";
import { OpenedModels } from "../playing/opened-models.ts";
import { rowGamesOf } from "../playing/row-games.ts";
import { TextPostings } from "../playing/text-postings.ts";
import type { PublishedFiles } from "../postings/examine-posting.ts";
import { type GateContract, readGateContracts } from "../postings/gate-contracts.ts";
import { MAIL_POSTINGS, type PostingKind } from "../postings/posting-kind.ts";
import { postingLines } from "../postings/posting-lines.ts";
import type { Posting } from "../postings/read-postings.ts";
import { type RowGames, type Watched, type Watcher, watchOnce } from "../postings/watch-postings.ts";
import { inOrder } from "../sending/l1-queue.ts";
import type { L1Sender } from "../sending/l1-sender.ts";
import { ModelVerdicts } from "./model-verdicts.ts";
import { GameWatch } from "./watch-games.ts";
import { folderOf, type GameWatchSetting, type ModelPlaces } from "./watch-setting.ts";

/** In JSON: there may be thousands. */
const MOST_WANTED_SHOWN = 8;

export interface WatchSetting extends GameWatchSetting {
  readonly rpcUrl: string;
  /** Who signs; null only looks. */
  readonly sender: L1Sender | null;
  /** What is spent on demands for leaves of one posting at most; 0n demands none. */
  readonly mostDemandsWei: bigint;
}

/** What one look at all contracts has found and done, for people and for programs. */
interface Look {
  readonly lines: readonly string[];
  readonly view: object;
  /** Contracts that could not be read; what is false and is not challenged. */
  readonly failures: readonly unknown[];
}

/** All contracts behind an address. Each call is a look; what was computed is kept for the next. @throws CMD_USAGE */
export async function openWatch(
  given: Address,
  setting: WatchSetting,
  onProgress: (line: string) => void,
): Promise<() => Promise<Look>> {
  const { places, rollup } = setting;
  await initPoseidon();
  const publicClient = createPublicClient({ transport: http(setting.rpcUrl) });
  const [postingContracts, games] = await Promise.all([
    readGateContracts(publicClient, given),
    readTraceContracts(publicClient, given),
  ]);
  if (postingContracts.length + games.length === 0)
    throw challengerError(
      "CMD_USAGE",
      `the contract at ${given} is no contract of disputes: check the address and --rpc`,
    );
  // Players and watchers are one account: a move that L1 does not mine would hold up the others, and be sent again beside itself.
  const sender = setting.sender && inOrder(setting.sender, onProgress);
  const opened = new OpenedModels(places.base, onProgress);
  const gameWatchers = new Map<Address, GameWatch>();
  for (const game of games) {
    gameWatchers.set(game, new GameWatch(game, publicClient, setting, onProgress, { opened, sender }));
  }
  const contractOf = async (contract: GateContract): Promise<WatchedContract> => {
    const watcher = sender && watcherOf(sender, setting, contract.address);
    if (contract.kind !== "text") return { ...contract, watcher, posting: MAIL_POSTINGS };
    const texts = new TextPostings(opened, onProgress);
    const at = await gamesOver(publicClient, contract.address);
    const players = gameWatchers.get(at) ?? { rowsPlayed: () => null };
    const play = sender && { games: rowGamesOf({ ...sender, publicClient }, at, texts, players) };
    return { ...contract, watcher, posting: texts.kind, ...play };
  };
  const contracts = await Promise.all(postingContracts.map(contractOf));
  const verdicts = new ModelVerdicts();
  return async () => {
    const lines: string[] = [];
    const [postings, models]: [object[], object[]] = [[], []];
    const failures: unknown[] = [];
    const promising: number[] = [];
    const unposted: number[] = [];
    // One contract that cannot be read keeps nobody from the others.
    const attempt = (look: () => Promise<void>) => look().catch((error: unknown) => failures.push(error));
    // Games first: their time runs, and training a posted model takes minutes.
    for (const watch of gameWatchers.values())
      await attempt(async () => {
        const seen = await watch.once();
        lines.push(...seen.lines);
        models.push(...seen.models);
        failures.push(...seen.alarms);
        promising.push(...seen.promising);
      });
    // Attack: several heavy postings in one look, each trained for hours, while somebody's clock runs in a game.
    const playAgain = async () => {
      for (const watch of gameWatchers.values())
        await attempt(async () => {
          const seen = await watch.again();
          lines.push(...seen.lines);
          models.push(...seen.models);
          failures.push(...seen.alarms);
        });
    };
    for (const { address: disputes, games: played, kind, posting: rules, watcher } of contracts)
      await attempt(async () => {
        const filesOf = async (posting: Posting) => {
          onProgress(`recomputing model ${posting.modelId}, posting ${posting.id}`);
          return publishedFiles(disputes, posting, places, verdicts, kind);
        };
        const asked = { publicClient, watcher, disputes, filesOf, kind: rules, between: playAgain };
        const watched = await watchOnce(played === undefined ? asked : { ...asked, games: played });
        lines.push(`${disputes}, of ${kind} models${watched.length === 0 ? ": nothing is posted" : ""}`);
        lines.push(...watched.flatMap(linesOf));
        postings.push(...watched.map((one) => ({ disputes, ...viewOf(one) })));
        if (kind !== "text") return;
        for (const { failure } of watched)
          if (isRollupError(failure, "CMD_FALSE_UNCHALLENGED")) failures.push(failure);
        const isOurs = ({ rollup: of, state }: Posting) =>
          rollup !== null && sameAddress(of, rollup) && state !== "refuted";
        const standing = watched.map(({ posting }) => posting).filter(isOurs);
        const posted = new Set(standing.map(({ modelId }) => modelId));
        unposted.push(...promising.filter((modelId) => !posted.has(modelId)));
      });
    const missing = unposted.map(
      (modelId) => `model ${modelId} promises its rows, and nobody has posted them: it cannot begin`,
    );
    return { lines: [...lines, ...missing], view: { postings, models, unposted }, failures };
  };
}

interface WatchedContract extends GateContract {
  readonly watcher: Watcher | null;
  readonly posting: PostingKind;
  readonly games?: RowGames;
}

function watcherOf(sender: L1Sender, { mostDemandsWei }: WatchSetting, disputes: Address): Watcher {
  return {
    address: sender.address,
    mostDemandsWei,
    send: ({ data, valueWei }) => sender.send({ to: disputes, data, valueWei }),
  };
}

/** The model from its folder or server, trained again once; null where it is not to be had, or is of another kind. */
export async function publishedFiles(
  disputes: `0x${string}`,
  { id, modelId, statement }: Pick<Posting, "id" | "modelId" | "statement">,
  places: ModelPlaces,
  verdicts: ModelVerdicts,
  kind: GateContract["kind"] = "direct",
): Promise<PublishedFiles | null> {
  const { families, trainings } = await knownOf(kind, places);
  let model: PublishedModel;
  let leaves: Uint8Array | null;
  const folder = folderOf(places, modelId);
  try {
    if (folder === undefined) {
      const server = places.serverOf?.(modelId) ?? null;
      if (server === null) return null;
      model = (await fetchModel(server, {}, families)) as unknown as PublishedModel;
      leaves = (await fetchFiles(server, [LEAF_FILE], {})).get(LEAF_FILE) ?? null;
    } else {
      model = (await readModel(folder, families)) as unknown as PublishedModel;
      leaves = await readFile(join(folder, LEAF_FILE)).catch(() => null);
    }
  } catch (error) {
    if (isRollupError(error, "ATT_SERVER_UNREACHABLE")) return null;
    throw error;
  }
  if (model.rows === null || !promisesPosting(model)) return null;
  const mismatch = await verdicts.of(disputes, { id, statement }, model, () =>
    verifyModel({
      model,
      facts: { staticsHash: statement.staticsHash, rowsRoot: statement.rowsRoot },
      depth: "train",
      trainings,
    }),
  );
  return { model, rows: model.rows, leaves, mismatch };
}

/** How models of a kind are read, and trained again. Language models take more code than all others. */
async function knownOf(
  kind: GateContract["kind"],
  { base }: ModelPlaces,
): Promise<{ families: readonly ModelFamily[]; trainings: readonly FamilyTraining[] }> {
  if (kind !== "text")
    return {
      families: [directFamily] as readonly object[] as readonly ModelFamily[],
      trainings: [directTraining as object as FamilyTraining],
    };
  return { families: await modelFamilies({ base }), trainings: await trainingsWithPromises({ base }) };
}

function linesOf({ posting, examined, failure, sent }: Watched): string[] {
  const found =
    examined === null
      ? []
      : [
          ...(examined.fault === null ? [] : [`  wrong: ${JSON.stringify(examined.fault.fault)}`]),
          ...[...new Set(examined.wanted.map(({ tree }) => tree))].map(
            (tree) =>
              `  leaves of "${tree}" are not published, or too long: demand them, and do not approve it`,
          ),
          ...examined.warnings.map((warning) => `  no challenge for this, do not approve it: ${warning}`),
        ];
  return [
    ...postingLines(posting),
    ...(posting.state === "open" && examined === null && failure === null
      ? ["  not recomputed: attested before, not to be had, or of another kind"]
      : []),
    ...(failure === null
      ? []
      : [
          `  ${examined === null ? "cannot be recomputed" : "nothing sent"}: ${failure.message.split("\n")[0]}`,
        ]),
    ...found,
    ...(sent === null ? [] : [`  sent: ${sent.what}, L1 transaction ${sent.hash}, ${sent.gasUsed} gas`]),
  ];
}

function viewOf({ posting, examined, failure, sent }: Watched) {
  const { statement: _, ...shown } = posting;
  const found =
    examined === null
      ? null
      : {
          fault: examined.fault?.fault ?? null,
          wanted: examined.wanted.slice(0, MOST_WANTED_SHOWN),
          warnings: examined.warnings,
        };
  return { ...shown, examined: found, sent, failure: failure?.message ?? null };
}
