import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { AnswerStore } from "@openledger/attribution/server/answer-store";
import { type Look, openChallenger } from "@openledger/challenger/challenger";
import { type ChallengerSetting, ROLES, type Role } from "@openledger/challenger/challenger-setting";
import { RecomputeThread } from "@openledger/challenger/challenger-thread";
import { ClaimingReport } from "@openledger/challenger/claiming/claiming-report";
import { inOrder } from "@openledger/challenger/sending/l1-queue";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { readStoreRecord, type StoreRollup } from "@openledger/foundation/store/store-identity";
import { type Address, parseEther } from "viem";
import { commandError } from "../../cli/cli-errors.ts";
import {
  type GlobalOptions,
  knownModelServer,
  openReader,
  parseAddress,
  resolveEndpoints,
  resolveRpcUrl,
} from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/open-l1-sender.ts";
import { parseId } from "../../cli/parse-id.ts";
import { renderError } from "../../cli/render-error.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { workspaceDir } from "../../cli/workspace.ts";
import type { ChallengerOptions } from "./disputes-options.ts";

/** A model that nobody serves: docs/explanation/disputes.md. */
const UNSERVED_STATUS = 3;

type Options = GlobalOptions & ChallengerOptions;

/** Looks once or again and again. @throws CMD_USAGE, and what a single look has not done */
export async function runChallenger({
  options,
  args,
  output,
}: CommandContext<ChallengerOptions>): Promise<void> {
  const setting = settingOf(options, parseAddress(args[0]!));
  if (setting.rollup === null)
    output.progress(
      "no rollup is named: its claims are not watched, and no fee is paid for leaves (--rollup)",
    );
  const { account, privateKeyFile } = options;
  const isSigning = account !== undefined || privateKeyFile !== undefined;
  const sender = isSigning ? inOrder(await l1SenderOf(options), output.progress) : null;
  const thread = new RecomputeThread();
  const store =
    options.answers === undefined
      ? null
      : await AnswerStore.open(options.answers, answersOf(options.answers));
  try {
    const challenger = await openChallenger(setting, {
      ...{ sender, onProgress: output.progress, recompute: thread.recompute },
      ...(store === null || sender === null
        ? {}
        : { proposing: await proposingOf(options, store, sender.address, output.progress) }),
    });
    await challenger.run((look) => tell(look, setting.everyMs === null, output)).finally(challenger.close);
  } finally {
    await thread.close();
    await store?.close();
  }
}

/** The answers are a model server's: their own word is taken for whose they are. */
function answersOf(folder: string): StoreRollup {
  const record = readStoreRecord(folder);
  return { chainId: record?.chainId ?? 0, rollupAddress: record?.rollupAddress ?? "" };
}

/** One JSON value a look, its failures too. A node that does not answer now may in some minutes: the next look goes on. */
function tell(
  { failures, lines, view }: Look,
  isOnly: boolean,
  output: CommandContext<object>["output"],
): void {
  const rendered = failures.map(renderError);
  const [error] = rendered;
  output.answer(lines, { ...view, ...(error === undefined ? {} : { error, failures: rendered }) });
  if (!output.isJson) for (const failure of failures) output.fail(failure);
  const isUnserved = failures.every((failure) => isRollupError(failure, "CMD_MODEL_UNSERVED"));
  if (isOnly && error !== undefined) process.exitCode = isUnserved ? UNSERVED_STATUS : 1;
}

function settingOf(options: Options, disputes: Address): ChallengerSetting {
  const { answers, base, every, model, models, role, server } = options;
  const everyMinutes = every === undefined ? null : Number(every);
  if (everyMinutes !== null && !(everyMinutes > 0))
    throw commandError("CMD_USAGE", `"${every}" is no number of minutes`);
  const roles = new Set(role.split(",").map((one) => one.trim()) as Role[]);
  const unknown = [...roles].find((one) => !ROLES.includes(one));
  if (unknown !== undefined)
    throw commandError("CMD_USAGE", `"${unknown}" is no role: ${ROLES.join(", ")} are`);
  if (roles.has("propose") && answers === undefined)
    throw commandError("CMD_USAGE", "who proposes needs the answers that were given: --answers FOLDER");
  const rollup = rollupOf(options);
  return {
    ...{ disputes, roles, rollup, rpcUrl: resolveRpcUrl(options) },
    places: { base, model, models, serverOf: (modelId) => knownModelServer(modelId, server) },
    folder: join(process.env.OPENLEDGER_HOME ?? workspaceDir, "challenger"),
    everyMs: everyMinutes === null ? null : everyMinutes * 60_000,
    // Attack: rollups that are made up for the fees of their leaves.
    mostFeesWei: rollup === null ? 0n : parseEther(options.mostFees),
  };
}

/** Models whose folders are there, and whose answers the server of all of them has kept. */
async function proposingOf(
  options: Options,
  store: AnswerStore,
  account: Address,
  onProgress: (line: string) => void,
) {
  const { models } = options;
  if (models === undefined) throw commandError("CMD_USAGE", "who proposes names the models: --models FOLDER");
  const names = (await readdir(models)).filter((name) => /^\d+$/.test(name));
  const reports = new Map(names.map((name) => [parseId(name), new ClaimingReport(account)]));
  return {
    client: await openReader(options),
    modelIds: [...reports.keys()],
    // A server of several models keeps each one's apart in one store.
    answerOf: async (modelId: number, receipt: bigint) =>
      (await store.ofModel(modelId).answer(hex32(receipt))) ?? store.answer(hex32(receipt)),
    report: (modelId: number) => reports.get(modelId)!,
    log: {
      info: (_: object, message: string) => onProgress(message),
      error: (facts: object, message: string) => onProgress(`${message} ${inspect(facts)}`),
    },
  };
}

/** null where nobody has named one: model commitments are watched all the same. */
function rollupOf(options: GlobalOptions): Address | null {
  try {
    return resolveEndpoints(options).rollupAddress;
  } catch (error) {
    if (isRollupError(error, "CMD_NO_DEPLOYMENT")) return null;
    throw error;
  }
}
