/**
 * Charges answers against a client's rate limit by what they return: one unit for each request (the rate limit itself counts
 * that), and one more for each `BYTES_PER_UNIT` of JSON or 256 KiB of octets, or what a route says that it costs to find it. So
 * a list costs its reader what it costs the server.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { processErrors } from "../error-table.ts";
import { NetworkRate } from "./network-rate.ts";
import { NetworkSlots } from "./network-slots.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /**
     * Maximum cost of the route's answer in units, charged before the handler runs; the difference to the
     * actual cost is returned. Without it the cost is charged afterwards. A long answer is charged when its turn comes.
     */
    readonly maxCost?: (request: FastifyRequest) => number;
  }
  interface FastifyRequest {
    /** Units charged before the handler. */
    takenUnits: number;
    /** Units that the handler has set, in place of those by bytes. */
    costUnits: number | null;
    /** Ends the turn, so that the next long answer begins; null for a short one. */
    endTurn: (() => void) | null;
  }
}

/**
 * Bytes of an answer that cost as much as a plain request: about 0.4 ms of the main thread, by the
 * sequencer's lists.
 */
export const BYTES_PER_UNIT = 16_384;
/** Rows that a database reads in the time of one unit. */
const SCANNED_PER_UNIT = 20_000;
/** Entries of a list that are read and sent in the time of one unit. */
const ENTRIES_PER_UNIT = 50;

/** Cost of reading many rows, whatever is found, in units. */
export const scannedCost = (rowCount: number): number => rowCount / SCANNED_PER_UNIT;
/** Cost of a list of entries, in units. */
export const entriesCost = (count: number): number => count / ENTRIES_PER_UNIT;

/** Octets are read from a disk and sent as they are. */
const OCTETS_PER_UNIT = 262_144;
/** Seconds of the limit that may be spent at once. */
const BURST_SECONDS = 3;
const MINUTE_SECONDS = 60;

/** Maximum long answers of one network that wait for their turns: an office's, and not so many that others wait for long. */
const MAX_WAITING = 100;
/** Maximum units of a short answer. Longer ones are made one at a time. */
const SHORT_UNITS = 4;

/**
 * Turns of long answers: they wait for each other, and after each one the thread is everybody's for as long
 * as it took.
 */
class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Waits for the caller's turn. @returns a function that ends the turn */
  async take(): Promise<() => void> {
    let end!: () => void;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const before = this.#last;
    let startedAtMs = 0;
    this.#last = before.then(() => ended).then(() => sleep(performance.now() - startedAtMs));
    await before;
    startedAtMs = performance.now();
    return end;
  }
}

interface CountedRequests {
  /** Units of one network a minute, beside its requests. */
  readonly unitsPerMinute: number;
  readonly keyOf: (request: FastifyRequest) => string;
  /** True for requests of the operator's own servers: they are charged nothing, and wait for no stranger's. */
  readonly isOwn: (request: FastifyRequest) => boolean;
}

export function countAnswers(app: FastifyInstance, { isOwn, keyOf, unitsPerMinute }: CountedRequests): void {
  const perSecond = unitsPerMinute / MINUTE_SECONDS;
  const burst = Math.max(1, perSecond * BURST_SECONDS);
  const rate = new NetworkRate(burst, perSecond);
  app.decorateRequest("takenUnits", 0);
  app.decorateRequest("costUnits", null);
  app.decorateRequest("endTurn", null);
  const turns = new Turns();
  const waiting = new NetworkSlots(MAX_WAITING);
  const endTurn = (request: FastifyRequest) => {
    request.endTurn?.();
    request.endTurn = null;
  };
  app.addHook("onRequestAbort", async (request) => endTurn(request));
  app.addHook("preHandler", async (request, reply) => {
    const { maxCost, rateLimit } = request.routeOptions.config as {
      maxCost?: (of: FastifyRequest) => number;
      rateLimit?: unknown;
    };
    if (rateLimit === false || isOwn(request)) return;
    const units = Math.min(burst, maxCost?.(request) ?? 0);
    const key = keyOf(request);
    const refuse = () => {
      throw tooMuch(reply, rate.secondsUntil(key, units));
    };
    if (units > SHORT_UNITS) {
      // Charged in its turn: of several at a time none is refused for what those before it give back a moment later.
      if (rate.secondsUntil(key, units) > 0 || !waiting.take(key)) refuse();
      try {
        request.endTurn = await turns.take();
      } finally {
        waiting.free(key);
      }
    }
    // Its sender has left meanwhile, and nothing else ends its turn.
    if (request.raw.destroyed) endTurn(request);
    if (!rate.take(key, units)) {
      endTurn(request);
      refuse();
    }
    request.takenUnits = units;
  });
  app.addHook("onSend", async (request, _reply, payload) => {
    endTurn(request);
    if ((request.routeOptions.config as { rateLimit?: unknown } | undefined)?.rateLimit === false) return;
    if (isOwn(request)) return;
    const units = request.costUnits ?? unitsOf(payload);
    if (units !== request.takenUnits) rate.charge(keyOf(request), units - request.takenUnits);
  });
}

function unitsOf(payload: unknown): number {
  if (typeof payload === "string") return Math.floor(Buffer.byteLength(payload) / BYTES_PER_UNIT);
  return Buffer.isBuffer(payload) ? Math.floor(payload.length / OCTETS_PER_UNIT) : 0;
}

/**
 * Sets a request's cost in units, in place of the cost of its answer's bytes: a search costs the same
 * whatever it finds.
 */
export function setCost(request: FastifyRequest, units: number): void {
  request.costUnits = units;
}

function tooMuch(reply: FastifyReply, seconds: number) {
  const after = Math.max(1, Math.ceil(seconds));
  reply.header("retry-after", String(after));
  return processErrors.raise("SRV_RATE_LIMITED", `too many long answers; try again in ${after} s`, {
    data: { after: `${after} s` },
  });
}
