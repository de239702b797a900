/** Connection of a process to its part of the database: a server's, or the one of this machine. */
import { existsSync } from "node:fs";
import { processErrors } from "../error-table.ts";
import type { Secret } from "../secret.ts";
import { type Environment, SHARED_SETTINGS } from "../settings.ts";
import { Database, type DatabaseOptions } from "./database.ts";
import { startLocalServer } from "./local-server.ts";
import type { DatabaseLogger } from "./queries.ts";

/** Settings of every process that has data in PostgreSQL. */
export const DATABASE_SETTINGS = {
  databaseUrl: SHARED_SETTINGS.databaseUrl,
  databasePath: SHARED_SETTINGS.databasePath,
} as const;

export interface DatabaseConfig {
  readonly databaseUrl?: Secret<string> | undefined;
  readonly databasePath: string;
}

/** Address of the database, and how to let go of it. */
export interface DatabaseAddress {
  readonly url: string;
  /** Stops this machine's server where nobody else is connected; a server with a URL is nobody's to stop. */
  release(): Promise<void>;
}

/** Variable of other programs, and of earlier versions. */
const FOREIGN = "DATABASE_URL";
const NAMED_PATH = /^[A-Z]+_DATABASE_PATH$/;

/**
 * @throws SRV_DATABASE_UNREACHABLE where this machine's server does not start; SRV_CONFIG_INVALID where a new database would begin beside one
 *   that may have been meant
 */
export async function databaseAddress(
  { databasePath, databaseUrl }: DatabaseConfig,
  logger: DatabaseLogger,
  environment: Environment = process.env,
): Promise<DatabaseAddress> {
  if (databaseUrl !== undefined) return { url: databaseUrl.reveal(), release: async () => {} };
  const isNamed = Object.keys(environment).some((name) => NAMED_PATH.test(name));
  // Attack: the shell of another project names its database, which gets our tables. But earlier versions read it: theirs is not left behind.
  if (environment[FOREIGN] !== undefined && !isNamed && !existsSync(databasePath)) {
    const problem = `is not read, since it may be another project's: give OPENLEDGER_DATABASE_URL for a database of this rollup's own, or OPENLEDGER_DATABASE_PATH to have one started in a folder`;
    throw processErrors.raise("SRV_CONFIG_INVALID", `${FOREIGN} ${problem}`, {
      data: { problems: [{ env: FOREIGN, problem }] },
    });
  }
  return startLocalServer(databasePath, logger);
}

/**
 * Opens a part of the database. `Database.close` stops this machine's server where nobody else is connected.
 * @throws SRV_DATABASE_UNREACHABLE, SRV_DATABASE_ENCODING, SRV_DATABASE_SCHEMA, SRV_WRONG_DATABASE, SRV_CONFIG_INVALID
 */
export async function openDatabase(
  config: DatabaseConfig,
  options: Omit<DatabaseOptions, "url" | "onClosed">,
): Promise<Database> {
  const { release, url } = await databaseAddress(config, options.logger);
  try {
    return await Database.open({ ...options, url, onClosed: release });
  } catch (error) {
    await release();
    throw error;
  }
}
