/**
 * A part of the project's PostgreSQL database: its own schema, with versions, its connections, transactions and notices.
 *
 * - Give `jsonb` values as text (`JSON.stringify`): `pg` makes `{}` of an empty list.
 * - Give bytes as `Buffer`: other views lose bytes.
 * - Columns of time are `timestamptz`; money is `numeric` or text, read by `BigInt`.
 */
import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import { Client, type ClientConfig, Pool, type PoolClient, type QueryResultRow } from "pg";
import { errorFacts } from "../error-facts.ts";
import { processErrors } from "../error-table.ts";
import { isRollupError, type RollupError } from "../rollup-error.ts";
import type { StoreRollup } from "../store/store-identity.ts";
import { databaseError, explained, isLostRace, isSilence, isUnreachable } from "./database-errors.ts";
import { type DatabasePart, migrate } from "./migrate.ts";
import type { DatabaseLogger, Queries, SqlValue, TransactionOptions, Transactions } from "./queries.ts";
import type { Statement } from "./statement.ts";

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
  /** Time after which a statement asks whether the server answers at all; half of the time for a connection. Default: 5 s. */
  readonly silenceMs?: number;
  /** False for a role that may not make tables: the schema must be there, in this version. Default: true. */
  readonly migrates?: boolean;
  /** Called when all connections have ended. */
  readonly onClosed?: () => Promise<void>;
}

/** The server ends a statement first; so much later the driver does. */
const DRIVER_SLACK_MS = 5_000;
const SILENCE_MS = 5_000;
/** Time for which one look whether the server answers is everybody's. */
const LOOK_MS = 1_000;
/**
 * Time without a statement after which the server ends a transaction: a process that hangs, or cannot be reached, would hold its
 * locks against all others.
 */
const IDLE_TRANSACTION_MS = 10_000;
/** Keepalive settings by which the server finds out within a minute that a machine is gone which has not said so. */
const SERVER_KEEPALIVE = {
  tcp_keepalives_idle: 20,
  tcp_keepalives_interval: 10,
  tcp_keepalives_count: 3,
  tcp_user_timeout: 50_000,
};
const KEEPALIVE_MS = 20_000;
/** Limit of a statement that has none: 0 would be the pool's. */
const UNLIMITED_MS = 2 ** 31 - 1;
/** Multiranges came with 14; 15 is the first one in which nobody else may make tables. */
const MIN_VERSION = 15;
/** A transaction that lost a race is tried again so often. */
const MAX_ATTEMPTS = 8;
const RELISTEN_MS = 1_000;

const socketOf = (client: Client | PoolClient) =>
  (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream;

/** Cuts a connection on which nobody may answer: what runs on it ends with an error at once. */
const cut = (client: Client | PoolClient) => socketOf(client).destroy();

/** Waits for the end of a connection that has been told to end, and cuts it where nobody answers. */
async function ended(client: PoolClient, timeoutMs: number): Promise<void> {
  const cutting = setTimeout(() => cut(client), timeoutMs);
  await new Promise<void>((resolve) => client.once("end", resolve));
  clearTimeout(cutting);
}

/** Lets all statements that are given to a connection at this moment go to the server in one write. */
function gather(client: PoolClient): void {
  const socket = socketOf(client);
  socket.cork();
  process.nextTick(() => socket.uncork());
}

/** Number of a connection's process at the server. */
const processIdOf = (client: Client | PoolClient) =>
  (client as unknown as { readonly processID: number }).processID;

/** Result of a look at the server, on a connection of its own. */
interface Look {
  readonly answer: "answers" | "refuses" | "silent";
  /** Connections of this role on which the server works; null where it is not known, behind a pooler that has numbers of its own. */
  readonly active: ReadonlySet<number> | null;
}

async function lookAt(config: ClientConfig, timeoutMs: number): Promise<Look> {
  const client = new Client({ ...config, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs });
  client.on("error", () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ own: number; active: number[] }>(
      `select pg_backend_pid() as own,
         array(select pid from pg_stat_activity where usename = current_user and state = 'active') as active`,
    );
    const isDirect = rows[0]!.own === processIdOf(client);
    return { answer: "answers", active: isDirect ? new Set(rows[0]!.active) : null };
  } catch (error) {
    return { answer: isSilence(error) ? "silent" : "refuses", active: null };
  } finally {
    client.end().catch(() => {});
    // A server that does not answer does not end it either.
    setTimeout(() => cut(client), timeoutMs).unref();
  }
}

