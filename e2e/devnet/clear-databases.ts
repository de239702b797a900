/** `npm start -- --reset` where a variable names the devnet's database: what the devnet has written there goes, and nothing else. */
import { JOBS } from "@openledger/foundation/database/job-tables";
import { forgetRollup } from "@openledger/foundation/database/migrate";
import { DATABASE_SETTINGS, openDatabase } from "@openledger/foundation/database/open-database";
import { createLogger } from "@openledger/foundation/logger";
import type { Secret } from "@openledger/foundation/secret";
import { type Environment, readSettings } from "@openledger/foundation/settings";
import type { StoreRollup } from "@openledger/foundation/store/store-identity";
import type { Console } from "./console.ts";

/** Prefixes of the devnet's processes that have data in PostgreSQL. */
const PREFIXES = ["DATANET", "FACTORY", "SERVING"] as const;

/**
 * Drops the schemas of the devnet's rollup from the databases that variables of the environment name.
 * @throws SRV_DATABASE_…
 */
export async function clearDatabases(
  rollup: StoreRollup,
  environment: Environment,
  console: Pick<Console, "line">,
): Promise<void> {
  const urls = new Map<string, Secret<string>>();
  for (const prefix of PREFIXES) {
    const { databaseUrl } = readSettings(prefix, DATABASE_SETTINGS, environment).values;
    if (databaseUrl !== undefined) urls.set(databaseUrl.reveal(), databaseUrl);
  }
  for (const databaseUrl of urls.values()) {
    const logger = createLogger("devnet", "silent");
    const config = { databaseUrl, databasePath: "" };
    const database = await openDatabase(config, { part: JOBS, rollup: null, logger });
    try {
      const names = await forgetRollup(database, rollup);
      if (names.length > 0) console.line(`dropped from the database: ${names.join(", ")}`);
    } finally {
      await database.close();
    }
  }
}
