import * as z from "zod/mini";
import { requireSequencerUrl, type SequencerAccess } from "./sequencer-request.ts";

const feedMessageSchema = z.object({
  topic: z.string(),
  event: z.string(),
  data: z.unknown(),
  sequence: z.nullish(z.number()),
});
export type FeedMessage = z.infer<typeof feedMessageSchema>;

export interface Feed {
  /** False until the connection stands, and after it is lost. */
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
 * Follows the sequencer's feed. It is a hint and nothing more: messages may be lost with the connection, so
 * whoever listens also polls. Never throws; without a connection `isOpen` stays false.
 */
export async function openFeed(
  client: SequencerAccess,
  topics: readonly string[],
  onMessage: (message: FeedMessage) => void,
): Promise<Feed> {
  const url = `${requireSequencerUrl(client).replace(/^http/, "ws")}/v1/feed?topics=${topics.join(",")}`;
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
