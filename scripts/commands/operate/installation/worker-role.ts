/** `openledger operator worker-role`: a role in the database for one machine of workers. */
import { randomBytes } from "node:crypto";
import { JOBS, makeWorkerRole } from "@openledger/foundation/database/job-tables";
import {
  DATABASE_SETTINGS,
  databaseAddress,
  openDatabase,
} from "@openledger/foundation/database/open-database";
import { addressOf } from "@openledger/foundation/database/roles";
import { createLogger } from "@openledger/foundation/logger";
import {
  type Environment,
  readConfig,
  SHARED_PREFIX,
  SHARED_SETTINGS,
} from "@openledger/foundation/settings";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { openProofQueue } from "@openledger/prover/queue/prove-queue";

/**
 * Makes the role, or gives it a new password, and writes the address that its workers use.
 * @throws SRV_CONFIG_INVALID, SRV_DATABASE_UNREACHABLE, SRV_DATABASE_FAILED
 */
export async function writeWorkerRole(
  { name, out }: { readonly name: string; readonly out: string },
  environment: Environment,
): Promise<void> {
  const settings = { ...DATABASE_SETTINGS, logLevel: SHARED_SETTINGS.logLevel };
  const config = readConfig(SHARED_PREFIX, { settings, fixed: {} }, environment);
  const logger = createLogger("operator", config.logLevel, process.stderr);
  // Makes the tables to which the role gets rights.
  await (await openProofQueue(config, { logger, migrates: true })).close();
  const { release, url } = await databaseAddress(config, logger);
  const database = await openDatabase(config, { part: JOBS, rollup: null, logger });
  try {
    const password = randomBytes(24).toString("base64url");
    await makeWorkerRole(database, { name, password });
    await writeFileWhole(out, `${addressOf(url, name, password)}\n`, { mode: 0o600 });
  } finally {
    await database.close();
    await release();
  }
}
