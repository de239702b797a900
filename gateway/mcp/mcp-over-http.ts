/**
 * MCP over streamable HTTP. A server of the SDK answers each HTTP request, and keeps nothing between two. Revision 2025-11-25
 * cancels by a request of its own, which names the cancelled one: this class knows the requests under way, hands the cancel to the
 * named one, and notes an answer's delivery once the socket has its bytes.
 */
import { randomUUID } from "node:crypto";
import {
  createMcpHandler,
  isInitializeRequest,
  isJSONRPCRequest,
  type McpHttpHandler,
  type McpServer,
  type RequestId,
} from "@modelcontextprotocol/server";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { PaidAnswer } from "../asking/asker.ts";
import { leavingOf } from "../http/chat-route.ts";

/** Answer whose delivery is to be noted. */
type Delivery = Pick<PaidAnswer, "delivered" | "left">;

/** Notes the delivery of the answer to a JSON-RPC request, once its client has it, or that the client has left without it. */
export type NoteDelivery = (requestId: RequestId, answer: Delivery) => void | Promise<void>;

/**
 * Time after an answer's last byte in which its client may still say that it has cancelled the request: the cancel and the answer
 * cross. A gateway that is killed meanwhile gives the answer to the next who asks the same.
 */
const CANCEL_GRACE_MS = 5_000;
/** Maximum cancels that wait for their request, which another connection brings. */
const MAX_EARLY_CANCELS = 1_000;
/** A batch of revision 2025-03-26, as the SDK bounds it. */
const MAX_BATCH_SIZE = 100;
const SESSION_HEADER = "mcp-session-id";
/** Session of clients that send no header. */
const NO_SESSION = "";

const cancelSchema = z.object({
  method: z.literal("notifications/cancelled"),
  params: z.object({ requestId: z.union([z.string().max(256), z.number()]) }),
});

/** One HTTP request with its JSON-RPC requests. */
interface Exchange {
  readonly sessionId: string;
  readonly requestIds: readonly RequestId[];
  readonly cancelledIds: Set<RequestId>;
  /** Aborts it as if its client had closed the connection. */
  readonly leaving: AbortController;
  readonly answers: Map<RequestId, Delivery>;
  /** Notes the delivery of its answers now, before the time for a cancel is over. */
  endGrace: () => Promise<void>;
}

export class McpOverHttp {
  readonly #handler: McpHttpHandler;
  readonly #exchangeOf = new WeakMap<Request, Exchange>();
  readonly #exchanges = new Set<Exchange>();
  /** Cancels whose request has not come yet: timers by session and id. */
  readonly #earlyCancels = new Map<string, NodeJS.Timeout>();

