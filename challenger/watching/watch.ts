import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { directFamily } from "@openledger/attribution/model/direct/direct-family";
import { directTraining } from "@openledger/attribution/model/direct/direct-training";
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
import { readGames } from "../games/trace-contracts.ts";
import { trainingsWithPromises } from "../games/traced-recipe.ts";
import type { PublishedFiles } from "../model-commitments/examine-model-commitment.ts";
import { MAIL_MODEL_COMMITMENTS } from "../model-commitments/model-commitment-kind.ts";
import { modelCommitmentLines } from "../model-commitments/model-commitment-lines.ts";
import type { ModelCommitment } from "../model-commitments/read-model-commitments.ts";
import { readRegistry } from "../model-commitments/registry.ts";
import { type Watched, type Watcher, watchOnce } from "../model-commitments/watch-model-commitments.ts";
import { promisesModelCommitment } from "../playing/disputes-contracts.ts";
import { OpenedModels } from "../playing/opened-models.ts";
import { rowGamesOf } from "../playing/row-games.ts";
import { TextModelCommitments } from "../playing/text-model-commitments.ts";
import { inOrder } from "../sending/l1-queue.ts";
import type { L1Sender } from "../sending/l1-sender.ts";
import { ModelVerdicts } from "./model-verdicts.ts";
import { GameWatch, type Seen } from "./watch-games.ts";
import { folderOf, type GameWatchSetting, type ModelPlaces } from "./watch-setting.ts";

/** In JSON: there may be thousands. */
const MOST_WANTED_SHOWN = 8;

export interface WatchSetting extends GameWatchSetting {
  readonly rpcUrl: string;
  /** Who signs; null only looks. */
  readonly sender: L1Sender | null;
  /** What is spent on data-availability challenges for leaves of one model commitment at most; 0n challenges none. */
  readonly mostAvailabilityChallengesWei: bigint;
}

/** What one look at all contracts has found and done, for people and for programs. */
interface Look {
  readonly lines: readonly string[];
  readonly view: object;
  /** Contracts that could not be read; what is false and is not challenged. */
  readonly failures: readonly unknown[];
}

/** A registry and its games, or games alone. Each call is a look; what was computed is kept for the next. @throws CMD_USAGE */
export async function openWatch(
  given: Address,
  setting: WatchSetting,
  onProgress: (line: string) => void,
): Promise<() => Promise<Look>> {
  const { places, rollup } = setting;
  await initPoseidon();
  const publicClient = createPublicClient({ transport: http(setting.rpcUrl) });
  const [registry, game] = await Promise.all([
    readRegistry(publicClient, given),
    readGames(publicClient, given),
  ]);
  if (registry === null && game === null)
    throw challengerError(
      "CMD_USAGE",
      `the contract at ${given} is no contract of disputes: check the address and --rpc`,
    );
  // Players and watchers are one account: a move that L1 does not mine would hold up the others, and be sent again beside itself.
  const sender = setting.sender && inOrder(setting.sender, onProgress);
  const opened = new OpenedModels(places.base, onProgress);
  const games = game && new GameWatch(game, publicClient, setting, onProgress, { opened, sender });
  const texts = new TextModelCommitments(opened, onProgress);
  const verdicts = new ModelVerdicts();
  const asked = {
    ...{ publicClient, disputes: given, kinds: { direct: MAIL_MODEL_COMMITMENTS, text: texts.kind } },
    watcher: sender && watcherOf(sender, setting, given),
    ...(rollup === null ? {} : { rollup }),
    filesOf: async (modelCommitment: ModelCommitment) => {
      onProgress(`recomputing model ${modelCommitment.modelId}, model commitment ${modelCommitment.id}`);
      return publishedFiles(given, modelCommitment, places, verdicts);
    },
    ...(sender === null || games === null
      ? {}
      : { games: rowGamesOf({ ...sender, publicClient }, games.address, texts, games) }),
  };
  return async () => {
    const lines: string[] = [];
    const [modelCommitments, models]: [object[], object[]] = [[], []];
    const failures: unknown[] = [];
    const promising: number[] = [];
    const unposted: number[] = [];
    // One contract that cannot be read keeps nobody from the other.
    const attempt = (look: () => Promise<void>) => look().catch((error: unknown) => failures.push(error));
    const tell = (seen: Omit<Seen, "promising">) => {
      lines.push(...seen.lines);
      models.push(...seen.models);
      failures.push(...seen.alarms);
    };
    // Games first: their time runs, and training a committed model takes minutes.
    if (games !== null)
      await attempt(async () => {
        const seen = await games.once();
        tell(seen);
        promising.push(...seen.promising);
      });
    // Attack: several heavy model commitments in one look, each trained for hours, while somebody's clock runs in a game.
    const between = async () =>
      void (games !== null && (await attempt(async () => tell(await games.again()))));
    if (registry !== null)
      await attempt(async () => {
        const watched = await watchOnce({ ...asked, between });
        lines.push(`${given}${watched.length === 0 ? ": nothing is posted" : ""}`);
        lines.push(...watched.flatMap(linesOf));
        modelCommitments.push(...watched.map(viewOf));
        for (const { failure, isUnserved, modelCommitment } of watched) {
          if (isRollupError(failure, "CMD_FALSE_UNCHALLENGED")) failures.push(failure);
          if (isUnserved) failures.push(unserved(modelCommitment));
        }
        const isOurs = ({ rollup: of, state }: ModelCommitment) =>
          rollup !== null && sameAddress(of, rollup) && state !== "refuted";
        const standing = watched.map(({ modelCommitment }) => modelCommitment).filter(isOurs);
        const posted = new Set(standing.map(({ modelId }) => modelId));
        unposted.push(...promising.filter((modelId) => !posted.has(modelId)));
      });
    const missing = unposted.map(
      (modelId) => `model ${modelId} promises its rows, and nobody has posted them: it cannot begin`,
    );
    return { lines: [...lines, ...missing], view: { modelCommitments, models, unposted }, failures };
  };
}

