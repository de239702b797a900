/**
 * API keys of an answer server, which `openledger models keys` issues and revokes, and what is left of their allowances, in
 * PostgreSQL. All servers on one database count together, and a key is valid, or refused, at all of them from the first request
 * after the command.
 */
import { createHash, randomBytes } from "node:crypto";
import type { Database } from "@openledger/foundation/database/database";
import { isDuplicate } from "@openledger/foundation/database/database-errors";
import type { DatabasePart } from "@openledger/foundation/database/migrate";
import { bearerToken } from "@openledger/foundation/http/bearer-token";
import { z } from "zod";
import { servingError } from "../model-errors.ts";

const MAX_KEYS = 10_000;
const MAX_PER_MINUTE = 1e9;
const PREFIX = "sk-ol-";
const perMinute = z.number().int().min(1).max(MAX_PER_MINUTE);
const orderSchema = z.strictObject({
  name: z.string().regex(/^[\x21-\x7e]{1,100}$/),
  requestsPerMinute: perMinute,
  tokensPerMinute: perMinute,
});
export type KeyOrder = z.output<typeof orderSchema>;

export interface IssuedKey extends KeyOrder {
  /** Hash of the whole key, in hexadecimal digits. */
  readonly sha256: string;
  readonly createdAtMs: number;
}

const sha256 = (key: string) => createHash("sha256").update(key).digest();

/**
 * `access` has one row, which says whether anybody is served without a key: until the first one is issued. A key opens the
 * server, whatever rollup it is on: this part belongs to none.
 */
export const KEYS_PART: DatabasePart = {
  name: "serving",
  migrations: [
    `create table access (is_open boolean not null);
     insert into access values (true);
     create table keys (
       name text primary key,
       sha256 bytea not null unique check (octet_length(sha256) = 32),
       requests_per_minute integer not null,
       tokens_per_minute integer not null,
       created_at timestamptz not null,
       requests_left double precision not null,
       tokens_left double precision not null,
       counted_at timestamptz not null
     )`,
  ],
};

interface KeyRow {
  readonly name: string;
  readonly sha256: Buffer;
  readonly requests_per_minute: number;
  readonly tokens_per_minute: number;
  readonly created_at: Date;
}

/** null if none were ever issued: then anybody is served. */
export async function readKeys(database: Database): Promise<IssuedKey[] | null> {
  const rows = await database.query<KeyRow>("select * from keys order by created_at, name");
  const [access] = await database.query<{ is_open: boolean }>("select is_open from access");
  if (rows.length === 0 && access?.is_open === true) return null;
  return rows.map((row) => ({
    name: row.name,
    sha256: row.sha256.toString("hex"),
    requestsPerMinute: row.requests_per_minute,
    tokensPerMinute: row.tokens_per_minute,
    createdAtMs: row.created_at.getTime(),
  }));
}

/** @returns the key, which is stored nowhere. @throws RollupError CMD_USAGE if the name exists or a limit is none */
export async function issueKey(database: Database, order: KeyOrder): Promise<string> {
  const parsed = orderSchema.safeParse(order);
  if (!parsed.success)
    throw servingError("CMD_USAGE", `no such key: ${parsed.error.issues[0]!.message}`, {
      data: { param: parsed.error.issues[0]!.path.at(-1) },
    });
  const { name, requestsPerMinute, tokensPerMinute } = parsed.data;
  const key = `${PREFIX}${randomBytes(32).toString("base64url")}`;
  try {
    await database.transaction(async ({ query }) => {
      // Its row is locked: one command at a time counts and adds.
      await query("update access set is_open = false");
      await query(
        "insert into keys values ($1, $2, $3::integer, $4::integer, now(), $3::integer, $4::integer, now())",
        [name, sha256(key), requestsPerMinute, tokensPerMinute],
      );
      const [row] = await query<{ count: number }>("select count(*)::integer as count from keys");
      if (row!.count > MAX_KEYS)
        throw servingError("CMD_USAGE", `there are ${MAX_KEYS} keys already: revoke some`, {
          data: { max: MAX_KEYS },
        });
    });
  } catch (error) {
    if (!isDuplicate(error)) throw error;
    throw servingError("CMD_USAGE", `there is a key ${name} already`, { data: { name } });
  }
  return key;
}

/** @returns whether there was one. Where the last one goes, nobody is served any more. */
export async function revokeKey(database: Database, name: string): Promise<boolean> {
  const gone = await database.query("delete from keys where name = $1 returning 1", [name]);
  return gone.length > 0;
}

/** Revokes all keys, and serves everybody from now on. */
export async function serveEverybody(database: Database): Promise<void> {
  await database.transaction(async ({ query }) => {
    await query("delete from access");
    await query("insert into access values (true)");
    await query("delete from keys");
  });
}

/** Allowance of so much a minute, all of it at once or as it comes back; what is left of it now. */
interface Allowance {
  readonly max: number;
  readonly left: number;
}

type Counted = "requests" | "tokens";

interface CountedRow {
  readonly is_taken: boolean;
  readonly requests_per_minute: number;
  readonly requests_left: number;
  readonly tokens_per_minute: number;
  readonly tokens_left: number;
}

/**
 * Takes so many requests and so many tokens if both are there, and counts what came back since. `$4` is the time of tests, in
 * milliseconds. A time that lies more than a minute ahead is of a clock that was wrong then: what comes back counts from now.
 */
