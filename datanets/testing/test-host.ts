/** A Datanet host in the test's own process. */

import type { Deployment } from "@openledger/circuits/registry/deployment";
import { createLogger } from "@openledger/foundation/logger";
import { loadHostConfig } from "../host/config.ts";
import { createHostProcess, type HostProcess } from "../host/host-process.ts";

export interface TestHost extends HostProcess {
  readonly url: string;
  readonly dataPath: string;
  readonly fatal: unknown[];
  /** The host's clock, beside the real one. */
  readonly clock: { aheadMs: number };
}

/** Environment of a host in tests, without a cache of the ledger's answers. */
export const hostEnvironment = (
  sequencerUrl: string,
  dataPath: string,
  more: Readonly<Record<string, string>> = {},
) => ({
  DATANET_SEQUENCER_URL: sequencerUrl,
  DATANET_DATA_PATH: dataPath,
  DATANET_PORT: "0",
  DATANET_LEDGER_CACHE_MS: "0",
  DATANET_RATE_LIMIT_PER_MINUTE: "10000000",
  ...more,
});

/** Starts a host that listens and has loaded its store. */
export async function startTestHost(
  deployment: Deployment,
  sequencerUrl: string,
  dataPath: string,
  more: Readonly<Record<string, string>> = {},
): Promise<TestHost> {
  const clock = { aheadMs: 0 };
  const fatal: unknown[] = [];
  const started = await createHostProcess(
    loadHostConfig(hostEnvironment(sequencerUrl, dataPath, more)),
    deployment,
    {
      logger: createLogger("test", "silent"),
      onFatal: (error) => fatal.push(error),
      nowMs: () => Date.now() + clock.aheadMs,
    },
  );
  const url = await started.listen();
  await started.loaded();
  return { ...started, url, dataPath, fatal, clock };
}
