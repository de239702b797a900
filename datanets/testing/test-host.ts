/** A Datanet host in the test's own process. */

import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { hashOf } from "@openledger/foundation/database/job-inputs";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase } from "@openledger/foundation/testing/test-database";
import { loadHostConfig } from "../host/config.ts";
import { createHostProcess, type HostProcess } from "../host/host-process.ts";

export interface TestHost extends HostProcess {
  readonly url: string;
  /** The host's clock, beside the real one. */
  readonly clock: { aheadMs: number };
}

const journalOf = (databaseUrl: string) =>
  join(tmpdir(), "openledger-journals", hashOf(databaseUrl).slice(0, 16));

/** Environment of a host in tests, without a cache of the ledger's answers. */
export const hostEnvironment = (
  sequencerUrl: string,
  databaseUrl: string,
  more: Readonly<Record<string, string>> = {},
) => ({
  DATANET_SEQUENCER_URL: sequencerUrl,
  DATANET_DATABASE_URL: databaseUrl,
  // Of the database alone: what one test's hosts withdraw is no other's.
  DATANET_JOURNAL_PATH: journalOf(databaseUrl),
  DATANET_PORT: "0",
  DATANET_LEDGER_CACHE_MS: "0",
  DATANET_RATE_LIMIT_PER_MINUTE: "10000000",
  ...more,
});

/**
 * Starts a host that listens.
 * @param databaseUrl null: a database of its own, deleted when it stops
 */
export async function startTestHost(
  deployment: Deployment,
  sequencerUrl: string,
  databaseUrl: string | null = null,
  more: Readonly<Record<string, string>> = {},
): Promise<TestHost> {
  const own = databaseUrl === null ? await createTestDatabase() : null;
  const clock = { aheadMs: 0 };
  const started = await createHostProcess(
    loadHostConfig(hostEnvironment(sequencerUrl, databaseUrl ?? own!.url, more)),
    deployment,
    { logger: createLogger("test", "silent"), nowMs: () => Date.now() + clock.aheadMs },
  );
  const url = await started.listen();
  return {
    ...started,
    url,
    clock,
    async stop() {
      await started.stop();
      await own?.drop();
      if (own !== null) rmSync(journalOf(own.url), { recursive: true, force: true });
    },
  };
}