const unserved = ({ endsAtSeconds, id, modelId }: ModelCommitment) =>
  challengerError(
    "CMD_MODEL_UNSERVED",
    `model commitment ${id} of model ${modelId} is open, and its files are not to be had: nobody can recompute it`,
    { data: { modelCommitment: id, modelId, endsAtSeconds } },
  );

function watcherOf(
  sender: L1Sender,
  { mostAvailabilityChallengesWei }: WatchSetting,
  disputes: Address,
): Watcher {
  return {
    address: sender.address,
    mostAvailabilityChallengesWei,
    send: ({ data, valueWei }) => sender.send({ to: disputes, data, valueWei }),
  };
}

/** The model from its folder or server, trained again once; null where it is not to be had, or is of another kind. */
export async function publishedFiles(
  disputes: `0x${string}`,
  { family, id, modelId, statement }: Pick<ModelCommitment, "family" | "id" | "modelId" | "statement">,
  places: ModelPlaces,
  verdicts: ModelVerdicts,
): Promise<PublishedFiles | null> {
  const { families, trainings } = await knownOf(family, places);
  let model: PublishedModel;
  let leaves: Uint8Array | null;
  const named = folderOf(places, modelId);
  // Where a folder of many lacks it, its server may have it.
  const folder = named !== undefined && (named === places.model || existsSync(named)) ? named : undefined;
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
  if (model.rows === null || !promisesModelCommitment(model)) return null;
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
  family: ModelCommitment["family"],
  { base }: ModelPlaces,
): Promise<{ families: readonly ModelFamily[]; trainings: readonly FamilyTraining[] }> {
  if (family !== "text")
    return {
      families: [directFamily] as readonly object[] as readonly ModelFamily[],
      trainings: [directTraining as object as FamilyTraining],
    };
  return { families: await modelFamilies({ base }), trainings: await trainingsWithPromises({ base }) };
}

function linesOf({ modelCommitment, examined, failure, isUnserved, sent }: Watched): string[] {
  const found =
    examined === null
      ? []
      : [
          ...(examined.fault === null ? [] : [`  wrong: ${JSON.stringify(examined.fault.fault)}`]),
          ...[...new Set(examined.wanted.map(({ tree }) => tree))].map(
            (tree) =>
              `  leaves of "${tree}" are not published, or too long: challenge them, and do not approve it`,
          ),
          ...examined.warnings.map((warning) => `  no challenge for this, do not approve it: ${warning}`),
        ];
  return [
    ...modelCommitmentLines(modelCommitment),
    ...(isUnserved ? ["  its files are not to be had: do not approve it"] : []),
    ...(modelCommitment.state === "open" && examined === null && failure === null && !isUnserved
      ? ["  not recomputed: attested before, of another rollup, or of a family that is not watched"]
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

function viewOf({ modelCommitment, examined, failure, isUnserved, sent }: Watched) {
  const { statement: _, ...shown } = modelCommitment;
  const found =
    examined === null
      ? null
      : {
          fault: examined.fault?.fault ?? null,
          wanted: examined.wanted.slice(0, MOST_WANTED_SHOWN),
          warnings: examined.warnings,
        };
  return { ...shown, examined: found, isUnserved, sent, failure: failure?.message ?? null };
}
