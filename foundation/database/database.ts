/**
 * A part of the project's PostgreSQL database: its own schema, with versions, its connections, transactions and notices.
 *
 * - Give `jsonb` values as text (`JSON.stringify`): `pg` makes `{}` of an empty list.
 * - Give bytes as `Buffer`: other views lose bytes.
 * - Columns of time are `timestamptz`; money is `numeric` or text, read by `BigInt`.
 */
import { Client, type ClientConfig, Pool, type PoolClient, type QueryResultRow } from "pg";
import { errorFacts } from "../error-facts.ts";
import { processErrors } from "../error-table.ts";
import { isRollupError, type RollupError } from "../rollup-error.ts";
import type { StoreRollup } from "../store/store-identity.ts";
import { databaseError, explained, isLostRace } from "./database-errors.ts";
import { type DatabasePart, migrate } from "./migrate.ts";
import type { DatabaseLogger, Queries, SqlValue, TransactionOptions, Transactions } from "./queries.ts";

export type { Queries, SqlValue };

export interface DatabaseOptions {
  /** `postgres://…`; the server must have an empty database of that name, or one of this rollup. */
  readonly url: string;
  readonly part: DatabasePart;
  /** Rollup of the data; null for data of any rollup. */
  readonly rollup: StoreRollup | null;
  readonly logger: DatabaseLogger;
  /** Default: 10. */
  readonly maxConnections?: number;
  /** Longest time of a statement; default: 30 s. */
  readonly statementTimeoutMs?: number;
  /** False for a role that may not make tables: the schema must be there, in this version. Default: true. */
  readonly migrates?: boolean;
  /** Called when all connections have ended. */
  readonly onClosed?: () => Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** The server ends a statement first; after this time it does not answer at all. */
const SILENCE_MS = 5_000;
/** Limit of a statement that has none: 0 would be the pool's. */
const UNLIMITED_MS = 2 ** 31 - 1;
/** A transaction that lost a race is tried again so often. */
const MAX_ATTEMPTS = 8;
const RELISTEN_MS = 1_000;

export class Database implements Transactions {
  readonly #pool: Pool;
  readonly #config: ClientConfig;
  readonly #logger: DatabaseLogger;
  readonly #onClosed: () => Promise<void>;
  readonly #listeners = new Set<Listener>();

  private constructor(
    pool: Pool,
    config: ClientConfig,
    { logger, onClosed = async () => {} }: Pick<DatabaseOptions, "logger" | "onClosed">,
  ) {
    this.#pool = pool;
    this.#config = config;
    this.#logger = logger;
    this.#onClosed = onClosed;
  }

  /**
   * Connects, compares the database with what the process expects, and brings the part's schema to this version.
   * @throws SRV_DATABASE_UNREACHABLE, SRV_DATABASE_ENCODING, SRV_WRONG_DATABASE, SRV_DATABASE_SCHEMA
   */
  static async open(options: DatabaseOptions): Promise<Database> {
    const {
      logger,
      maxConnections = 10,
      migrates = true,
      part,
      rollup,
      statementTimeoutMs = 30_000,
      url,
    } = options;
    const config: ClientConfig = {
      connectionString: url,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: statementTimeoutMs,
      query_timeout: statementTimeoutMs + SILENCE_MS,
      keepAlive: true,
      application_name: `openledger-${part.name}`,
      options: `-c search_path=${part.name} -c timezone=UTC -c lock_timeout=${statementTimeoutMs}`,
    };
    const pool = new Pool({ ...config, max: maxConnections });
    // An idle connection that ends is replaced by the next query.
    pool.on("error", (error) =>
      logger.warn({ err: errorFacts(error) }, "a connection to the database ended"),
    );
    const database = new Database(pool, config, options);
    try {
      await database.#requireUnicode();
      await migrate(database, part, { rollup, mayMigrate: migrates, logger });
      return database;
    } catch (error) {
      await pool.end();
      throw explained(error);
    }
  }

  /** Bound, so that it may be handed on by itself as a transaction's may. */
  readonly query = async <Row extends QueryResultRow = QueryResultRow>(
    text: string,
    values: readonly SqlValue[] = [],
  ): Promise<Row[]> => {
    try {
      return (await this.#pool.query<Row>(text, values as unknown[])).rows;
    } catch (error) {
      throw databaseError(error);
    }
  };

  /**
   * Runs `work` in a transaction, and again where it lost a race with another one; it must have no effects of its own.
   * Committed when this resolves. Where it rejects with SRV_DATABASE_UNREACHABLE it may be committed or not.
   */
  async transaction<T>(work: (queries: Queries) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#transactionOnce(work, options);
      } catch (error) {
        if (attempt === MAX_ATTEMPTS || !isLostRace(error)) throw error;
      }
    }
  }