export class Database implements Transactions {
  readonly #pool: Pool;
  /** Open ones of the pool. */
  readonly #connections: ReadonlySet<PoolClient>;
  readonly #config: ClientConfig;
  readonly #silenceMs: number;
  #looked: { readonly beganAtMs: number; endedAtMs: number; readonly look: Promise<Look> } | null = null;
  readonly #logger: DatabaseLogger;
  readonly #onClosed: () => Promise<void>;
  readonly #listeners = new Set<Listener>();

  private constructor(
    pool: Pool,
    connections: ReadonlySet<PoolClient>,
    config: ClientConfig,
    { logger, onClosed = async () => {}, silenceMs = SILENCE_MS }: DatabaseOptions,
  ) {
    this.#pool = pool;
    this.#connections = connections;
    this.#config = config;
    this.#logger = logger;
    this.#onClosed = onClosed;
    this.#silenceMs = silenceMs;
  }

  /**
   * Connects, compares the database with what the process expects, and brings the part's schema to this version.
   * @throws SRV_DATABASE_UNREACHABLE, SRV_DATABASE_ENCODING, SRV_DATABASE_UNSUITABLE, SRV_WRONG_DATABASE, SRV_DATABASE_SCHEMA
   */
  static async open(options: DatabaseOptions): Promise<Database> {
    const {
      logger,
      maxConnections = 10,
      migrates = true,
      part,
      rollup,
      silenceMs = SILENCE_MS,
      statementTimeoutMs = 30_000,
      url,
    } = options;
    const config: ClientConfig = {
      connectionString: url,
      connectionTimeoutMillis: 2 * silenceMs,
      statement_timeout: statementTimeoutMs,
      query_timeout: statementTimeoutMs + DRIVER_SLACK_MS,
      idle_in_transaction_session_timeout: IDLE_TRANSACTION_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEPALIVE_MS,
      application_name: `openledger-${part.name}`,
      options: Object.entries({
        search_path: part.name,
        timezone: "UTC",
        lock_timeout: statementTimeoutMs,
        ...SERVER_KEEPALIVE,
      })
        .map(([name, value]) => `-c ${name}=${value}`)
        .join(" "),
    };
    // Queries of a transaction that do not wait for each other go to the server together.
    const pool = new Pool({ ...config, max: maxConnections, pipeline: true });
    const connections = new Set<PoolClient>();
    pool.on("connect", (client) => {
      connections.add(client);
      client.once("end", () => connections.delete(client));
    });
    // An idle connection that ends is replaced by the next query.
    pool.on("error", (error) =>
      logger.warn({ err: errorFacts(error) }, "a connection to the database ended"),
    );
    const database = new Database(pool, connections, config, options);
    try {
      await database.#requireFit(part);
      await migrate(database, part, { rollup, mayMigrate: migrates, logger });
      return database;
    } catch (error) {
      await database.#endPool();
      throw explained(error);
    }
  }

  /** Bound, so that it may be handed on by itself as a transaction's may. */
  readonly query = async <Row extends QueryResultRow = QueryResultRow>(
    sql: string | Statement,
    values: readonly SqlValue[] = [],
  ): Promise<Row[]> => this.#onConnection(async ({ query }) => query<Row>(sql, values));

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

