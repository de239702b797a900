/**
 * `openledger factory serve` and `factory worker`: run a server or a worker of a factory (models/factory) until Ctrl-C, with options
 * in place of FACTORY_… settings.
 */
import { counted } from "@openledger/foundation/counted";
import { createLogger } from "@openledger/foundation/logger";
import { keepFilesPrivate } from "@openledger/foundation/private-files";
import { stopSignal } from "@openledger/foundation/run-until-stopped";
import { readFactoryConfig } from "@openledger/models/factory/factory-config";
import { startFactory } from "@openledger/models/factory/start-factory";
import { openWorker } from "@openledger/models/factory/worker/factory-worker";
import type { CommandContext } from "../../cli/run-command.ts";
import { workspacePaths } from "../../cli/workspace.ts";
import type { FactoryWorkerOptions, ServeFactoryOptions } from "./factory-options.ts";

/** Serves until Ctrl-C. @throws SRV_CONFIG_INVALID, SRV_DATABASE_UNREACHABLE, CLI_UNREACHABLE */
export async function serveFactory({ options, output }: CommandContext<ServeFactoryOptions>): Promise<void> {
  const { config, logger } = ownProcess(options);
  const { stop, url } = await startFactory(config, { logger });
  output.answer([`the factory listens at ${url}; Ctrl-C stops it; its jobs resume at the next start`], {
    url,
  });
  await stopSignal();
  await stop();
}

/** Trains until Ctrl-C. @throws SRV_CONFIG_INVALID, SRV_DATABASE_UNREACHABLE, SRV_DATABASE_SCHEMA */
export async function workForFactory({
  options,
  output,
}: CommandContext<FactoryWorkerOptions>): Promise<void> {
  const { config, logger } = ownProcess(options);
  const worker = await openWorker(config, { logger });
  output.answer(
    [`takes up to ${counted(config.maxRunning, "job")} at a time; Ctrl-C gives them back to the factory`],
    {
      maxRunning: config.maxRunning,
    },
  );
  await stopSignal();
  await worker.close();
}

/** Settings of a process that a command runs. */
function ownProcess(options: CommandContext<Partial<ServeFactoryOptions> & FactoryWorkerOptions>["options"]) {
  keepFilesPrivate();
  const { accounts, bases, data, datanetHosts, deployment, host, port, rpc, sequencer, threads } = options;
  const ownSettings = {
    FACTORY_DEPLOYMENT_PATH: deployment,
    FACTORY_DATA_PATH: data,
    FACTORY_HOST: host,
    FACTORY_PORT: port?.toString(),
    FACTORY_DATANET_HOSTS: datanetHosts,
    FACTORY_BASES: bases,
    FACTORY_ACCOUNTS: accounts,
    FACTORY_THREAD_COUNT: threads,
    FACTORY_RPC_URL: rpc,
    FACTORY_SEQUENCER_URL: sequencer,
  };
  const set = Object.fromEntries(Object.entries(ownSettings).filter(([, value]) => value !== undefined));
  // Default: the devnet's.
  const fallback = { OPENLEDGER_DEPLOYMENT_PATH: workspacePaths.deployment };
  const config = readFactoryConfig({ ...fallback, ...process.env, ...set });
  return { config, logger: createLogger("factory", config.logLevel, process.stderr) };
}
