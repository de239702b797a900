import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { clientError } from "@openledger/client/client-errors";
import { createLogger, type Logger } from "@openledger/foundation/logger";
import { keepFilesPrivate } from "@openledger/foundation/private-files";
import { baseSourceAt } from "@openledger/models/base/base-place";
import { openModel } from "@openledger/models/files/load-model";
import { LedgerBilling } from "@openledger/models/paid/ledger-billing";
import { openPaidModels, type PaidModels, type PaidModelsOptions } from "@openledger/models/paid/paid-models";
import { serveAdapters } from "@openledger/models/serving/serve-adapters";
import { readServingConfig, type ServingConfig } from "@openledger/models/serving/serving-config";
import type { HelperLog } from "@openledger/models/settler/turn-report";
import { type HostedSpans, hostSpans } from "@openledger/models/spans/host-spans";
import { readIndexFile } from "@openledger/models/spans/index-file";
import { openTokenizer } from "@openledger/models/tokens/tokenizer";
import { commandError } from "../../cli/cli-errors.ts";
import { type GlobalOptions, openReader, resolveAccount, resolveRpcUrl } from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/open-l1-sender.ts";
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
  const claims = options.claim === true ? await loadClaims(config, options, logger) : null;
  const { registeredPath } = config;
  const paid =
    registeredPath === undefined
      ? null
      : await openPaid({ ...config, registeredPath }, options, logger, claims?.helpersOf);
  const book = paid === null ? undefined : new LedgerBilling(paid.models, await tokensOf(config.basePath));
  const served = await serveAdapters(config, { logger, book, mounts: paid?.mounts });
  const { adapterCount, kernels: name, url, weights } = served;
  const claiming = await claims?.start((modelId, receipt) =>
    paid!.models.get(`model-${modelId}`)!.answerOf(receipt),
  );
  const price = paid === null ? "free of charge" : `${paid.models.size} of them registered, for receipts`;
  output.answer(
    [
      `${config.baseName} and ${adapterCount} adapters are served at ${url}/v1 by ${name} and ${weights}, ${price}${
        claiming === undefined ? "" : `; what is drawn of ${claiming.modelIds.length} is claimed by itself`
      }; Ctrl-C ends it`,
    ],
    {
      ...{ url, adapterCount, kernels: name, weights, charging: paid === null ? "free" : "ledger" },
      ...{ registeredCount: paid?.models.size ?? 0, claims: claiming?.modelIds ?? [] },
    },
  );
  const stopped = new Promise<null>((stop) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop(null));
  });
  const failure = await Promise.race([stopped, ...(paid === null ? [] : [paid.failed])]);
  await claiming?.stop();
  await served.close();
  await paid?.close();
  if (failure !== null) throw failure;
}

/** @throws CMD_ACCOUNT_INVALID, CMD_USAGE; `helpersOf` CMD_NOT_CLAIMANT, before anything is served */
async function loadClaims(
  { basePath, dataPath, registeredPath }: ServingConfig,
  options: GlobalOptions,
  log: HelperLog,
) {
  if (registeredPath === undefined)
    throw commandError(
      "CMD_USAGE",
      "--claim needs registered models: SERVING_REGISTERED_PATH or --registered",
    );
  const { l1 } = resolveAccount(options);
  const { claimsOf, requireClaimantOfAll, sharedSender, withClaiming } = await import(
    "@openledger/challenger/claiming/serve-claims"
  );
  let claims: ReturnType<typeof claimsOf> | null = null;
  const helpersOf: PaidModelsOptions["helpersOf"] = (models) => {
    const modelIds = requireClaimantOfAll(models, l1.address);
    const openSender = sharedSender(() => l1SenderOf(options), log);
    claims = claimsOf({
      rpcUrl: resolveRpcUrl(options),
      base: basePath,
      ...{ modelIds, places: { models: registeredPath }, folder: join(dataPath, "claiming") },
      claimant: l1.address,
      openSender,
      log,
    });
    return new Map([...claims.reports].map(([id, report]) => [id, withClaiming(id, undefined, report)!]));
  };
  const start = async (answerOf: Parameters<ReturnType<typeof claimsOf>["start"]>[1]) => {
    const running = claims!.start(await openReader(options), answerOf);
    return { modelIds: [...claims!.reports.keys()], stop: () => running.stop() };
  };
  return { helpersOf, start };
}

async function openPaid(
  config: ServingConfig & { readonly registeredPath: string },
  options: GlobalOptions,
  logger: Logger,
  helpersOf: PaidModelsOptions["helpersOf"],
): Promise<PaidModels> {
  const { adaptersPath, answerTtlSeconds, basePath, dataPath, kernels, registeredPath } = config;
  const { attributionMegabytes, proxies, publicUrl, rateLimitPerMinute, spansPath } = config;
  const { domain, sequencerUrl } = await openReader(options);
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
      ...(helpersOf === undefined ? {} : { helpersOf }),
      sequencerUrl,
      domain,
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