  async #transactionOnce<T>(work: (queries: Queries) => Promise<T>, options: TransactionOptions): Promise<T> {
    return this.#onConnection(async (connection) => {
      let failed: RollupError | undefined;
      const query = async <Row extends QueryResultRow>(
        sql: string | Statement,
        values?: readonly SqlValue[],
      ) => {
        try {
          return await connection.query<Row>(sql, values);
        } catch (error) {
          failed ??= error as RollupError;
          throw error;
        }
      };
      try {
        await query("begin");
        if (options.isUnlimited === true)
          await query("set local statement_timeout = 0; set local lock_timeout = 0");
        const result = await work({ query });
        // PostgreSQL answers a commit after a failed statement with a rollback, and no error.
        if (failed !== undefined) throw failed;
        await query("commit");
        return result;
      } catch (error) {
        if (!connection.isBroken()) await connection.query("rollback").catch(() => {});
        throw error;
      }
    }, options);
  }

  /** Runs `work` on one connection, which nobody else gets again where the server did not answer on it. */
  async #onConnection<T>(
    work: (connection: Queries & { isBroken(): boolean }) => Promise<T>,
    { isUnlimited = false }: TransactionOptions = {},
  ): Promise<T> {
    const client = await this.#connect();
    const onError = (error: Error) =>
      this.#logger.warn({ err: errorFacts(error) }, "a connection to the database ended");
    client.on("error", onError);
    let isBroken = false;
    const query: Queries["query"] = async (sql, values = []) => {
      const watch = this.#watch(client);
      try {
        const limits = isUnlimited ? { query_timeout: UNLIMITED_MS } : {};
        const statement = typeof sql === "string" ? { text: sql } : sql;
        gather(client);
        return (await client.query({ ...statement, values: values as unknown[], ...limits })).rows;
      } catch (error) {
        const raised = databaseError(error);
        isBroken ||= isUnreachable(raised);
        throw raised;
      } finally {
        watch.end();
      }
    };
    try {
      return await work({ query, isBroken: () => isBroken });
    } finally {
      client.off("error", onError);
      client.release(isBroken);
    }
  }

  /** Ends a statement that takes long where the server answers nobody, or has nothing to do for it: its answer was lost. */
  #watch(client: PoolClient): { end(): void } {
    const beganAtMs = performance.now();
    let isOver = false;
    const look = async () => {
      const looked = this.#look();
      const { active, answer } = await looked.look;
      const hasBegunBefore = looked.beganAtMs - beganAtMs > this.#silenceMs / 2;
      const isLost = hasBegunBefore && active?.has(processIdOf(client)) === false;
      if (!isOver && (answer === "silent" || isLost)) cut(client);
    };
    const timer = setInterval(() => void look(), this.#silenceMs);
    return {
      end() {
        isOver = true;
        clearInterval(timer);
      },
    };
  }

  /** A look at the server, which is everybody's for a moment. */
  #look() {
    const nowMs = performance.now();
    if (this.#looked !== null && nowMs - this.#looked.endedAtMs < LOOK_MS) return this.#looked;
    const look = lookAt(this.#config, this.#silenceMs);
    const looked = { beganAtMs: nowMs, endedAtMs: Number.POSITIVE_INFINITY, look };
    void look.then(() => {
      looked.endedAtMs = performance.now();
    });
    this.#looked = looked;
    return looked;
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
    const listener = new Listener(this.#config, channel, {
      onNotice,
      notify: async (payload) => {
        await this.query("select pg_notify($1, $2)", [channel, payload]);
      },
      logger: this.#logger,
      silenceMs: this.#silenceMs,
    });
    this.#listeners.add(listener);
    await listener.connect();
    return async () => {
      this.#listeners.delete(listener);
      await listener.close();
    };
  }

  /** True where the server answers, and takes connections. At most one look a second, however many ask. */
  async isReachable(): Promise<boolean> {
    return (await this.#look().look).answer === "answers";
  }

  /** Waits for what runs, then ends all connections. */
  async close(): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener.close()));
    this.#listeners.clear();
    await this.#endPool();
    await this.#onClosed();
  }

  /** `Pool.end` says goodbye on all connections, and waits for none of them: whoever stops the server next would end them with an error. */
  async #endPool(): Promise<void> {
    await this.#pool.end();
    await Promise.all([...this.#connections].map((client) => ended(client, this.#silenceMs)));
  }

  /** Compares the server, and the way to it, with what every part needs. */
  async #requireFit(part: DatabasePart): Promise<void> {
    const [found] = await this.query<{
      encoding: string;
      isReadOnly: boolean;
      searchPath: string;
      version: number;
    }>(
      `select current_setting('server_encoding') as encoding, current_setting('transaction_read_only') = 'on' as "isReadOnly",
              current_setting('search_path') as "searchPath", current_setting('server_version_num')::int / 10000 as version`,
    );
    const { encoding, isReadOnly, searchPath, version } = found!;
    if (encoding !== "UTF8")
      throw processErrors.raise(
        "SRV_DATABASE_ENCODING",
        `the database has the encoding ${encoding}: make it again with UTF8 (createdb --encoding=UTF8 --template=template0)`,
        { data: { found: encoding, expected: "UTF8" } },
      );
    if (version < MIN_VERSION)
      throw processErrors.raise(
        "SRV_DATABASE_UNSUITABLE",
        `the server is PostgreSQL ${version}: it has to be ${MIN_VERSION} or later`,
        { data: { reason: "version", found: version, expected: MIN_VERSION } },
      );
    // The tables of all parts would lie among each other, or were not found.
    if (searchPath !== part.name)
      throw processErrors.raise(
        "SRV_DATABASE_UNSUITABLE",
        `the connection has search_path ${searchPath} and not ${part.name}: what is between this process and the server drops its options; name the server itself in OPENLEDGER_DATABASE_URL`,
        { data: { reason: "options-dropped", found: searchPath, expected: part.name } },
      );
    if (isReadOnly)
      throw processErrors.raise(
        "SRV_DATABASE_UNREACHABLE",
        "the database takes no writes: name its primary server in OPENLEDGER_DATABASE_URL, not a replica",
        { data: { reason: "read-only" } },
      );
  }
}

