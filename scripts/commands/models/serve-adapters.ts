import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { clientError } from "@openledger/client/client-errors";
import { storeRollupOf } from "@openledger/client/store-rollup";
import { createLogger, type Logger } from "@openledger/foundation/logger";
import { keepFilesPrivate } from "@openledger/foundation/private-files";
import { stopSignal } from "@openledger/foundation/run-until-stopped";
import { baseSourceAt } from "@openledger/models/base/base-place";
import { openModel } from "@openledger/models/files/load-model";
import { LedgerBilling } from "@openledger/models/paid/ledger-billing";
import { openPaidModels, type PaidModels } from "@openledger/models/paid/paid-models";
import { serveAdapters } from "@openledger/models/serving/serve-adapters";
import { readServingConfig, type ServingConfig } from "@openledger/models/serving/serving-config";
import { type HostedSpans, hostSpans } from "@openledger/models/spans/host-spans";
import { readIndexFile } from "@openledger/models/spans/index-file";
import { openTokenizer } from "@openledger/models/tokens/tokenizer";
import { type GlobalOptions, openReader } from "../../cli/context.ts";
import type { Output } from "../../cli/output.ts";
import type { ServeOptions } from "./serve-options.ts";

/** Serves a base and its adapters: options overrule SERVING_… of docs/reference/settings.md. @throws SRV_CONFIG_INVALID, and those of the files of base and registered models */
export async function serveUntilStopped(
  options: GlobalOptions & ServeOptions,
  output: Output,
): Promise<void> {
  keepFilesPrivate();
  const { adapters, base, batch, host, kernels, port, proxies, publicUrl, registered, spans, threads } =
    options;
  const given = {
    SERVING_BASE_PATH: base,
    SERVING_ADAPTERS_PATH: adapters,
    SERVING_HOST: host,
    SERVING_PORT: port?.toString(),
    SERVING_PROXIES: proxies === "" ? undefined : proxies,
    SERVING_PUBLIC_URL: publicUrl === "" ? undefined : publicUrl,
    SERVING_THREAD_COUNT: threads,
    SERVING_BATCH: batch,
    SERVING_KERNELS: kernels,
    SERVING_WEIGHTS: options.weights,
    SERVING_REGISTERED_PATH: registered,
    SERVING_SPANS_PATH: spans,
  };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const config = readServingConfig({ ...process.env, ...set });
  const logger = createLogger("models", config.logLevel, process.stderr);
  output.progress(`loading ${config.basePath}`);
  const { registeredPath } = config;
  const paid =
    registeredPath === undefined ? null : await openPaid({ ...config, registeredPath }, options, logger);
  const billing = paid === null ? undefined : new LedgerBilling(paid.models, await tokensOf(config.basePath));
  const served = await serveAdapters(config, { logger, billing, mounts: paid?.mounts });
  const { adapterCount, kernels: name, url, weights } = served;
  const price = paid === null ? "free of charge" : `${paid.models.size} of them registered, for receipts`;
  output.answer(
    [
      `${config.baseName} and ${adapterCount} adapters are served at ${url}/v1 by ${name} and ${weights}, ${price}; Ctrl-C ends it`,
    ],
    {
      ...{ url, adapterCount, kernels: name, weights, charging: paid === null ? "free" : "ledger" },
      registeredCount: paid?.models.size ?? 0,
    },
  );
  const stopped = stopSignal().then(() => null);
  const failure = await Promise.race([stopped, ...(paid === null ? [] : [paid.failed])]);
  await served.close();
  await paid?.close();
  if (failure !== null) throw failure;
}

async function openPaid(
  config: ServingConfig & { readonly registeredPath: string },
  options: GlobalOptions,
  logger: Logger,
): Promise<PaidModels> {
  const { adaptersPath, answerTtlSeconds, basePath, dataPath, kernels, registeredPath } = config;
  const { attributionMegabytes, proxies, publicUrl, rateLimitPerMinute, spansPath } = config;
  const client = await openReader(options);
  const { domain, sequencerUrl } = client;
  if (sequencerUrl === null)
    throw clientError("CLI_NOT_CONFIGURED", "the server asks the sequencer which answers were paid", {
      data: { missing: "sequencerUrl" },
    });
  return openPaidModels(
    {
      folder: registeredPath,
      adaptersFolder: adaptersPath,
      dataFolder: join(dataPath, "answers"),
      basePath,
      kernels,
      heldBytes: attributionMegabytes * 2 ** 20,
      sequencerUrl,
      domain,
      rollup: storeRollupOf(client),
      answerTtlMs: 1_000 * answerTtlSeconds,
      ...{ proxies, publicUrl, rateLimitPerMinute },
      spans: spansPath === undefined ? undefined : await readSpansFolder(spansPath),
    },
    { log: logger },
  );
}

/** Every file of the folder is an index, held in memory: five bytes for each of its text. @throws MOD_FILE_INVALID */
async function readSpansFolder(folder: string) {
  const indexes = new Map<string, HostedSpans>();
  for (const name of (await readdir(folder)).sort()) {
    const index = await readIndexFile(join(folder, name));
    indexes.set(index.parts.rowsRoot, await hostSpans(index));
  }
  return indexes;
}

async function tokensOf(basePath: string) {
  const source = baseSourceAt(basePath);
  const opened = await openModel(source);
  await opened.close();
  return openTokenizer(source, opened.shape.vocabularySize);
}