  async #transactionOnce<T>(
    work: (queries: Queries) => Promise<T>,
    { isUnlimited = false }: TransactionOptions,
  ): Promise<T> {
    const client = await this.#connect();
    const onError = (error: Error) =>
      this.#logger.warn({ err: errorFacts(error) }, "a connection to the database ended");
    client.on("error", onError);
    let broken: RollupError | undefined;
    let failed: RollupError | undefined;
    const query: Queries["query"] = async (text, values = []) => {
      try {
        const limits = isUnlimited ? { query_timeout: UNLIMITED_MS } : {};
        return (await client.query({ text, values: values as unknown[], ...limits })).rows;
      } catch (error) {
        const raised = databaseError(error);
        failed ??= raised;
        if (raised.code === "SRV_DATABASE_UNREACHABLE") broken = raised;
        throw raised;
      }
    };
    try {
      await query("begin");
      if (isUnlimited) await query("set local statement_timeout = 0; set local lock_timeout = 0");
      const result = await work({ query });
      // PostgreSQL answers a commit after a failed statement with a rollback, and no error.
      if (failed !== undefined) throw failed;
      await query("commit");
      return result;
    } catch (error) {
      if (broken === undefined) await query("rollback").catch(() => {});
      throw error;
    } finally {
      client.off("error", onError);
      client.release(broken !== undefined);
    }
  }

  async #connect(): Promise<PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw databaseError(error);
    }
  }

  /**
   * Calls `onNotice` with the payload of each notice of a channel, and with null after a connection was lost: notices may be
   * missing then. Send one by `select pg_notify(channel, payload)`.
   */
  async listen(channel: string, onNotice: (payload: string | null) => void): Promise<() => Promise<void>> {
    const listener = new Listener(this.#config, channel, { onNotice, logger: this.#logger });
    this.#listeners.add(listener);
    await listener.connect();
    return async () => {
      this.#listeners.delete(listener);
      await listener.close();
    };
  }

  /** True where the server answers. */
  async isReachable(): Promise<boolean> {
    return this.query("select 1").then(
      () => true,
      () => false,
    );
  }

  /** Waits for what runs, then ends all connections. */
  async close(): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener.close()));
    this.#listeners.clear();
    await this.#pool.end();
    await this.#onClosed();
  }

  async #requireUnicode(): Promise<void> {
    const [row] = await this.query<{ server_encoding: string }>("show server_encoding");
    if (row!.server_encoding === "UTF8") return;
    throw processErrors.raise(
      "SRV_DATABASE_ENCODING",
      `the database has the encoding ${row!.server_encoding}: make it again with UTF8 (createdb --encoding=UTF8 --template=template0)`,
      { data: { found: row!.server_encoding, expected: "UTF8" } },
    );
  }
}

/** One connection for the notices of a channel; it connects again by itself. */
class Listener {
  readonly #config: ClientConfig;
  readonly #channel: string;
  readonly #modules: { readonly onNotice: (payload: string | null) => void; readonly logger: DatabaseLogger };
  #client: Client | null = null;
  #again: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(
    config: ClientConfig,
    channel: string,
    modules: { readonly onNotice: (payload: string | null) => void; readonly logger: DatabaseLogger },
  ) {
    this.#config = config;
    this.#channel = channel;
    this.#modules = modules;
  }

  async connect(): Promise<void> {
    const client = new Client(this.#config);
    const onEnd = (error?: Error) => {
      if (this.#client !== client || this.#isClosed) return;
      this.#client = null;
      this.#modules.logger.warn(
        { err: errorFacts(error), channel: this.#channel },
        "notices of the database are interrupted",
      );
      client.end().catch(() => {});
      this.#connectLater();
    };
    client.on("error", onEnd);
    client.on("end", () => onEnd());
    client.on("notification", ({ payload }) => this.#modules.onNotice(payload ?? ""));
    this.#client = client;
    try {
      await client.connect();
      await client.query(`listen ${client.escapeIdentifier(this.#channel)}`);
    } catch (error) {
      if (this.#client === client) this.#client = null;
      client.end().catch(() => {});
      throw databaseError(error);
    }
  }

  #connectLater(): void {
    this.#again = setTimeout(() => {
      this.connect().then(
        () => this.#modules.onNotice(null),
        (error: unknown) => {
          if (!isRollupError(error)) throw error;
          if (!this.#isClosed) this.#connectLater();
        },
      );
    }, RELISTEN_MS);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#again);
    await this.#client?.end().catch(() => {});
  }
}
