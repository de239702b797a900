/**
 * Replay protection of signed requests: the session that they must name, and the nonces that were taken in it. request-guard.ts
 * asks it.
 */
import { randomBytes } from "node:crypto";
import type { Database } from "@openledger/foundation/database/database";
import { statement } from "@openledger/foundation/database/statement";
import type { RequestProof } from "../records/signed-request.ts";

export interface RequestSessions {
  /** Session that requests have to name. */
  current(): Promise<string>;
  /** Takes a request; the check and the entry are one step. @param expiresAtMs after it the nonce may be forgotten */
  take(request: SignedRequest, nowMs: number): Promise<TakenRequest>;
}

type SignedRequest = Pick<RequestProof, "nonce" | "session" | "expiresAtMs">;

export type TakenRequest = "taken" | "replayed" | "other-session";

/** Time between two deletions of what has run out. */
const FORGET_EVERY_MS = 60_000;
/** Milliseconds for which an expired session is still known, since another server's clock may be behind. */
const FORGET_AFTER_MS = 600_000;
/** A session changes only when the server has crashed: then its requests are forgotten too, and `take` sees it. */
const KNOWN_MS = 1_000;

const TAKE_REQUEST = statement(
  `with current as (select 1 from sessions where session = $1),
        made as (insert into requests select $2, $3::bigint from current on conflict do nothing returning 1)
     select exists (select 1 from current) as is_current, exists (select 1 from made) as is_new`,
);

/** Sessions of all servers on one database: hosts, or those of a factory. */
export class DatabaseSessions implements RequestSessions {
  readonly #database: Database;
  #known: { readonly session: string; readonly atMs: number } | null = null;
  #forgottenAtMs = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  async current(): Promise<string> {
    const atMs = performance.now();
    if (this.#known !== null && atMs - this.#known.atMs < KNOWN_MS) return this.#known.session;
    const [found] = await this.#database.query<{ session: string }>(
      `with made as (insert into sessions values (1, $1) on conflict do nothing returning session)
         select session from made union all select session from sessions limit 1`,
      [randomBytes(16).toString("hex")],
    );
    // Another server was faster, and this statement does not see it yet.
    if (found === undefined) return this.current();
    this.#known = { session: found.session, atMs };
    return found.session;
  }

  async take({ expiresAtMs, nonce, session }: SignedRequest, nowMs: number): Promise<TakenRequest> {
    if (nowMs - this.#forgottenAtMs > FORGET_EVERY_MS) {
      this.#forgottenAtMs = nowMs;
      await this.#database.query("delete from requests where expires_at_ms < $1::bigint", [
        nowMs - FORGET_AFTER_MS,
      ]);
    }
    const [result] = await this.#database.query<{ is_current: boolean; is_new: boolean }>(TAKE_REQUEST, [
      session,
      nonce,
      expiresAtMs,
    ]);
    if (result!.is_new) return "taken";
    this.#known = null;
    return result!.is_current ? "replayed" : "other-session";
  }
}
