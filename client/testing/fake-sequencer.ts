/** A sequencer of a few answers, for the client's tests: a test sets its answers and reads its requests. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

export interface FakeSequencer {
  readonly url: string;
  /** Answers by "METHOD /path"; a function gets the parsed body. Unknown routes answer 404. */
  readonly answers: Map<string, unknown>;
  readonly heard: { route: string; body: unknown }[];
  /** Sends a message to everybody on the feed. */
  publish(message: object): void;
  feedCount(): number;
  close(): Promise<void>;
}

/** An answer with an HTTP status other than 200. */
export class FakeFailure {
  readonly status: number;
  readonly body: unknown;
  constructor(status: number, body: unknown) {
    this.status = status;
    this.body = body;
  }
}

export async function startFakeSequencer(options: { hasFeed?: boolean } = {}): Promise<FakeSequencer> {
  const answers = new Map<string, unknown>();
  const heard: { route: string; body: unknown }[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const route = `${request.method} ${request.url}`;
      heard.push({ route, body });
      const prepared = answers.get(route) ?? leavesOf(route, answers) ?? new FakeFailure(404, notFound);
      const answer =
        typeof prepared === "function" ? (prepared as (body: unknown) => unknown)(body) : prepared;
      const isFailure = answer instanceof FakeFailure;
      const payload = isFailure ? answer.body : answer;
      response.statusCode = isFailure ? answer.status : 200;
      const isWhole = typeof payload === "string" || payload instanceof Uint8Array;
      response.end(isWhole ? payload : JSON.stringify(payload));
    });
  });
  const feed = options.hasFeed === false ? null : new WebSocketServer({ server, path: "/v1/feed" });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers,
    heard,
    publish: (message) => {
      for (const client of feed?.clients ?? []) client.send(JSON.stringify(message));
    },
    feedCount: () => feed?.clients.size ?? 0,
    close: () => closeAll(server, feed),
  };
}

/** Answer to a request for several leaves: those that have answers of their own. */
function leavesOf(route: string, answers: ReadonlyMap<string, unknown>): unknown {
  const [, ids] = /^GET \/v1\/leaves\?ids=([\d,]+)$/.exec(route) ?? [];
  const leaves = ids?.split(",").map((id) => answers.get(`GET /v1/leaves/${id}`));
  return leaves?.filter((leaf) => typeof leaf === "object" && !(leaf instanceof FakeFailure));
}

const notFound = { error: { code: "SEQ_NOT_FOUND", message: "there is no such thing" } };

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (request.headers["content-type"] === "application/octet-stream") return bytes;
  return bytes.length === 0 ? null : JSON.parse(bytes.toString());
}

async function closeAll(server: Server, feed: WebSocketServer | null): Promise<void> {
  for (const client of feed?.clients ?? []) client.terminate();
  feed?.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