interface ListenerModules {
  /** Sends a notice of the channel by a connection of the pool. */
  readonly notify: (payload: string) => Promise<void>;
  readonly onNotice: (payload: string | null) => void;
  readonly logger: DatabaseLogger;
  /** Time that the server has for an answer. */
  readonly silenceMs: number;
}

/** Beginning of the notices by which a listener finds out whether it hears what the pool sends. */
const BEAT_PREFIX = "openledger-beat:";

/** One connection for the notices of a channel; it connects again by itself. */
class Listener {
  readonly #config: ClientConfig;
  readonly #channel: string;
  readonly #modules: ListenerModules;
  #client: Client | null = null;
  #again: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(config: ClientConfig, channel: string, modules: ListenerModules) {
    this.#config = config;
    this.#channel = channel;
    this.#modules = modules;
  }

  async connect(): Promise<void> {
    const { silenceMs } = this.#modules;
    const client = new Client({ ...this.#config, query_timeout: silenceMs });
    const onEnd = (error?: Error) => {
      if (this.#client !== client || this.#isClosed) return;
      this.#client = null;
      this.#modules.logger.warn(
        { err: errorFacts(error), channel: this.#channel },
        "notices of the database are interrupted",
      );
      this.#connectLater();
    };
    client.on("error", onEnd);
    client.on("end", () => onEnd());
    const beat = `${BEAT_PREFIX}${randomUUID()}`;
    let onBeat = () => {};
    client.on("notification", ({ payload = "" }) => {
      if (payload === beat) onBeat();
      else if (!payload.startsWith(BEAT_PREFIX)) this.#modules.onNotice(payload);
    });
    this.#client = client;
    try {
      await client.connect();
      await client.query(`listen ${client.escapeIdentifier(this.#channel)}`);
    } catch (error) {
      if (this.#client === client) this.#client = null;
      cut(client);
      throw databaseError(error);
    }
    // Nothing comes on it for hours: by this alone it shows that nobody is at its other end any more, or another server than the
    // pool's: after a switch of servers the former one may go on answering.
    const isHeard = async () => {
      const heard = new Promise<boolean>((settle) => {
        onBeat = () => settle(true);
        setTimeout(() => settle(false), silenceMs).unref();
      });
      const [, isSent] = await Promise.all([
        client.query("select 1"),
        // A pool that reaches no server has its own signs.
        this.#modules.notify(beat).then(
          () => true,
          () => false,
        ),
      ]);
      return !isSent || heard;
    };
    const beating = setInterval(() => {
      isHeard().then(
        (is) => void (is || cut(client)),
        () => cut(client),
      );
    }, 2 * silenceMs).unref();
    client.once("end", () => clearInterval(beating));
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
    const client = this.#client;
    if (client === null) return;
    const cutting = setTimeout(() => cut(client), this.#modules.silenceMs);
    await client.end().catch(() => {});
    clearTimeout(cutting);
  }
}
