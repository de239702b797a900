/** The public feed: topics and one sequence. A consumer that does not keep up is cut off. */
import { sequencerError } from "../sequencer-errors.ts";

export interface FeedPublisher {
  publish(topic: string, event: string, data: object): void;
}

/** The part of a WebSocket that the feed uses. */
export interface FeedSocket {
  /** Bytes that were sent and have not left this process. */
  readonly bufferedAmount: number;
  send(text: string): void;
  terminate(): void;
}

export interface FeedOptions {
  readonly maxClients: number;
  /** A client with more than this much unread is cut off. */
  readonly maxBufferedBytes: number;
}

const TOPIC_PATTERN = /^(operations|batches|leaf:(0|[1-9][0-9]{0,7}))$/;
/** Enough to watch a wallet's leaves. Guess. */
const MAX_TOPICS = 64;

/** @throws SEQ_BAD_REQUEST */
export function parseTopics(text: string | undefined): Set<string> {
  const topics = new Set((text ?? "operations,batches").split(","));
  const wrong = [...topics].find((topic) => !TOPIC_PATTERN.test(topic));
  if (wrong !== undefined || topics.size > MAX_TOPICS) {
    throw sequencerError(
      "SEQ_BAD_REQUEST",
      wrong === undefined ? `more than ${MAX_TOPICS} topics` : `there is no topic ${wrong.slice(0, 50)}`,
      {
        data: { field: "topics", maxTopics: MAX_TOPICS },
      },
    );
  }
  return topics;
}

export class Feed implements FeedPublisher {
  readonly #options: FeedOptions;
  readonly #onCountChange: (clientCount: number) => void;
  readonly #topics = new Map<string, Set<FeedSocket>>();
  readonly #clients = new Map<FeedSocket, Set<string>>();
  #sequence = 0;

  constructor(options: FeedOptions, onCountChange: (clientCount: number) => void = () => {}) {
    this.#options = options;
    this.#onCountChange = onCountChange;
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  /** @throws SEQ_FEED_FULL */
  requireRoom(): void {
    if (this.#clients.size >= this.#options.maxClients) {
      throw sequencerError("SEQ_FEED_FULL", `the feed has ${this.#options.maxClients} clients`, {
        data: { maxClients: this.#options.maxClients },
      });
    }
  }

  /** @throws SEQ_FEED_FULL */
  add(socket: FeedSocket, topics: Set<string>): void {
    this.requireRoom();
    this.#clients.set(socket, topics);
    for (const topic of topics) this.#topics.set(topic, (this.#topics.get(topic) ?? new Set()).add(socket));
    this.#onCountChange(this.#clients.size);
  }

  remove(socket: FeedSocket): void {
    for (const topic of this.#clients.get(socket) ?? []) {
      const sockets = this.#topics.get(topic);
      sockets?.delete(socket);
      if (sockets?.size === 0) this.#topics.delete(topic);
    }
    if (this.#clients.delete(socket)) this.#onCountChange(this.#clients.size);
  }

  publish(topic: string, event: string, data: object): void {
    this.#sequence += 1;
    const sockets = this.#topics.get(topic);
    if (sockets === undefined) return;
    const text = JSON.stringify({ topic, event, data, sequence: this.#sequence });
    for (const socket of [...sockets]) {
      if (socket.bufferedAmount > this.#options.maxBufferedBytes) {
        this.remove(socket);
        socket.terminate();
      } else {
        socket.send(text);
      }
    }
  }

  close(): void {
    for (const socket of [...this.#clients.keys()]) {
      this.remove(socket);
      socket.terminate();
    }
  }
}
