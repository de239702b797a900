/** Answers of servers that mean harm, or are broken: they end, and what is no text is not taken for one. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { streamAnswer, streamCompletion } from "./actions/answers/completion-stream.ts";
import { requestModelServer } from "./actions/answers/model-answers.ts";
import { askServer, type HostAccess } from "./datanets/host-request.ts";
import { requestSequencer } from "./sequencer/sequencer-request.ts";

let server: Server;
let url: string;
const MEGABYTE = Buffer.alloc(2 ** 20, 0x20);
let sentBytes = 0;

/** `/endless…` never ends, `/broken…` ends in the middle, `/latin…` has the byte 0xe9 in a string; `refused` makes it an error. */
beforeAll(async () => {
  server = createServer((request, response) => {
    const path = request.url!;
    const isStream = request.headers.accept === "text/event-stream";
    const status = path.includes("refused") ? 400 : 200;
    response.writeHead(status, { "content-type": isStream ? "text/event-stream" : "application/json" });
    if (path.includes("latin")) {
      const begin = isStream ? 'data: {"choices":[{"text":"caf' : '{"text":"caf';
      const end = isStream ? '"}],"soFar":"a"}\n\ndata: [DONE]\n\n' : '"}';
      response.end(Buffer.concat([Buffer.from(begin), Buffer.from([0xe9]), Buffer.from(end)]));
      return;
    }
    if (path.includes("broken")) {
      response.write('{"text":"begun');
      setTimeout(() => response.destroy(), 50);
      return;
    }
    sentBytes = 0;
    const part =
      isStream && path.includes("parts") ? `data: {"choices":[{"text":"${"a".repeat(4_000)}"}]}\n\n` : "";
    const chunk = part === "" ? MEGABYTE : Buffer.from(part.repeat(100));
    const more = () => {
      while (!response.destroyed && response.write(chunk)) sentBytes += chunk.length;
      sentBytes += chunk.length;
    };
    response.on("drain", more);
    more();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const schema = z.object({ text: z.string() });
const access = (path: string) =>
  ({ requestTimeoutMs: 60_000, sequencerUrl: `${url}${path}`, domain: 1n }) as unknown as HostAccess;
const readers: Record<string, (path: string) => Promise<unknown>> = {
  "a Datanet host or factory": (path) =>
    askServer(access(path), `${url}${path}`, { path: "/v1/info" }, schema, "datanet host"),
  "a sequencer": (path) =>
    requestSequencer({ sequencerUrl: `${url}${path}`, requestTimeoutMs: 60_000 }, "/v1/status", schema),
  "an answer server": (path) =>
    requestModelServer({ requestTimeoutMs: 60_000 }, `${url}${path}`, "/v1/answers", schema),
  "an answer, word by word": (path) => streamAnswer(`${url}${path}`, {}, () => {}),
  "a completion": (path) =>
    streamCompletion({ serverUrl: `${url}${path}`, model: "a", prompt: "b" }, () => {}),
};

/** These two ask by the same function and read up to 256 MiB: in the core, an answer of the one and a refusal of the other. */
const READ_BY_HALVES: Readonly<Record<string, string>> = {
  "a sequencer": "/endless",
  "an answer server": "/endless/refused",
};

it.each(Object.keys(readers))(
  "%s that does not end its answer, or its refusal, is left",
  async (name) => {
    const half = isWhole ? undefined : READ_BY_HALVES[name];
    for (const path of half === undefined ? ["/endless", "/endless/refused"] : [half]) {
      await expect(readers[name]!(path), path).rejects.toMatchObject({
        code: expect.stringMatching(
          path === "/endless"
            ? /^CLI_(ANSWER_INVALID|SEQUENCER_\w+)$/
            : /^CLI_(ANSWER_INVALID|UNREACHABLE|SEQUENCER_\w+)$/,
        ),
      });
      expect(sentBytes).toBeLessThan(3 * 2 ** 28);
    }
  },
  120_000,
);

it.each(Object.keys(readers))("%s whose answer is no UTF-8 is not read as if it were", async (name) => {
  await expect(readers[name]!("/latin")).rejects.toMatchObject({
    code: expect.stringMatching(/^CLI_(ANSWER_INVALID|SEQUENCER_\w+)$/),
  });
});

it.each(Object.keys(readers))("%s whose answer breaks off is an error with a code", async (name) => {
  await expect(readers[name]!("/broken")).rejects.toMatchObject({
    code: expect.stringMatching(/^CLI_(ANSWER_INVALID|UNREACHABLE|SEQUENCER_\w+)$/),
  });
});

it("a completion in parts without an end is left", async () => {
  await expect(readers["a completion"]!("/endless/parts")).rejects.toMatchObject({
    code: "CLI_ANSWER_INVALID",
  });
}, 60_000);