const TAKE = `
  with before as (
    select keys.*, coalesce(to_timestamp($4::double precision / 1000), clock_timestamp()) as at from keys where sha256 = $1 for update
  ),
  now_left as (
    select sha256, at,
        least(requests_per_minute, requests_left + minutes * requests_per_minute) as requests_left,
        least(tokens_per_minute, tokens_left + minutes * tokens_per_minute) as tokens_left
      from (select *, greatest(0, extract(epoch from at - counted_at)::double precision) / 60 as minutes from before) as timed
  ),
  decided as (select *, requests_left >= $2 and tokens_left >= $3 as is_taken from now_left)
  update keys set
      requests_left = decided.requests_left - case when is_taken then $2 else 0 end,
      tokens_left = decided.tokens_left - case when is_taken then $3 else 0 end,
      counted_at = case when keys.counted_at > decided.at + interval '1 minute' then decided.at
        else greatest(keys.counted_at, decided.at) end
    from decided where keys.sha256 = decided.sha256
    returning is_taken, keys.requests_per_minute, keys.requests_left, keys.tokens_per_minute, keys.tokens_left`;

/** One key, and what was left of its allowances of this minute when they were counted last. */
export class ApiKey {
  readonly name: string;
  readonly #sha256: Buffer;
  readonly #database: Database;
  readonly #nowMs: (() => number) | undefined;
  #counted: Readonly<Record<Counted, Allowance>>;

  constructor(
    { name, requests_per_minute, sha256, tokens_per_minute }: KeyRow,
    database: Database,
    nowMs: (() => number) | undefined,
  ) {
    this.name = name;
    this.#sha256 = sha256;
    this.#database = database;
    this.#nowMs = nowMs;
    this.#counted = {
      requests: { max: requests_per_minute, left: requests_per_minute },
      tokens: { max: tokens_per_minute, left: tokens_per_minute },
    };
  }

  /** @throws RollupError SRV_QUOTA_USED; SRV_UNAUTHORIZED if the key was revoked; SRV_DATABASE_UNREACHABLE */
  async takeRequest(): Promise<void> {
    await this.#take("requests", 1);
  }

  /**
   * @param count of prompts and of all that their answers may have
   * @throws RollupError SRV_QUOTA_USED, SRV_TOO_LARGE; SRV_UNAUTHORIZED if the key was revoked; SRV_DATABASE_UNREACHABLE
   */
  async takeTokens(count: number): Promise<void> {
    const { max } = this.#counted.tokens;
    if (count > max)
      throw servingError("SRV_TOO_LARGE", `the request is for ${count} tokens: the key has ${max} a minute`, {
        data: { param: "max_tokens", count, max },
      });
    await this.#take("tokens", count);
  }

  /** Headers of the limits as OpenAI's API has them. */
  get headers(): Readonly<Record<string, string>> {
    const of = (name: Counted) => {
      const { left, max } = this.#counted[name];
      return {
        [`x-ratelimit-limit-${name}`]: String(max),
        [`x-ratelimit-remaining-${name}`]: String(Math.floor(left)),
        [`x-ratelimit-reset-${name}`]: duration(secondsTo(max, { left, max })),
      };
    };
    return { ...of("requests"), ...of("tokens") };
  }

  async #take(what: Counted, count: number): Promise<void> {
    const [row] = await this.#database.query<CountedRow>(TAKE, [
      this.#sha256,
      what === "requests" ? count : 0,
      what === "tokens" ? count : 0,
      this.#nowMs?.() ?? null,
    ]);
    if (row === undefined) throw incorrectKey();
    this.#counted = {
      requests: { max: row.requests_per_minute, left: row.requests_left },
      tokens: { max: row.tokens_per_minute, left: row.tokens_left },
    };
    if (row.is_taken) return;
    const allowance = this.#counted[what];
    const retryAfterSeconds = secondsTo(count, allowance);
    throw servingError(
      "SRV_QUOTA_USED",
      `Rate limit reached for key ${this.name} on ${what} per minute: limit ${allowance.max}; try again in ${retryAfterSeconds} s`,
      { data: { reason: what, max: allowance.max, retryAfterSeconds } },
    );
  }
}

/** Seconds until so much is left. */
const secondsTo = (level: number, { left, max }: Allowance) => Math.ceil(((level - left) * 60) / max);

const duration = (seconds: number) =>
  seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;

const incorrectKey = () =>
  servingError("SRV_UNAUTHORIZED", "Incorrect API key provided: the operator of this server issues them");

/** Keys of those who may ask. With the first key that is issued, a request needs one. */
export class ApiKeys {
  readonly #database: Database;
  readonly #nowMs: (() => number) | undefined;

  /** @param nowMs time of tests; default: the database's, which is one for all servers */
  constructor(database: Database, nowMs?: () => number) {
    this.#database = database;
    this.#nowMs = nowMs;
  }

  /**
   * @param header `authorization` of the request
   * @returns null if no key is needed
   * @throws RollupError SRV_UNAUTHORIZED, SRV_DATABASE_UNREACHABLE
   */
  async admit(header: string | undefined): Promise<ApiKey | null> {
    const bearer = bearerToken(header);
    // Attack: a row that is lost would open the server, so that only one that says so does.
    const [found] = await this.#database.query<{ is_open: boolean } & Partial<KeyRow>>(
      `select coalesce((select bool_and(is_open) from access), false) as is_open, keys.*
         from (select 1) as one left join keys on keys.sha256 = $1`,
      [bearer === null ? null : sha256(bearer)],
    );
    if (found!.is_open) return null;
    if (bearer === null)
      throw servingError(
        "SRV_UNAUTHORIZED",
        "You didn't provide an API key: send it in an Authorization header, Bearer YOUR_KEY",
      );
    if (found!.name == null) throw incorrectKey();
    return new ApiKey(found as KeyRow, this.#database, this.#nowMs);
  }
}