  /** @param createServer makes a server for one request, whose answers are noted by the function that it gets */
  constructor(createServer: (note: NoteDelivery) => McpServer) {
    this.#handler = createMcpHandler(({ requestInfo }) => {
      const exchange = requestInfo === undefined ? undefined : this.#exchangeOf.get(requestInfo);
      if (exchange === undefined) throw new Error("a server was asked for by no request of this endpoint");
      return createServer((requestId, answer) => {
        if (exchange.leaving.signal.aborted || exchange.cancelledIds.has(requestId)) answer.left();
        else exchange.answers.set(requestId, answer);
      });
    });
  }

  /** Answers a request of any method at the endpoint. */
  async answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { body, headers, method, url } = request;
    const hasBody = method !== "GET" && method !== "HEAD";
    const messages = messagesOf(hasBody ? body : null);
    const header = headers[SESSION_HEADER];
    const sessionId = typeof header === "string" && header.length <= 128 ? header : NO_SESSION;
    for (const message of messages) {
      const cancel = cancelSchema.safeParse(message).data;
      if (cancel !== undefined) this.#cancel(sessionId, cancel.params.requestId);
    }
    const exchange = this.#begin(sessionId, messages, reply);
    // Its client has left, or cancelled it before it came.
    if (exchange.leaving.signal.aborted) return reply.type("text/event-stream").send("");
    const question = new Request(`http://${headers.host}${url}`, {
      method,
      headers: new Headers(headers as Record<string, string>),
      ...(hasBody ? { body: JSON.stringify(body ?? null) } : {}),
      signal: exchange.leaving.signal,
    });
    this.#exchangeOf.set(question, exchange);
    // Whose requests a cancel may name. Nothing else is of a session: one from before a restart goes on.
    if (messages.some((message) => isInitializeRequest(message)))
      void reply.header(SESSION_HEADER, randomUUID());
    return reply.send(await this.#handler.fetch(question, hasBody ? { parsedBody: body } : {}));
  }

  /** Ends what is under way. What sockets have taken is delivered. */
  async close(): Promise<void> {
    for (const timer of this.#earlyCancels.values()) clearTimeout(timer);
    this.#earlyCancels.clear();
    await this.#handler.close();
    await Promise.all([...this.#exchanges].map((exchange) => exchange.endGrace()));
  }

  #begin(sessionId: string, messages: readonly unknown[], reply: FastifyReply): Exchange {
    const response = reply.raw;
    const leaving = new AbortController();
    const exchange: Exchange = {
      sessionId,
      requestIds: messages.filter((message) => isJSONRPCRequest(message)).map(({ id }) => id),
      cancelledIds: new Set(),
      leaving,
      answers: new Map(),
      endGrace: async () => {},
    };
    const left = leavingOf(response);
    const leave = () => {
      leaving.abort();
      for (const answer of exchange.answers.values()) answer.left();
      exchange.answers.clear();
      this.#exchanges.delete(exchange);
    };
    left.addEventListener("abort", leave, { once: true });
    if (left.aborted) leave();
    else if (exchange.requestIds.length > 0) {
      this.#exchanges.add(exchange);
      response.once("close", () => {
        if (response.writableFinished) this.#flushed(exchange);
      });
    }
    for (const id of exchange.requestIds) {
      const key = keyOf(sessionId, id);
      const timer = this.#earlyCancels.get(key);
      if (timer === undefined) continue;
      clearTimeout(timer);
      this.#earlyCancels.delete(key);
      cancelIn(exchange, id);
    }
    return exchange;
  }

  /** The system has all bytes of an exchange: its answers are delivered unless a cancel comes. */
  #flushed(exchange: Exchange): void {
    if (exchange.answers.size === 0) {
      this.#exchanges.delete(exchange);
      return;
    }
    const timer = setTimeout(() => void exchange.endGrace(), CANCEL_GRACE_MS);
    exchange.endGrace = async () => {
      clearTimeout(timer);
      this.#exchanges.delete(exchange);
      const answers = [...exchange.answers.values()];
      exchange.answers.clear();
      await Promise.all(answers.map((answer) => answer.delivered().catch(() => answer.left())));
    };
  }

  /**
   * Hands a cancel to the request that it names. Where clients without a session have the same id under way, it may be of either,
   * and reaches none.
   */
  #cancel(sessionId: string, requestId: RequestId): void {
    const named = [...this.#exchanges].filter(
      (exchange) => exchange.sessionId === sessionId && exchange.requestIds.includes(requestId),
    );
    if (named.length === 1) cancelIn(named[0]!, requestId);
    const key = keyOf(sessionId, requestId);
    if (named.length > 0 || sessionId === NO_SESSION || this.#earlyCancels.has(key)) return;
    if (this.#earlyCancels.size >= MAX_EARLY_CANCELS) return;
    this.#earlyCancels.set(
      key,
      setTimeout(() => void this.#earlyCancels.delete(key), CANCEL_GRACE_MS),
    );
  }
}

const keyOf = (sessionId: string, requestId: RequestId): string => JSON.stringify([sessionId, requestId]);

/** Cancels a request of an exchange. The exchange ends with its last one. */
function cancelIn(exchange: Exchange, requestId: RequestId): void {
  exchange.cancelledIds.add(requestId);
  exchange.answers.get(requestId)?.left();
  exchange.answers.delete(requestId);
  if (exchange.requestIds.every((id) => exchange.cancelledIds.has(id))) exchange.leaving.abort();
}

/** JSON-RPC messages of a body, whatever they are. */
function messagesOf(body: unknown): readonly unknown[] {
  if (!Array.isArray(body)) return [body];
  return body.length <= MAX_BATCH_SIZE ? body : [];
}
