import { inspect } from "node:util";
import { readModel } from "@openledger/attribution/model/model-directory";
import { serveModel } from "@openledger/attribution/server/serve-model";
import { clientError } from "@openledger/client/client-errors";
import { storeRollupOf } from "@openledger/client/store-rollup";
import { keepFilesPrivate } from "@openledger/foundation/private-files";
import { stopSignal } from "@openledger/foundation/run-until-stopped";
import { modelFamilies } from "@openledger/models/registered/model-families";
import { commandError } from "../../cli/cli-errors.ts";
import { type GlobalOptions, openReader, openSigner, resolveAccount, signFor } from "../../cli/context.ts";
import type { Output } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { requireScores } from "../../cli/scores-option.ts";
import { serverLimitsOf } from "../../cli/server-options.ts";
import { weightsLine } from "../verify/verify-model.ts";
import type { ServeOptions } from "./serve-options.ts";

type PublishedOptions = GlobalOptions & ServeOptions & { readonly model: string; readonly folder: string };

/** Serves one published model until Ctrl-C. @throws CMD_USAGE, CMD_ACCOUNT_INVALID, and those of the model's files */
export async function servePublished(options: PublishedOptions, output: Output): Promise<void> {
  keepFilesPrivate();
  const client = await openReader(options);
  if (client.sequencerUrl === null) {
    throw clientError("CLI_NOT_CONFIGURED", "the server asks the sequencer which answers were paid", {
      data: { missing: "sequencerUrl" },
    });
  }
  const modelId = parseId(options.model);
  const epochSeconds = parseEpochLength(options.epochLength);
  const settling = options.settle === true ? await loadSettling(options, modelId) : null;
  output.progress("reading and checking the model");
  const families = await modelFamilies({ base: options.base });
  const served = await serveModel(
    {
      modelFolder: options.folder,
      dataFolder: options.data,
      modelId,
      families,
      domain: client.domain,
      rollup: storeRollupOf(client),
      sequencerUrl: client.sequencerUrl,
      host: options.host ?? "127.0.0.1",
      port: options.port ?? 8797,
      answerTtlMs: Number(options.answerTtl) * 1000,
      scores: requireScores(options.scores),
      ...serverLimitsOf(options),
    },
    {
      log,
      settling: settling?.report,
      spans: await loadSpans(options.spans),
    },
  );
  const address = served.url;
  let failure: unknown;
  try {
    const running = await settling?.start(client, {
      modelId,
      modelFolder: options.folder,
      serverUrl: address,
      epochSeconds,
      consentsToVoids: options.consentToVoids === true,
      folder: `${options.data}-settling`,
      keys: options.keys,
      intervalMs: SETTLING_INTERVAL_MS,
    });
    const settles = settling !== null;
    const alone = settles ? "; its epochs are closed and settled automatically" : "";
    const { scoreMode } = served;
    output.answer(
      [
        `model ${modelId} is served at ${address}, scores by ${scoreMode}${alone}; Ctrl-C ends it`,
        ...(await weightsLine(await readModel(options.folder, families))),
      ],
      { modelId, address, scoreMode, settles },
    );
    failure = await Promise.race([stopSignal().then(() => undefined), served.failed]);
    await running?.stop();
  } catch (error) {
    failure = error;
  }
  // What failed first counts: an answer store that failed cannot be closed in order.
  await served.close().catch((error: unknown) => {
    failure ??= error;
  });
  if (failure !== undefined) throw failure;
}

const SETTLING_INTERVAL_MS = 2_000;

const log = {
  info: (_facts: object, message: string) => process.stderr.write(`${message}\n`),
  warn: (facts: object, message: string) => process.stderr.write(`${message} ${inspect(facts)}\n`),
  error: (facts: object, message: string) => process.stderr.write(`${message} ${inspect(facts)}\n`),
};

/** @throws MOD_FILE_INVALID */
async function loadSpans(file: string | undefined) {
  if (file === undefined) return undefined;
  const [{ readIndexFile }, { hostSpans }] = await Promise.all([
    import("@openledger/models/spans/index-file"),
    import("@openledger/models/spans/host-spans"),
  ]);
  return hostSpans(await readIndexFile(file));
}

/** @throws CMD_ACCOUNT_INVALID before the model is read */
async function loadSettling(options: PublishedOptions, modelId: number) {
  resolveAccount(options);
  const [{ SettlingReport }, { startSettling }, { openSettlementContext }] = await Promise.all([
    import("@openledger/models/settler/turn-report"),
    import("@openledger/models/settler/start-settling"),
    import("../../cli/settlement-context.ts"),
  ]);
  const report = new SettlingReport(modelId);
  const start = async (
    client: Parameters<typeof startSettling>[1]["client"],
    settings: Parameters<typeof startSettling>[0],
  ) => {
    const prover = await openSettlingProver(options);
    const settler = await startSettling(settings, {
      client,
      signer: async (leaf) => signFor(await openSigner(options), leaf),
      ...(await openSettlementContext(options)),
      log,
      report,
      prover,
    });
    return {
      async stop() {
        await settler.stop();
        await prover.close();
      },
    };
  };
  return { report, start };
}

/** A settlement may follow at once; a prover that waits holds a key in memory. */
const IDLE_PROVER_MS = 300_000;

/** @throws CMD_USAGE for an unknown back end; SRV_CONFIG_INVALID, PRV_QUEUE_FAILED */
async function openSettlingProver({ prover }: PublishedOptions) {
  const [{ openProver }, { readProverConfig }, { requireBackendChoice }] = await Promise.all([
    import("@openledger/prover/process/open-prover"),
    import("@openledger/prover/process/prover-config"),
    import("../../cli/settlement-context.ts"),
  ]);
  const config = readProverConfig({ ...process.env, PROVER_BACKEND: requireBackendChoice(prover) });
  if (config.queue !== undefined) log.info({}, "settlements are proven by the workers of PROVER_QUEUE");
  // The settler shows what is proven; a prover's own lines say what is wrong.
  return openProver(
    { ...config, logLevel: "warn" },
    { idleMs: IDLE_PROVER_MS, logTo: 2, cancelsAborted: false },
    { logger: { ...log, info: () => {} } },
  );
}

/** @throws CMD_USAGE */
function parseEpochLength(text: string): number | null {
  if (text === "none") return null;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw commandError("CMD_USAGE", `--epoch-length takes seconds, at least 1, or none; not "${text}"`);
}
