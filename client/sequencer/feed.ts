/**
 * WebSocket feed of the sequencer (`/v1/feed`) with its message types, and `follow`: a wait that the feed wakes and polls guard.
 * `waitFor`, the watch actions and the pages' live state use it.
 */

import { preconfirmation } from "@openledger/circuits/wire/sequencer-answers";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { feedUrlOf } from "@openledger/foundation/wire/sequencer-request";
import * as z from "zod/mini";
import { clientError } from "../client-errors.ts";
import { requireSequencerUrl, type SequencerAccess } from "./sequencer-request.ts";
import { counter, hex } from "./sequencer-schemas.ts";

/** Signed operations and settlements; batches; or all that changes one leaf. */
export type FeedTopic = "operations" | "batches" | `leaf:${number}`;

const event = <Event extends z.core.$ZodType, Data extends z.core.$ZodType>(name: Event, data: Data) =>
  z.object({ topic: z.string(), event: name, data, sequence: z.nullish(z.number()) });
const feedMessageSchema = z.union([
  event(
    z.literal("acknowledged"),
    z.object({
      hash: hex,
      kind: z.string(),
      a: z.int(),
      b: z.int(),
      opIndex: counter,
      batchNumber: counter,
      /** Preconfirmation, not yet checked; absent at a full node. */
      preconfirmation: z.nullish(preconfirmation),
    }),
  ),
  /** Operation that will never be executed: `code` is the reason. */
  event(z.literal("dropped"), z.object({ hash: hex, code: z.string() })),
  event(
    z.literal("settled"),
    z.object({ modelId: z.int(), epoch: counter, hash: hex, batchNumber: counter }),
  ),
  /** L1's randomness for the epochs that a batch closed has come: they can be settled. */
  event(z.literal("randomness"), z.object({ batchNumber: counter })),
  /** A batch's new status. */
  event(
    z.enum(["closed", "proven", "submitted", "posted", "final"]),
    z.object({ batchNumber: counter, batchHash: z.nullish(hex), l1TransactionHash: z.nullable(hex) }),
  ),
]);
/** Message of the feed, by its `event`: `message.event === "acknowledged"` gives `message.data` its type. */
export type FeedMessage = z.output<typeof feedMessageSchema>;

export interface Feed {
  /** False until the connection is open, and after it is lost. */
  readonly isOpen: boolean;
  close(): void;
}

/** The part of the browser's WebSocket that is used; Node 20 has it from the package ws. */
interface Socket {
  addEventListener(type: "open" | "close" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  close(): void;
}

/**
 * Follows the sequencer's feed. It is only a hint: messages may be lost with the connection, so a listener also polls, as
 * `watchOperation` and `watchBatch` do. Events of an unknown form are skipped. Never throws; without a connection
 * `isOpen` stays false.
 */
export async function openFeed(
  client: SequencerAccess,
  topics: readonly FeedTopic[],
  onMessage: (message: FeedMessage) => void,
): Promise<Feed> {
  const url = feedUrlOf(requireSequencerUrl(client), topics);
  const WebSocketClass = await findWebSocket();
  const state = { isOpen: false };
  let socket: Socket;
  try {
    socket = new WebSocketClass(url);
  } catch {
    return { isOpen: false, close: () => {} };
  }
  socket.addEventListener("open", () => {
    state.isOpen = true;
  });
  for (const ending of ["close", "error"] as const) {
    socket.addEventListener(ending, () => {
      state.isOpen = false;
    });
  }
  socket.addEventListener("message", ({ data }) => {
    const message = parseMessage(data);
    if (message !== null) onMessage(message);
  });
  return {
    get isOpen() {
      return state.isOpen;
    },
    close: () => socket.close(),
  };
}

/**
 * Follows the feed like `openFeed`, and opens a lost connection again within seconds.
 * @returns what ends it
 * @internal
 */
export function keepFeed(...[client, topics, onMessage]: Parameters<typeof openFeed>): () => void {
  let feed: Feed | null = null;
  let isOver = false;
  const look = async () => {
    if (feed?.isOpen === true) return;
    feed?.close();
    feed = await openFeed(client, topics, onMessage);
    if (isOver) feed.close();
  };
  void look();
  const timer = setInterval(() => void look(), GUARD_POLL_MS);
  return () => {
    isOver = true;
    clearInterval(timer);
    feed?.close();
  };
}

async function findWebSocket(): Promise<new (url: string) => Socket> {
  const builtIn = (globalThis as { WebSocket?: new (url: string) => Socket }).WebSocket;
  return builtIn ?? ((await import("ws")).WebSocket as unknown as new (url: string) => Socket);
}

function parseMessage(data: unknown): FeedMessage | null {
  try {
    return z.parse(feedMessageSchema, JSON.parse(String(data)));
  } catch {
    return null;
  }
}

/**
 * Milliseconds between polls without the feed.
 * @internal
 */
export const POLL_MS = 1_000;
/**
 * Milliseconds between polls with the feed: they only guard against a lost message.
 * @internal
 */
export const GUARD_POLL_MS = 5_000;
/**
 * Minimum milliseconds between two reads: the first message of a burst causes one at once, all others of that time one more.
 * @internal
 */
export const BURST_MS = 50;

interface Following<Found> {
  readonly topics: readonly FeedTopic[];
  readonly signal?: AbortSignal | undefined;
  /** Reads the state; null goes on. */
  look(): Promise<Found | null>;
  /** Called after a read that goes on. @returns maximum milliseconds until the next one */
  beforeWait(isFed: boolean): number | Promise<number>;
}

/**
 * Reads now and after each message of the feed, until a read returns a result. A sequencer that has answered before may
 * be unreachable for a while.
 * @throws the errors of `look`; CLI_WAIT_ENDED where the signal ends it
 * @internal
 */
export async function follow<Found>(
  client: SequencerAccess,
  what: string,
  { beforeWait, look, signal, topics }: Following<Found>,
): Promise<Found> {
  const bell = new Bell();
  const onAbort = () => bell.ring();
  signal?.addEventListener("abort", onAbort);
  let feed: Feed | null = null;
  let hasAnswered = false;
  try {
    for (;;) {
      if (signal?.aborted)
        throw clientError("CLI_WAIT_ENDED", `${what} was aborted`, { data: { reason: "aborted" } });
      const readAtMs = performance.now();
      const found = await look().catch((error: unknown) => {
        if (!hasAnswered || !isRollupError(error) || !error.isRetryable || signal?.aborted) throw error;
        return null;
      });
      if (found !== null) return found;
      hasAnswered = true;
      if (feed !== null && !feed.isOpen) {
        feed.close();
        feed = null;
      }
      feed ??= await openFeed(client, topics, () => bell.ring());
      await bell.wait(await beforeWait(feed.isOpen), readAtMs + BURST_MS);
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    feed?.close();
  }
}

/** Rings once for any number of pulls; one that came before the wait counts. */
class Bell {
  #hasRung = false;
  #wake: (() => void) | null = null;

  ring(): void {
    this.#hasRung = true;
    this.#wake?.();
  }

  /** @param fromMs time of `performance.now()` before which a ring does not end the wait */
  async wait(timeoutMs: number, fromMs: number): Promise<void> {
    if (!this.#hasRung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#wake = null;
    const earlyMs = fromMs - performance.now();
    if (this.#hasRung && earlyMs > 0) await new Promise((resolve) => setTimeout(resolve, earlyMs));
    this.#hasRung = false;
  }
}
