/** `openledger factory serve`: runs a factory (models/factory) until Ctrl-C, with options in place of FACTORY_… settings. */
import { createLogger } from "@openledger/foundation/logger";
import { keepFilesPrivate } from "@openledger/foundation/private-files";
import { stopSignal } from "@openledger/foundation/run-until-stopped";
import { readFactoryConfig } from "@openledger/models/factory/factory-config";
import { startFactory } from "@openledger/models/factory/start-factory";
import type { CommandContext } from "../../cli/run-command.ts";
import { workspacePaths } from "../../cli/workspace.ts";
import type { ServeFactoryOptions } from "./factory-options.ts";

/** Serves until Ctrl-C or a failure. @throws SRV_CONFIG_INVALID, SRV_STORE_LOCKED, CLI_UNREACHABLE */
export async function serveFactory({ options, output }: CommandContext<ServeFactoryOptions>): Promise<void> {
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
  const logger = createLogger("factory", config.logLevel, process.stderr);
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const { stop, url } = await startFactory(config, { logger, onFatal: fail });
  output.answer([`the factory listens at ${url}; Ctrl-C stops it; its jobs resume at the next start`], {
    url,
  });
  await Promise.race([stopSignal(), failed]);
  await stop();
}
