/** Keys that an operator issues: their hashes in a file of the server's data directory, which is read again when it changes. */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { whileLocked } from "@openledger/foundation/file-lock";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { claimStore } from "@openledger/foundation/store/store-identity";
import { readIfPresent, writeFileWhole } from "@openledger/foundation/whole-file";
import { z } from "zod";
import { servingError } from "../model-errors.ts";

const MAX_KEYS = 10_000;
const MAX_PER_MINUTE = 1e9;
const RELOAD_MS = 1_000;
const PREFIX = "sk-ol-";
const perMinute = z.number().int().min(1).max(MAX_PER_MINUTE);
const keySchema = z.strictObject({
  name: z.string().regex(/^[\x21-\x7e]{1,100}$/),
  /** Hash of the whole key, in hexadecimal digits. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  requestsPerMinute: perMinute,
  tokensPerMinute: perMinute,
  createdAtMs: z.number().int(),
});
const fileSchema = z.strictObject({ keys: z.array(keySchema).max(MAX_KEYS) });
export type IssuedKey = z.output<typeof keySchema>;

const sha256 = (key: string) => createHash("sha256").update(key).digest("hex");
/** A key opens the server, whatever rollup it is on: answers/ beside the keys has a record of its own, adapters/ is by hash. */
const STORE = { kind: "answer-server", rollup: null } as const;
const pathIn = (dataPath: string) => join(dataPath, "keys.json");

/**
 * Says that keys were issued, from before the first one on.
 * Attack: a file of keys that is lost opens the server to everybody at its next start.
 */
const issuedMark = (dataPath: string) => join(dataPath, "KEYS-ISSUED");
const MARK_TEXT =
  "Keys were issued for this server: it does not start without keys.json. Remove this file to serve everybody.\n";

function markIssued(dataPath: string): void {
  if (!existsSync(issuedMark(dataPath))) writeFileSync(issuedMark(dataPath), MARK_TEXT, { mode: 0o600 });
}

/** One command at a time: two that read the same file would lose one's change. */
const alone = <T>(dataPath: string, work: () => Promise<T>): Promise<T> =>
  whileLocked(`${pathIn(dataPath)}.lock`, () => {}, work);

/** null if none were ever issued: then anybody is served. @throws RollupError SRV_CONFIG_INVALID */
export function readKeys(dataPath: string): IssuedKey[] | null {
  const keys = readFile(dataPath);
  if (keys !== null || !existsSync(issuedMark(dataPath))) return keys;
  const path = pathIn(dataPath);
  throw servingError(
    "SRV_CONFIG_INVALID",
    `${path} is gone, and keys were issued: put it back, issue new ones, or remove KEYS-ISSUED to serve everybody`,
    { data: { path } },
  );
}

function readFile(dataPath: string): IssuedKey[] | null {
  const path = pathIn(dataPath);
  const text = readIfPresent(path);
  if (text === null) return null;
  try {
    return fileSchema.parse(JSON.parse(text)).keys;
  } catch (cause) {
    throw servingError("SRV_CONFIG_INVALID", `${path} is no file of keys`, { data: { path }, cause });
  }
}

/**
 * @returns the key, which is stored nowhere. @throws RollupError SRV_CONFIG_INVALID; CMD_USAGE if the name exists or a
 * limit is none
 */
export async function issueKey(
  dataPath: string,
  { nowMs = Date.now(), ...order }: Omit<IssuedKey, "sha256" | "createdAtMs"> & { readonly nowMs?: number },
): Promise<string> {
  claimStore(dataPath, STORE);
  const key = `${PREFIX}${randomBytes(32).toString("base64url")}`;
  const issued = { ...order, sha256: sha256(key), createdAtMs: nowMs };
  await alone(dataPath, async () => {
    const keys = readFile(dataPath) ?? [];
    if (keys.some(({ name }) => name === order.name))
      throw servingError("CMD_USAGE", `there is a key ${order.name} already`, {
        data: { name: order.name },
      });
    await writeKeys(dataPath, [...keys, issued]);
  });
  return key;
}

/** @returns whether there was one. Where the last one goes, nobody is served any more. @throws RollupError SRV_CONFIG_INVALID */
export async function revokeKey(dataPath: string, name: string): Promise<boolean> {
  claimStore(dataPath, STORE);
  return alone(dataPath, async () => {
    const keys = readKeys(dataPath) ?? [];
    const left = keys.filter((key) => key.name !== name);
    if (left.length < keys.length) await writeKeys(dataPath, left);
    return left.length < keys.length;
  });
}

async function writeKeys(dataPath: string, keys: readonly IssuedKey[]): Promise<void> {
  const parsed = fileSchema.safeParse({ keys });
  if (!parsed.success)
    throw servingError("CMD_USAGE", `no such key: ${parsed.error.issues[0]!.message}`, {
      data: { param: parsed.error.issues[0]!.path.at(-1) },
    });
  markIssued(dataPath);
  await writeFileWhole(pathIn(dataPath), `${JSON.stringify({ keys }, null, 2)}\n`, { mode: 0o600 });
}

/** Allowance of so much a minute, all of it at once or as it comes back. */
class Allowance {
  readonly max: number;
  readonly #nowMs: () => number;
  #left: number;
  #atMs: number;

  constructor(max: number, nowMs: () => number) {
    this.max = max;
    this.#left = max;
    this.#nowMs = nowMs;
    this.#atMs = nowMs();
  }

  get left(): number {
    const nowMs = this.#nowMs();
    this.#left = Math.min(this.max, this.#left + ((nowMs - this.#atMs) * this.max) / 60_000);
    this.#atMs = nowMs;
    return this.#left;
  }

  /** @returns seconds until the amount is there; 0 if it is taken now */
  take(cost: number): number {
    const { left } = this;
    if (left >= cost) this.#left = left - cost;
    return left >= cost ? 0 : this.secondsTo(cost);
  }

  secondsTo(level: number): number {
    return Math.ceil(((level - this.left) * 60) / this.max);
  }
}

/** One key of the server's, and its remaining allowance of this minute. */
export class ApiKey {
  readonly name: string;
  readonly #requests: Allowance;
  readonly #tokens: Allowance;

  constructor({ name, requestsPerMinute, tokensPerMinute }: IssuedKey, nowMs: () => number) {
    this.name = name;
    this.#requests = new Allowance(requestsPerMinute, nowMs);
    this.#tokens = new Allowance(tokensPerMinute, nowMs);
  }

  /** @throws RollupError SRV_QUOTA_USED */
  takeRequest(): void {
    this.#take("requests", this.#requests, 1);
  }

  /** @param count of prompts and of all that their answers may have. @throws RollupError SRV_QUOTA_USED, SRV_TOO_LARGE */
  takeTokens(count: number): void {
    const { max } = this.#tokens;
    if (count > max)
      throw servingError("SRV_TOO_LARGE", `the request is for ${count} tokens: the key has ${max} a minute`, {
        data: { param: "max_tokens", count, max },
      });
    this.#take("tokens", this.#tokens, count);
  }

  /** Headers of the limits as OpenAI's API has them. */
  get headers(): Readonly<Record<string, string>> {
    const of = (name: string, allowance: Allowance) => ({
      [`x-ratelimit-limit-${name}`]: String(allowance.max),
      [`x-ratelimit-remaining-${name}`]: String(Math.floor(allowance.left)),
      [`x-ratelimit-reset-${name}`]: duration(allowance.secondsTo(allowance.max)),
    });
    return { ...of("requests", this.#requests), ...of("tokens", this.#tokens) };
  }

  #take(what: "requests" | "tokens", allowance: Allowance, count: number): void {
    const retryAfterSeconds = allowance.take(count);
    if (retryAfterSeconds === 0) return;
    throw servingError(
      "SRV_QUOTA_USED",
      `Rate limit reached for key ${this.name} on ${what} per minute: limit ${allowance.max}; try again in ${retryAfterSeconds} s`,
      { data: { reason: what, max: allowance.max, retryAfterSeconds } },
    );
  }
}

const duration = (seconds: number) =>
  seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;

/** Keys of those who may ask. With the first key that is issued, a request needs one. */
export class ApiKeys {
  readonly #dataPath: string;
  readonly #log: { error(facts: object, message: string): void };
  readonly #nowMs: () => number;
  #keys: ReadonlyMap<string, { readonly issued: IssuedKey; readonly key: ApiKey }> | null = null;
  #readAtMs: number;
  #mark = "";

  /** @throws RollupError SRV_CONFIG_INVALID, SRV_WRONG_DIRECTORY, SRV_STORE_FORMAT */
  constructor(
    dataPath: string,
    log: { error(facts: object, message: string): void },
    nowMs: () => number = () => performance.now(),
  ) {
    claimStore(dataPath, STORE);
    this.#dataPath = dataPath;
    this.#log = log;
    this.#nowMs = nowMs;
    this.#readAtMs = nowMs();
    this.#read();
  }

  /** @param header `authorization` of the request. @returns null if no key is needed. @throws RollupError SRV_UNAUTHORIZED */
  admit(header: string | undefined): ApiKey | null {
    this.#refresh();
    if (this.#keys === null) return null;
    const bearer = /^Bearer +(\S{1,512})$/i.exec(header ?? "")?.[1];
    if (bearer === undefined)
      throw servingError(
        "SRV_UNAUTHORIZED",
        "You didn't provide an API key: send it in an Authorization header, Bearer YOUR_KEY",
      );
    const known = this.#keys.get(sha256(bearer));
    if (known !== undefined) return known.key;
    throw servingError(
      "SRV_UNAUTHORIZED",
      "Incorrect API key provided: the operator of this server issues them",
    );
  }

  /** Reads the file again. If it cannot be read any more, the keys that were read last hold. */
  #refresh(): void {
    if (this.#nowMs() - this.#readAtMs < RELOAD_MS) return;
    this.#readAtMs = this.#nowMs();
    try {
      this.#read();
    } catch (error) {
      if (!isRollupError(error)) throw error;
      this.#log.error({ err: error }, "the keys could not be read again");
    }
  }

  #read(): void {
    const { ino, mtimeMs, size } = statSync(pathIn(this.#dataPath), { throwIfNoEntry: false }) ?? {};
    const mark = `${ino} ${mtimeMs} ${size}`;
    if (mark === this.#mark) return;
    this.#mark = mark;
    if (ino === undefined && this.#keys !== null) {
      this.#log.error({}, "the file of keys is gone: those that were read last hold");
      return;
    }
    const issued = readKeys(this.#dataPath);
    if (issued === null) return;
    // A file of an earlier version, or one that was put there by hand.
    markIssued(this.#dataPath);
    const before = this.#keys;
    this.#keys = new Map(
      issued.map((one) => {
        const known = before?.get(one.sha256);
        const isSame = known !== undefined && JSON.stringify(known.issued) === JSON.stringify(one);
        return [one.sha256, isSame ? known : { issued: one, key: new ApiKey(one, this.#nowMs) }];
      }),
    );
  }
}
