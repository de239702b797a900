/** How somebody takes part: waits for their turn, fetches the round, contributes, hands it in. In Node and in pages. */

import { isRollupError, RollupError } from "@openledger/foundation/rollup-error";
import { z } from "zod";
import { type ProverErrorCode, proverError, proverErrors } from "../prover-errors.ts";
import {
  type CeremonyEntry,
  type CeremonyInfo,
  entrySchema,
  fromHex,
  infoSchema,
  receivedSchema,
  type TicketState,
  ticketSchema,
  ticketText,
  transcriptSchema,
} from "./ceremony-api.ts";
import type { ContributedRound, ContributionWork } from "./contribute.ts";

const REQUEST_TIMEOUT_MS = 30_000;
/** A server that checks a large contribution needs longer. */
const CHECK_TIMEOUT_MS = 600_000;
/** Answers that did not come are asked for again so often, after so long each. */
const MAX_TRIES = 20;
const RETRY_MS = 1_000;

const errorSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), data: z.looseObject({}) }),
});

export type Stage =
  | { readonly name: "waiting"; readonly place: number }
  | { readonly name: "download" | "compute" | "upload"; readonly done: number; readonly total: number }
  | { readonly name: "check" };

interface Participation {
  readonly name: string;
  readonly entropy: Uint8Array;
  /** Does the arithmetic; a page has a worker do it. */
  readonly compute: (
    work: ContributionWork,
    onProgress: (done: number, total: number) => void,
  ) => Promise<ContributedRound>;
  readonly onStage: (stage: Stage) => void;
  /** A ticket of before, of a page that was reloaded. */
  readonly ticket?: string;
  readonly onTicket?: (ticket: string) => void;
  readonly signal?: AbortSignal;
  /** How often to ask; the coordinator takes silence for leaving. */
  readonly pollMs?: number;
}

interface RequestParts {
  readonly ticket?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** The first byte that is wanted. */
  readonly from?: number;
  readonly timeoutMs?: number;
}

