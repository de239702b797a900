import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openWatch, type WatchSetting } from "@openledger/challenger/watching/watch";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Address, parseEther } from "viem";
import { commandError } from "../../cli/cli-errors.ts";
import {
  type GlobalOptions,
  knownModelServer,
  parseAddress,
  resolveEndpoints,
  resolveRpcUrl,
} from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/open-l1-sender.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { workspaceDir } from "../../cli/workspace.ts";

/** A model that nobody serves: docs/explanation/disputes.md. */
const UNSERVED_STATUS = 3;

export interface WatchCommandOptions {
  model?: string;
  models?: string;
  server?: string;
  every?: string;
  base?: string;
  mostFees: string;
}

export async function watchModels({
  options,
  args,
  output,
}: CommandContext<WatchCommandOptions>): Promise<void> {
  const everyMinutes = options.every === undefined ? null : Number(options.every);
  if (everyMinutes !== null && !(everyMinutes > 0))
    throw commandError("CMD_USAGE", `"${options.every}" is no number of minutes`);
  const look = await openWatch(parseAddress(args[0]!), await settingOf(options), output.progress);
  for (;;) {
    const { failures, lines, view } = await look();
    if (lines.length > 0) output.answer(lines, view);
    if (everyMinutes === null) {
      const other = failures.find((failure) => !isRollupError(failure, "CMD_MODEL_UNSERVED"));
      if (other !== undefined) throw other;
      for (const failure of failures) output.fail(failure);
      if (failures.length > 0) process.exitCode = UNSERVED_STATUS;
      return;
    }
    // A node that does not answer now may in some minutes: whoever watches for a week goes on.
    for (const failure of failures) output.fail(failure);
    await sleep(everyMinutes * 60_000);
  }
}

async function settingOf(options: GlobalOptions & WatchCommandOptions): Promise<WatchSetting> {
  const { account, base, model, models, privateKeyFile, server } = options;
  const isSigning = account !== undefined || privateKeyFile !== undefined;
  return {
    rpcUrl: resolveRpcUrl(options),
    rollup: rollupOf(options),
    places: { base, model, models, serverOf: (modelId) => knownModelServer(modelId, server) },
    isRepeated: options.every !== undefined,
    folder: join(process.env.OPENLEDGER_HOME ?? workspaceDir, "watch"),
    sender: isSigning ? await l1SenderOf(options) : null,
    mostAvailabilityChallengesWei: parseEther(options.mostFees),
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
