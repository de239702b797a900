/** `openledger operator worker-role`: a role in the database for one machine of workers. */
import { randomBytes } from "node:crypto";
import { addressFor } from "@openledger/foundation/database/address";
import type { Queries } from "@openledger/foundation/database/database";
import { JOBS, makeWorkerRole } from "@openledger/foundation/database/job-tables";
import {
  DATABASE_SETTINGS,
  databaseAddress,
  openDatabase,
} from "@openledger/foundation/database/open-database";
import { processErrors } from "@openledger/foundation/error-table";
import { createLogger } from "@openledger/foundation/logger";
import {
  type Environment,
  readConfig,
  SHARED_PREFIX,
  SHARED_SETTINGS,
} from "@openledger/foundation/settings";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import {
  FACTORY_PART,
  FACTORY_QUEUES,
  FACTORY_WORKER_RIGHTS,
} from "@openledger/models/factory/store/factory-schema";
import { openProofQueue, PROOF_QUEUE } from "@openledger/prover/queue/prove-queue";

/**
 * Makes the role, or gives it a new password, and writes the address that its workers use.
 * @param options.isForFactory true: it trains a factory's jobs, too
 * @throws SRV_CONFIG_INVALID, SRV_DATABASE_UNREACHABLE, SRV_DATABASE_FAILED; SRV_DATABASE_SCHEMA without a factory
 */
export async function writeWorkerRole(
  {
    isForFactory = false,
    name,
    out,
  }: { readonly name: string; readonly out: string; readonly isForFactory?: boolean },
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
    const address = addressFor(url, name, password);
    if (isForFactory) await requireFactory(database);
    await makeWorkerRole(database, {
      name,
      password,
      queues: [PROOF_QUEUE, ...(isForFactory ? FACTORY_QUEUES : [])],
      rights: isForFactory ? FACTORY_WORKER_RIGHTS : [],
    });
    await writeFileWhole(out, `${address}\n`, { mode: 0o600 });
  } finally {
    await database.close();
    await release();
  }
}

async function requireFactory(queries: Queries): Promise<void> {
  const { migrations, name } = FACTORY_PART;
  const [found] = await queries.query<{ version: number }>(
    "select version from openledger.parts where name = $1",
    [name],
  );
  if (found?.version === migrations.length) return;
  throw processErrors.raise(
    "SRV_DATABASE_SCHEMA",
    "the database has no factory of this version: start a factory first, which makes its tables",
    { data: { reason: "older", part: name, found: found?.version ?? 0, expected: migrations.length } },
  );
}
