/**
 * `openledger models serve`: runs the answer server (models/serving) with options in place of settings, and with --settle the
 * automatic settler.
 */
import { clientError } from "@openledger/client/client-errors";
import { readStoreRollup } from "@openledger/client/store-rollup";
import { createLogger } from "@openledger/foundation/logger";
import { keepFilesPrivate } from "@openledger/foundation/private-files";
import {
  modelUrl,
  type PublishedModels,
  type ServedModels,
  serveModels,
} from "@openledger/models/serving/serve-models";
import { readServingConfig } from "@openledger/models/serving/serving-config";
import { deploymentOf, type GlobalOptions, knownDatanetHost, openReader } from "../../cli/context.ts";
import type { Output } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { ServeOptions } from "./serve-options.ts";
import { openModelSettler } from "./serve-settling.ts";

type Options = GlobalOptions & ServeOptions & { readonly folder: string | undefined };

/** Maximum models that the command's lines name one by one. */
const MAX_NAMED = 20;

/**
 * Serves models until Ctrl-C: options overrule SERVING_… of docs/reference/settings.md.
 * @throws SRV_CONFIG_INVALID, CMD_USAGE, CMD_ACCOUNT_INVALID, and those of the files of base and models
 */
export async function serveUntilStopped(options: Options, output: Output): Promise<void> {
  keepFilesPrivate();
  const config = readServingConfig({ ...process.env, ...settingsOf(options) });
  const logger = createLogger("models", config.logLevel, process.stderr);
  const { publishedPath } = config;
  const settling =
    options.settle === true && publishedPath !== undefined ? await openModelSettler(options, config) : null;
  try {
    output.progress("reading and checking the models");
    const published =
      publishedPath === undefined
        ? undefined
        : {
            ...(await openLedger(options)),
            ...(options.model === undefined
              ? {}
              : { locations: [{ modelId: parseId(options.model), folder: publishedPath }] }),
            settler: settling?.settler,
          };
    const served = await serveModels(config, { logger, published });
    const facts = await factsOf(served, settling !== null);
    output.answer([...linesOf(served, facts), "Ctrl-C ends it"], facts);
    await ended();
    await served.close();
  } finally {
    await settling?.close();
  }
}

/** Settings that options name. */
function settingsOf(options: Options): Record<string, string> {
  const { adapters, answerTtl, base, batch, data, datanetHost, folder, host, kernels, port } = options;
  const { proxies, publicUrl, scores, threads, weights } = options;
  const settings = {
    SERVING_BASE_PATH: base,
    SERVING_ADAPTERS_PATH: adapters,
    SERVING_PUBLISHED_PATH: folder,
    SERVING_DATA_PATH: data,
    SERVING_DATANET_HOSTS: datanetHost ?? process.env.SERVING_DATANET_HOSTS ?? knownDatanetHost(options),
    SERVING_HOST: host,
    SERVING_PORT: port?.toString(),
    SERVING_PROXIES: proxies === "" ? undefined : proxies,
    SERVING_PUBLIC_URL: publicUrl === "" ? undefined : publicUrl,
    SERVING_THREAD_COUNT: threads,
    SERVING_BATCH: batch,
    SERVING_KERNELS: kernels,
    SERVING_WEIGHTS: weights,
    SERVING_ANSWER_TTL_SECONDS: answerTtl,
    SERVING_SCORES: scores,
  };
  return Object.fromEntries(
    Object.entries(settings).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** @throws CLI_NOT_CONFIGURED, CLI_WRONG_ROLLUP, CLI_UNREACHABLE */
async function openLedger(
  options: GlobalOptions,
): Promise<Pick<PublishedModels, "sequencerUrl" | "domain" | "rollup">> {
  const client = await openReader(options);
  const { domain, sequencerUrl } = client;
  if (sequencerUrl !== null) {
    const rollup = await readStoreRollup(client, deploymentOf(client.rollupAddress)?.deployedIn);
    return { sequencerUrl, domain, rollup };
  }
  throw clientError("CLI_NOT_CONFIGURED", "the server asks the sequencer which answers were paid", {
    data: { missing: "sequencerUrl" },
  });
}

async function factsOf({ language, models, url }: ServedModels, settles: boolean) {
  const modelIds = models?.modelIds ?? [];
  const named = modelIds.slice(0, MAX_NAMED).map(async (modelId) => ({
    modelId,
    address: modelUrl(url, modelId),
    scoreMode: await models!.scoreMode(modelId),
  }));
  return {
    url,
    models: await Promise.all(named),
    modelCount: modelIds.length,
    adapterCount: language?.adapterCount ?? 0,
    kernels: language?.kernels ?? null,
    weights: language?.weights ?? models?.weights ?? null,
    settles,
  };
}

function linesOf(
  { language, models, url }: ServedModels,
  facts: Awaited<ReturnType<typeof factsOf>>,
): string[] {
  const { adapterCount, kernels, modelCount, settles, weights } = facts;
  const alone = settles ? "; its epochs are closed and settled automatically" : "";
  const lines = facts.models.map(
    ({ address, modelId, scoreMode }) =>
      `model ${modelId} is served at ${address}, scores by ${scoreMode}${alone}`,
  );
  if (modelCount > lines.length) lines.push(`and ${modelCount - lines.length} models more`);
  if (models !== null && modelCount === 0) lines.push(`published models will be served below ${url}/ledger`);
  if (language !== null)
    lines.push(`the base and ${adapterCount} adapters are served at ${url}/v1 by ${kernels}`);
  if (weights !== null) lines.push(`the base's weights are ${weights}`);
  return lines;
}

function ended(): Promise<void> {
  // The server's socket keeps the process alive meanwhile.
  return new Promise((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => resolve());
  });
}