export class CeremonyClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url.replace(/\/+$/, "");
  }

  info(): Promise<CeremonyInfo> {
    return this.#json("GET", "/v1/ceremony", infoSchema);
  }

  async transcript(): Promise<readonly CeremonyEntry[]> {
    return (await this.#json("GET", "/v1/transcript", transcriptSchema)).entries;
  }

  async join(name: string): Promise<string> {
    const answer = z.object({ ticket: ticketText });
    return (await this.#json("POST", "/v1/tickets", answer, { body: JSON.stringify({ name }) })).ticket;
  }

  /** @param done of the work on the contribution, in units of one's own; 0 says nothing */
  stateOf(ticket: string, done = 0): Promise<TicketState> {
    return this.#json("GET", done > 0 ? `/v1/ticket?done=${done}` : "/v1/ticket", ticketSchema, { ticket });
  }

  leave(ticket: string): Promise<object> {
    return this.#json("DELETE", "/v1/ticket", z.object({}), { ticket });
  }

  /** Of the contribution, one piece. @returns bytes that the coordinator has */
  async sendPiece(ticket: string, offset: number, bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    const request = { ticket, body: bytes };
    return (await this.#json("PUT", `/v1/round?offset=${offset}`, receivedSchema, request)).receivedBytes;
  }

  submit(ticket: string): Promise<CeremonyEntry> {
    return this.#json("POST", "/v1/contribution", entrySchema, {
      ...{ ticket, body: "{}", timeoutMs: CHECK_TIMEOUT_MS },
    });
  }

  /**
   * From joining to the receipt.
   *
   * @throws RollupError PRV_CEREMONY_TICKET where the place was lost; PRV_CONTRIBUTION_INVALID, SRV_QUOTA_USED,
   * PRV_CEREMONY_OVER, PRV_CEREMONY_UNREACHABLE; the signal's reason
   */
  async takePart(participation: Participation): Promise<CeremonyEntry> {
    const { compute, entropy, name, onTicket, pollMs = 2_000, signal } = participation;
    const info = await this.#again(() => this.info(), signal);
    const ticket = participation.ticket ?? (await this.join(name));
    onTicket?.(ticket);
    for (;;) {
      signal?.throwIfAborted();
      const state = await this.#again(() => this.stateOf(ticket), signal);
      if (state.state === "accepted") return state.entry;
      if (state.state === "lost") throw lostPlace(state.reason);
      if (state.state === "turn") break;
      participation.onStage(
        state.state === "waiting" ? { name: "waiting", place: state.place } : { name: "check" },
      );
      await pause(pollMs, signal);
    }
    const heart = new Heart(info, pollMs, (done) => this.stateOf(ticket, done));
    const onStage = (stage: Stage) => {
      heart.note(stage);
      participation.onStage(stage);
    };
    try {
      const entries = await this.#again(() => this.transcript(), signal);
      const round = await this.#download(ticket, info, onStage, signal);
      const work: ContributionWork = {
        circuitHash: fromHex(info.circuitHash),
        shape: { pointCount: info.pointCount },
        records: entries.map(({ record }) => fromHex(record)),
        ...{ round, entropy },
      };
      const made = await compute(work, (done, total) => onStage({ name: "compute", done, total }));
      const upload = new Uint8Array(made.round);
      for (let tries = 1; ; tries++) {
        await this.#upload(ticket, info, upload, onStage, signal);
        onStage({ name: "check" });
        try {
          return await this.#again(() => this.submit(ticket), signal);
        } catch (error) {
          // A coordinator that was killed in the middle has lost what it had not yet accepted.
          if (!isRollupError(error, "PRV_CEREMONY_INCOMPLETE") || tries >= MAX_TRIES) throw error;
        }
      }
    } finally {
      heart.stop();
    }
  }

  async #download(
    ticket: string,
    { roundBytes }: CeremonyInfo,
    onStage: Participation["onStage"],
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const round = new Uint8Array(roundBytes);
    let done = 0;
    await this.#again(async () => {
      const response = await this.#send("GET", "/v1/round", { ticket, from: done });
      const reader = response.body!.getReader();
      for (;;) {
        const { value, done: isOver } = await reader.read().catch((cause: unknown) => {
          throw unreachable("the download broke off", cause);
        });
        if (isOver) break;
        if (done + value.length > roundBytes) throw unreachable("the round is larger than it was said to be");
        round.set(value, done);
        done += value.length;
        onStage({ name: "download", done, total: roundBytes });
      }
      if (done < roundBytes) throw unreachable("the download broke off");
    }, signal);
    return round;
  }

  async #upload(
    ticket: string,
    { pieceBytes }: CeremonyInfo,
    round: Uint8Array<ArrayBuffer>,
    onStage: Participation["onStage"],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    let done = 0;
    while (done < round.length) {
      const piece = round.slice(done, done + pieceBytes);
      done = await this.#again(async () => {
        try {
          return await this.sendPiece(ticket, done, piece);
        } catch (error) {
          // A piece whose answer was lost, or a coordinator that was killed: it says where to go on.
          if (isRollupError(error, "PRV_CEREMONY_INCOMPLETE"))
            return receivedSchema.parse(error.data).receivedBytes;
          throw error;
        }
      }, signal);
      onStage({ name: "upload", done, total: round.length });
    }
  }

  /** Answers that did not come are asked for again. */
  async #again<T>(ask: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    for (let tries = 1; ; tries++) {
      signal?.throwIfAborted();
      try {
        return await ask();
      } catch (error) {
        if (!isRollupError(error, "PRV_CEREMONY_UNREACHABLE") || tries >= MAX_TRIES) throw error;
        await pause(RETRY_MS, signal);
      }
    }
  }

  async #json<T>(method: string, path: string, schema: z.ZodType<T>, request: RequestParts = {}): Promise<T> {
    const response = await this.#send(method, path, request);
    try {
      return schema.parse(await response.json());
    } catch (cause) {
      throw unreachable(`${path} was not answered as documented`, cause);
    }
  }

  async #send(method: string, path: string, request: RequestParts): Promise<Response> {
    const { body, from = 0, ticket, timeoutMs = REQUEST_TIMEOUT_MS } = request;
    const headers: Record<string, string> = {};
    if (ticket !== undefined) headers.authorization = `Bearer ${ticket}`;
    if (from > 0) headers.range = `bytes=${from}-`;
    if (body !== undefined)
      headers["content-type"] = typeof body === "string" ? "application/json" : "application/octet-stream";
    let response: Response;
    try {
      // Whole rounds may take longer than an answer does.
      const signal = path === "/v1/round" ? null : AbortSignal.timeout(timeoutMs);
      response = await fetch(this.#url + path, { method, headers, body: body ?? null, signal });
    } catch (cause) {
      throw unreachable("the coordinator does not answer", cause);
    }
    if (response.ok) return response;
    const parsed = errorSchema.safeParse(await response.json().catch(() => null));
    if (!parsed.success) throw unreachable(`the coordinator answers with status ${response.status}`);
    const { code, data, message } = parsed.data.error;
    const isKnown = proverErrors.statusOf(code) !== undefined;
    throw isKnown
      ? proverError(code as ProverErrorCode, message, { data })
      : new RollupError(code, message, { data });
  }
}

/**
 * Silence would lose the turn, and so would words without work. It beats by its timer and with progress: a browser lets the
 * timers of a page in the background come once a minute, and its worker's messages at once.
 */
class Heart {
  readonly #info: CeremonyInfo;
  readonly #everyMs: number;
  readonly #beat: (done: number) => Promise<unknown>;
  readonly #timer: ReturnType<typeof setInterval>;
  #done = 0;
  #beatAtMs = 0;

  constructor(info: CeremonyInfo, everyMs: number, beat: (done: number) => Promise<unknown>) {
    this.#info = info;
    this.#everyMs = everyMs;
    this.#beat = beat;
    this.#timer = setInterval(() => this.#say(), everyMs);
  }

  note(stage: Stage): void {
    if (stage.name === "waiting" || stage.name === "check") return;
    const { pointCount, roundBytes } = this.#info;
    const before = { download: 0, compute: roundBytes, upload: roundBytes + pointCount }[stage.name];
    this.#done = Math.max(this.#done, before + stage.done);
    if (performance.now() - this.#beatAtMs >= this.#everyMs) this.#say();
  }

  #say(): void {
    this.#beatAtMs = performance.now();
    void this.#beat(this.#done).catch(() => {});
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function lostPlace(reason: string) {
  return proverError("PRV_CEREMONY_TICKET", `your place was lost: ${reason}`, { data: { reason } });
}

function unreachable(reason: string, cause?: unknown) {
  return proverError("PRV_CEREMONY_UNREACHABLE", reason, { cause });
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((settle, fail) => {
    const timer = setTimeout(settle, ms);
    signal?.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        fail(signal.reason as Error);
      },
      { once: true },
    );
  });
}
