/** `models serve --settle`: closes and settles the epochs of the models that are served. serve-models.ts starts it. */
import { inspect } from "node:util";
import { Bell } from "@openledger/bridge/operator/operator-events";
import { keepFeed } from "@openledger/client/sequencer/feed";
import type { DatabaseConfig } from "@openledger/foundation/database/open-database";
import { errorFacts } from "@openledger/foundation/error-facts";
import type { ModelSettler } from "@openledger/models/serving/serve-models";
import type { ServingConfig } from "@openledger/models/serving/serving-config";
import { commandError } from "../../cli/cli-errors.ts";
import { type GlobalOptions, openReader, openSigner, resolveAccount, signFor } from "../../cli/context.ts";
import type { ServeOptions } from "./serve-options.ts";

type SettlingOptions = GlobalOptions & ServeOptions;

interface OpenedSettler {
  readonly settler: ModelSettler;
  close(): Promise<void>;
}

/** Interval between two checks of the served models' epochs. */
const INTERVAL_MS = 2_000;

/** Writes what a human has to know, with its facts. */
const logFacts = ({ err, ...facts }: { readonly err?: unknown }, message: string) =>
  process.stderr.write(
    `${message} ${inspect(err === undefined ? facts : { ...facts, err: errorFacts(err) })}\n`,
  );

const log = {
  info: (_facts: object, message: string) => process.stderr.write(`${message}\n`),
  warn: logFacts,
  error: logFacts,
};

/**
 * @param config of the server: all that settle on its database share the work
 * @throws CMD_ACCOUNT_INVALID before any model is read; CMD_USAGE, SRV_CONFIG_INVALID, SRV_DATABASE_UNREACHABLE
 */
export async function openModelSettler(
  options: SettlingOptions,
  config: DatabaseConfig & Pick<ServingConfig, "serverToken">,
): Promise<OpenedSettler> {
  resolveAccount(options);
  const epochSeconds = parseEpochLength(options.epochLength);
  const [{ SettlingReport }, { startSettling }, { openSettlingQueue }, { openSettlementContext }] =
    await Promise.all([
      import("@openledger/models/settling/daemon/turn-report"),
      import("@openledger/models/settling/daemon/start-settling"),
      import("@openledger/models/settling/daemon/settling-queue"),
      import("../../cli/settlement-context.ts"),
    ]);
  const client = { ...(await openReader(options)), serverToken: config.serverToken };
  const context = await openSettlementContext(options);
  const queue = await openSettlingQueue(config, { logger: log });
  const prover = await openSettlingProver(options).catch(async (error: unknown) => {
    await queue.close();
    throw error;
  });
  const bell = new Bell();
  const endFeed = keepFeed(client, ["batches"], ({ event }) => {
    if (event === "randomness") bell.ring();
  });
  const reports = new Map<number, InstanceType<typeof SettlingReport>>();
  const reportOf = (modelId: number) => {
    const report = reports.get(modelId) ?? new SettlingReport(modelId);
    reports.set(modelId, report);
    return report;
  };
  const settler: ModelSettler = {
    reportOf,
    start: ({ modelId, folder: modelFolder, serverUrl }) =>
      startSettling(
        {
          modelId,
          modelFolder,
          serverUrl,
          epochSeconds,
          consentsToVoids: options.consentToVoids === true,
          keys: options.keys,
          intervalMs: INTERVAL_MS,
        },
        {
          client,
          signer: async (leaf) => signFor(await openSigner(options), leaf),
          ...context,
          log,
          report: reportOf(modelId),
          prover,
          queue,
          bell,
        },
      ),
  };
  return {
    settler,
    async close() {
      endFeed();
      await prover.close();
      await queue.close();
    },
  };
}

/** @throws CMD_USAGE for an unknown back end; SRV_CONFIG_INVALID, SRV_DATABASE_UNREACHABLE */
async function openSettlingProver({ prover }: SettlingOptions) {
  const [{ openProverOnDemand }, { readProverConfig }, { requireBackendChoice }] = await Promise.all([
    import("@openledger/prover/open-prover"),
    import("@openledger/prover/process/prover-config"),
    import("../../cli/settlement-context.ts"),
  ]);
  const config = readProverConfig({ ...process.env, PROVER_BACKEND: requireBackendChoice(prover) });
  if (config.place === "queue") log.info({}, "settlements are proven by the workers of the queue");
  // The settler shows what is proven; a prover's own lines name errors.
  return openProverOnDemand(
    { ...config, logLevel: "warn" },
    { logTo: 2 },
    { logger: { ...log, info: () => {} } },
  );
}

/** @throws CMD_USAGE */
function parseEpochLength(text: string): number | null {
  if (text === "none") return null;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw commandError("CMD_USAGE", `--epoch-length takes seconds, at least 1, or none; not "${text}"`);
}
