/** A proxy before a model's server that fails as a test chooses: it loses answers, changes their bytes, or is away. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Answer of the server behind. */
export interface PassedAnswer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

export interface QuestionExchange {
  readonly body: { readonly prompt: string; readonly isSealed?: boolean };
  readonly response: ServerResponse;
  /** Has the server behind answer, as it does without a proxy. */
  pass(): Promise<PassedAnswer>;
  /** Sends an answer on. */
  send(answer: PassedAnswer): void;
}

export interface FailingServer {
  readonly serverUrl: string;
  /** Called for each question in place of passing it on; null passes all on. */
  onQuestion: ((exchange: QuestionExchange) => Promise<void> | void) | null;
  /** Questions that came. */
  readonly prompts: string[];
  close(): Promise<void>;
}

/** @param targetUrl of the model's routes at the server behind */
export async function startFailingServer(targetUrl: string): Promise<FailingServer> {
  const target = new URL(targetUrl);
  const failing = { onQuestion: null as FailingServer["onQuestion"], prompts: [] as string[] };
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const { method = "GET", url = "" } = request;
      const bytes = Buffer.concat(chunks);
      const fetched = () =>
        fetch(`${target.origin}${url}`, {
          method,
          headers: { accept: request.headers.accept ?? "*/*", "content-type": "application/json" },
          ...(method === "GET" ? {} : { body: bytes }),
        });
      const typeOf = (answer: Response) => answer.headers.get("content-type") ?? "application/json";
      if (method !== "POST" || !url.endsWith("/v1/answers")) {
        const answer = await fetched();
        const content = Buffer.from(await answer.arrayBuffer());
        response.writeHead(answer.status, { "content-type": typeOf(answer) }).end(content);
        return;
      }
      const body = JSON.parse(bytes.toString()) as QuestionExchange["body"];
      failing.prompts.push(body.prompt);
      const pass = async () => {
        const answer = await fetched();
        return { status: answer.status, type: typeOf(answer), text: await answer.text() };
      };
      const send = ({ status, text, type }: PassedAnswer) =>
        void response.writeHead(status, { "content-type": type }).end(text);
      if (failing.onQuestion === null) send(await pass());
      else await failing.onQuestion({ body, response, pass, send });
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(failing, {
    serverUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}${target.pathname}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
