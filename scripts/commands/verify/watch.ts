import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createPublicClient, http, parseEther } from "viem";
import { LEAF_FILE } from "../../../attribution/disputes/leaf-file.ts";
import { isDisputable } from "../../../attribution/disputes/posted-model.ts";
import { POSTABLE_FAMILIES, type PostableModel } from "../../../attribution/disputes/posting-kind.ts";
import { directTraining } from "../../../attribution/model/direct-training.ts";
import { fetchModel, readModel } from "../../../attribution/model/model-directory.ts";
import { fetchFiles } from "../../../attribution/model/model-download.ts";
import { classifierTraining } from "../../../attribution/model/trained-model.ts";
import { verifyModel } from "../../../attribution/model/verify-model.ts";
import { initPoseidon } from "../../../circuits/field/poseidon.ts";
import { isRollupError } from "../../../circuits/rollup-error.ts";
import type { PublishedFiles } from "../../../client/disputing/examine-posting.ts";
import { type GateContract, readGateContracts } from "../../../client/disputing/gate-contracts.ts";
import type { Posting } from "../../../client/disputing/read-postings.ts";
import { type Watched, type Watcher, watchOnce } from "../../../client/disputing/watch-postings.ts";
import { readTraceContracts } from "../../../models/disputing/trace-contracts.ts";
import { commandError } from "../../cli/cli-errors.ts";
import { type GlobalOptions, modelServerOf, parseAddress, resolveRpcUrl } from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/l1-sender.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { postingLines } from "../disputes/disputes-show.ts";
import { ModelVerdicts } from "./model-verdicts.ts";
import { GameWatch } from "./watch-games.ts";

export interface WatchCommandOptions {
  model?: string;
  models?: string;
  server?: string;
  every?: string;
  base?: string;
  payDemands?: boolean;
  mostDemands: string;
  mostStake?: string;
}

/** In JSON: there may be thousands. */
const MOST_WANTED_SHOWN = 8;

export async function watchModels({
  options,
  args,
  output,
}: CommandContext<WatchCommandOptions>): Promise<void> {
  await initPoseidon();
  const given = parseAddress(args[0]!);
  const everyMinutes = options.every === undefined ? null : Number(options.every);
  if (everyMinutes !== null && !(everyMinutes > 0))
    throw commandError("CMD_USAGE", `"${options.every}" is no number of minutes`);
  const publicClient = createPublicClient({ transport: http(resolveRpcUrl(options)) });
  const isSigning = options.account !== undefined || options.privateKeyFile !== undefined;
  const contracts: (GateContract & { watcher: Watcher | null })[] = [];
  const [postingContracts, games] = await Promise.all([
    readGateContracts(publicClient, given),
    readTraceContracts(publicClient, given),
  ]);
  if (postingContracts.length + games.length === 0)
    throw commandError(
      "CMD_USAGE",
      `the contract at ${given} is no contract of disputes: check the address and --rpc`,
    );
  const gameWatchers = games.map((game) => new GameWatch(game, publicClient, options, output.progress));
  for (const contract of postingContracts)
    contracts.push({ ...contract, watcher: isSigning ? await watcherOf(options, contract.address) : null });
  const verdicts = new ModelVerdicts();
  for (;;) {
    const lines: string[] = [];
    const [postings, models]: [object[], object[]] = [[], []];
    const failures: unknown[] = [];
    // One contract that cannot be read keeps nobody from the others.
    const attempt = (look: () => Promise<void>) => look().catch((error: unknown) => failures.push(error));
    // Games first: their time runs, and training a posted model takes minutes.
    for (const watch of gameWatchers)
      await attempt(async () => {
        const seen = await watch.once();
        lines.push(...seen.lines);
        models.push(...seen.models);
      });
    for (const { address: disputes, kind, watcher } of contracts)
      await attempt(async () => {
        const filesOf = async (posting: Posting) => {
          output.progress(`recomputing model ${posting.modelId}, posting ${posting.id}`);
          return publishedFiles(disputes, posting, options, verdicts);
        };
        const watched = await watchOnce({ publicClient, watcher, disputes, filesOf });
        lines.push(`${disputes}, of ${kind} models${watched.length === 0 ? ": nothing is posted" : ""}`);
        lines.push(...watched.flatMap(linesOf));
        postings.push(...watched.map((one) => ({ disputes, ...viewOf(one) })));
      });
    if (lines.length > 0) output.answer(lines, { postings, models });
    if (everyMinutes === null) {
      if (failures.length > 0) throw failures[0];
      return;
    }
    // A node that does not answer now may in some minutes: whoever watches for a week goes on.
    for (const failure of failures) output.fail(failure);
    await sleep(everyMinutes * 60_000);
  }
}

async function watcherOf(
  options: GlobalOptions & WatchCommandOptions,
  disputes: `0x${string}`,
): Promise<Watcher> {
  const sender = await l1SenderOf(options);
  return {
    address: sender.address,
    mostDemandsWei: options.payDemands === true ? parseEther(options.mostDemands) : 0n,
    send: ({ data, valueWei }) => sender.send({ to: disputes, data, valueWei }),
  };
}

/** The model from its folder or server, trained again once; null where it is not to be had, or is of another kind. */
export async function publishedFiles(
  disputes: `0x${string}`,
  { id, modelId, statement }: Pick<Posting, "id" | "modelId" | "statement">,
  options: Pick<WatchCommandOptions, "model" | "models" | "server">,
  verdicts: ModelVerdicts,
): Promise<PublishedFiles | null> {
  let model: PostableModel;
  let leaves: Uint8Array | null;
  const folder = options.models === undefined ? options.model : join(options.models, String(modelId));
  try {
    if (folder === undefined) {
      const server = modelServerOf(modelId, options.server);
      model = await fetchModel(server, {}, POSTABLE_FAMILIES);
      leaves = (await fetchFiles(server, [LEAF_FILE], {})).get(LEAF_FILE) ?? null;
    } else {
      model = await readModel(folder, POSTABLE_FAMILIES);
      leaves = await readFile(join(folder, LEAF_FILE)).catch(() => null);
    }
  } catch (error) {
    if (isRollupError(error, "ATT_SERVER_UNREACHABLE") || isRollupError(error, "CMD_NO_MODEL_SERVER"))
      return null;
    throw error;
  }
  if (model.rows === null || !isDisputable(model)) return null;
  const mismatch = await verdicts.of(disputes, { id, statement }, model, () =>
    verifyModel({
      model,
      facts: { staticsHash: statement.staticsHash, rowsRoot: statement.rowsRoot },
      depth: "train",
      trainings: [classifierTraining, directTraining],
    }),
  );
  return { model, rows: model.rows, leaves, mismatch };
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
