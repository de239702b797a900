/** Connection of a process to its part of the database: a server's, or the one of this machine. */
import type { Secret } from "../secret.ts";
import { SHARED_SETTINGS } from "../settings.ts";
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

/** @throws SRV_DATABASE_UNREACHABLE where this machine's server does not start */
export async function databaseAddress(
  { databasePath, databaseUrl }: DatabaseConfig,
  logger: DatabaseLogger,
): Promise<DatabaseAddress> {
  if (databaseUrl !== undefined) return { url: databaseUrl.reveal(), release: async () => {} };
  return startLocalServer(databasePath, logger);
}

/**
 * Opens a part of the database. `Database.close` stops this machine's server where nobody else is connected.
 * @throws SRV_DATABASE_UNREACHABLE, SRV_DATABASE_ENCODING, SRV_DATABASE_SCHEMA, SRV_WRONG_DATABASE
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
