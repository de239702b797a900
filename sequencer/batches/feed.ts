/**
 * Public WebSocket feed of the sequencer (`/v1/feed`): publishes numbered events by topic to all clients. A client that does
 * not keep up, or does not answer pings, is cut off.
 */
import { NetworkSlots } from "@openledger/foundation/http/network-slots";
import { sequencerError } from "../sequencer-errors.ts";

export interface FeedPublisher {
  publish(topic: string, event: string, data: object): void;
}

/** The part of a WebSocket that the feed uses. */
export interface FeedSocket {
  /** Bytes that were sent and have not left this process. */
  readonly bufferedAmount: number;
  send(text: string): void;
  ping(): void;
  terminate(): void;
}

interface FeedOptions {
  readonly maxClients: number;
  /** A client with more than this much unread is cut off. */
  readonly maxBufferedBytes: number;
}

const TOPIC_PATTERN = /^(operations|batches|leaf:(0|[1-9][0-9]{0,7}))$/;
/** Enough to watch a wallet's leaves. Guess. */
const MAX_TOPICS = 64;
/** Divisor of the places: one network has at most a tenth. */
const NETWORK_SHARE = 10;
/** Minimum places of one network, where a tenth is less. */
const MIN_PLACES = 10;
/**
 * Milliseconds between pings: below the minute after which proxies close silent connections. A client that has not
 * answered by the next ping is cut off.
 */
const PING_EVERY_MS = 30_000;

interface FeedClient {
  readonly topics: Set<string>;
  readonly network: string;
  isHeard: boolean;
}

/** @throws SRV_BAD_REQUEST */
export function parseTopics(text: string | undefined): Set<string> {
  const topics = new Set((text ?? "operations,batches").split(","));
  const wrong = [...topics].find((topic) => !TOPIC_PATTERN.test(topic));
  if (wrong !== undefined || topics.size > MAX_TOPICS) {
    throw sequencerError(
      "SRV_BAD_REQUEST",
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
  readonly #clients = new Map<FeedSocket, FeedClient>();
  readonly #slots: NetworkSlots;
  readonly #pinging: NodeJS.Timeout;
  #sequence = 0;

  constructor(options: FeedOptions, onCountChange: (clientCount: number) => void = () => {}) {
    this.#options = options;
    this.#onCountChange = onCountChange;
    this.#slots = new NetworkSlots(Math.max(MIN_PLACES, Math.ceil(options.maxClients / NETWORK_SHARE)));
    this.#pinging = setInterval(() => this.ping(), PING_EVERY_MS).unref();
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  /** Clients that have not answered the last ping yet. */
  get unheardCount(): number {
    return [...this.#clients.values()].filter(({ isHeard }) => !isHeard).length;
  }

  /** @throws SRV_OVERLOADED */
  requireRoom(network: string): void {
    const { maxClients } = this.#options;
    if (this.#clients.size >= maxClients) {
      throw sequencerError("SRV_OVERLOADED", `the feed has ${maxClients} clients`, {
        data: { reason: "feed-full", maxClients },
      });
    }
    if (!this.#slots.hasRoom(network)) {
      const { maxOfNetwork } = this.#slots;
      throw sequencerError("SRV_OVERLOADED", `your address has ${maxOfNetwork} places of the feed`, {
        data: { reason: "feed-full", maxOfNetwork },
      });
    }
  }

  /** @param network the client's, as `clientNetwork` has it. @throws SRV_OVERLOADED */
  add(socket: FeedSocket, topics: Set<string>, network: string): void {
    this.requireRoom(network);
    this.#slots.take(network);
    this.#clients.set(socket, { topics, network, isHeard: true });
    for (const topic of topics) this.#topics.set(topic, (this.#topics.get(topic) ?? new Set()).add(socket));
    this.#onCountChange(this.#clients.size);
  }

  remove(socket: FeedSocket): void {
    const client = this.#clients.get(socket);
    if (client === undefined) return;
    for (const topic of client.topics) {
      const sockets = this.#topics.get(topic);
      sockets?.delete(socket);
      if (sockets?.size === 0) this.#topics.delete(topic);
    }
    this.#clients.delete(socket);
    this.#slots.free(client.network);
    this.#onCountChange(this.#clients.size);
  }

  /** The client answered a ping. */
  heard(socket: FeedSocket): void {
    const client = this.#clients.get(socket);
    if (client !== undefined) client.isHeard = true;
  }

  /** Cuts off who has not answered the ping before, and pings the others. */
  ping(): void {
    for (const [socket, client] of [...this.#clients]) {
      if (client.isHeard) {
        client.isHeard = false;
        socket.ping();
      } else this.#cutOff(socket);
    }
  }

  #cutOff(socket: FeedSocket): void {
    this.remove(socket);
    socket.terminate();
  }

  publish(topic: string, event: string, data: object): void {
    this.#sequence += 1;
    const sockets = this.#topics.get(topic);
    if (sockets === undefined) return;
    const text = JSON.stringify({ topic, event, data, sequence: this.#sequence });
    for (const socket of [...sockets]) {
      if (socket.bufferedAmount > this.#options.maxBufferedBytes) {
        this.#cutOff(socket);
      } else {
        socket.send(text);
      }
    }
  }

  close(): void {
    clearInterval(this.#pinging);
    for (const socket of [...this.#clients.keys()]) this.#cutOff(socket);
  }
}
