import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { RollupError } from "../rollup-error.ts";
import { askSequencer, type SequencerRequest } from "./sequencer-request.ts";

const ANSWERS: Record<string, readonly [status: number, text: string]> = {
  "/ok": [200, '{"n":1}'],
  "/empty": [204, ""],
  "/html": [200, "<html>"],
  "/other": [200, '{"n":"one"}'],
  "/token": [401, '{"error":{"code":"SRV_UNAUTHORIZED","message":"no"}}'],
  "/busy": [429, '{"error":{"code":"SRV_RATE_LIMITED","message":"slowly"}}'],
  "/gateway": [502, "Bad Gateway"],
  "/refused": [409, '{"error":{"code":"SEQ_BATCH_CONFLICT","message":"final","data":{"batchNumber":3}}}'],
};
/** Answers before the last one of an address: each asks for a wait. */
const WAITS: Record<string, (readonly [status: number, retryAfter: string])[]> = {};
const seen: { method: string | undefined; url: string; authorization: string | undefined; body: string }[] =
  [];

let server: Server;
let sequencerUrl: string;
beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { headers, method, url = "" } = request;
    seen.push({ method, url, authorization: headers.authorization, body });
    if (url === "/prefix/hangs") return;
    const wait = WAITS[url.replace("/prefix", "")]?.shift();
    if (wait !== undefined) {
      response.writeHead(wait[0], { "retry-after": wait[1] }).end();
      return;
    }
    const [status, text] = ANSWERS[url.replace("/prefix", "")]!;
    response.writeHead(status).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // Behind a proxy with a path, and with a slash that nobody meant.
  sequencerUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix/`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const schema = z.object({ n: z.int() });
const ask = (path: string, more: Partial<SequencerRequest> = {}, timeoutMs = 30_000) =>
  askSequencer({ sequencerUrl, token: "token", timeoutMs }, { path, ...more }, schema);

describe("askSequencer", () => {
  test("gives the answer, and null for an empty one", async () => {
    expect(await ask("/ok")).toEqual({ value: { n: 1 }, failure: null });
    const empty = await askSequencer({ sequencerUrl }, { path: "/empty" }, schema.nullable());
    expect(empty).toEqual({ value: null, failure: null });
    await ask("/ok", { body: { wei: 10n ** 30n } });
    expect(seen.slice(-3)).toEqual([
      { method: "GET", url: "/prefix/ok", authorization: "Bearer token", body: "" },
      { method: "GET", url: "/prefix/empty", authorization: undefined, body: "" },
      {
        method: "POST",
        url: "/prefix/ok",
        authorization: "Bearer token",
        body: '{"wei":"1000000000000000000000000000000"}',
      },
    ]);
  });

  test.each([
    ["/token", "unauthorized", 401, "SRV_UNAUTHORIZED"],
    ["/busy", "passing", 429, "SRV_RATE_LIMITED"],
    ["/gateway", "passing", 502, null],
    ["/refused", "refused", 409, "SEQ_BATCH_CONFLICT"],
    ["/html", "unreadable", 200, null],
    ["/other", "unreadable", 200, null],
  ])("tells %s: %s", async (path, kind, status, code) => {
    const { failure } = await ask(path);
    expect(failure).toMatchObject({
      kind,
      status,
      path,
      method: "GET",
      reason: expect.stringContaining(path),
    });
    expect(failure!.error?.code ?? null).toBe(code);
  });

  test("keeps what the sequencer says of its error", async () => {
    const { failure } = await ask("/refused");
    expect(failure!.error).toEqual({
      code: "SEQ_BATCH_CONFLICT",
      message: "final",
      data: { batchNumber: 3 },
    });
  });

  test("finds unreadable what a schema's own check throws at", async () => {
    const throwing = schema.transform(() => {
      throw new RollupError("OP_UNKNOWN_KIND", "no such kind");
    });
    const { failure } = await askSequencer({ sequencerUrl }, { path: "/ok" }, throwing);
    expect(failure).toMatchObject({ kind: "unreadable", reason: expect.stringContaining("no such kind") });
  });

  test("tells silence, nobody there and the caller's abort apart", async () => {
    expect((await ask("/hangs", {}, 50)).failure).toMatchObject({ kind: "unreachable", status: null });
    const aborted = await ask("/hangs", { signal: AbortSignal.timeout(50) });
    expect(aborted.failure).toMatchObject({ kind: "aborted", status: null });
    const nobody = await askSequencer({ sequencerUrl: "http://127.0.0.1:1" }, { path: "/ok" }, schema);
    expect(nobody.failure?.kind).toBe("unreachable");
  });

  test("waits as long as it is told, and asks again, within the sum that the caller allows", async () => {
    const waiting = (maxWaitMs: number) => askSequencer({ sequencerUrl, maxWaitMs }, { path: "/ok" }, schema);
    const question = () => seen.filter(({ url }) => url === "/prefix/ok").length;
    WAITS["/ok"] = [
      [429, "1"],
      [503, "1"],
    ];
    const [before, startedAtMs] = [question(), performance.now()];
    expect(await waiting(2_000)).toEqual({ value: { n: 1 }, failure: null });
    expect(question() - before).toBe(3);
    expect(performance.now() - startedAtMs).toBeGreaterThan(1_900);
    for (const [maxWaitMs, wait] of [
      [0, [429, "1"]],
      [2_000, [429, "3"]],
      [2_000, [503, "Wed, 21 Oct 2026 07:28:00 GMT"]],
      [2_000, [502, "1"]],
    ] as const) {
      WAITS["/ok"] = [wait];
      const { failure } = await waiting(maxWaitMs);
      expect(failure).toMatchObject({ kind: "passing", status: wait[0] });
    }
  });
});
