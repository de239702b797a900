/** Proxy between the bridge and its L1 node: passes everything on, until it is told to misbehave as nodes do. */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { toEventSelector } from "viem";
import { answerAsOf, headOf, lagging } from "./lagging-node.ts";

export const L1_FAULTS = [
  "hangs",
  "is slow",
  "closes the connection",
  "answers 429",
  "answers 500",
  "answers HTML",
  "answers half of the JSON",
  "answers an empty object",
  "answers null",
  "answers with an error",
  "leaves out logs",
  "takes transactions and does not say so",
  "lags by a block or two",
] as const;
/** Played by drills of their own. */
type OwnDrill = "leaves out queue entries" | "stands still";
type L1Fault = (typeof L1_FAULTS)[number] | OwnDrill;

/** The topic of an entry's event. */
const QUEUE_ENTRY = toEventSelector(
  rollupAbi.find((item) => item.type === "event" && item.name === "QueueEntryAdded") as never,
);

export interface L1Proxy {
  readonly url: string;
  /** null: everything passes. */
  fault: L1Fault | null;
  /** Requests that met a fault. */
  faultCount: number;
  stop(): Promise<void>;
}

const SLOW_MS = 1_500;

export async function startL1Proxy(targetUrl: string): Promise<L1Proxy> {
  const state: { fault: L1Fault | null; faultCount: number; head: number | null } = {
    fault: null,
    faultCount: 0,
    head: null,
  };
  const hanging = new Set<ServerResponse>();
  const server: Server = createServer(async (request, response) => {
    try {
      await answer(await text(request), response);
    } catch {
      // The client may have been killed in the middle of a request.
      response.destroy();
    }
  });

  async function answer(body: string, response: ServerResponse): Promise<void> {
    const { fault } = state;
    const call = JSON.parse(body) as { id: number; method: string; params?: unknown[] };
    const isCounted = fault !== "lags by a block or two" && fault !== "leaves out queue entries";
    if (fault !== null && isCounted) state.faultCount += 1;
    const json = (text: string) => response.writeHead(200, { "content-type": "application/json" }).end(text);
    switch (fault) {
      case "hangs":
        hanging.add(response);
        return;
      case "closes the connection":
        response.destroy();
        return;
      case "answers 429":
        response.writeHead(429, { "retry-after": "1" }).end("too many requests");
        return;
      case "answers 500":
        response.writeHead(500).end("internal error");
        return;
      case "answers HTML":
        response.writeHead(200, { "content-type": "text/html" }).end("<html>Bad gateway</html>");
        return;
      case "answers an empty object":
        json("{}");
        return;
      case "answers null":
        json(JSON.stringify({ jsonrpc: "2.0", id: call.id, result: null }));
        return;
      case "answers with an error":
        json(
          JSON.stringify({
            jsonrpc: "2.0",
            id: call.id,
            error: { code: -32000, message: "header not found" },
          }),
        );
        return;
      case "leaves out logs":
        if (call.method !== "eth_getLogs") break;
        json(JSON.stringify({ jsonrpc: "2.0", id: call.id, result: [] }));
        return;
      case "leaves out queue entries": {
        if (call.method !== "eth_getLogs") break;
        const answer = JSON.parse(await pass(body)) as { result?: { topics: string[] }[] };
        const result = answer.result?.filter(({ topics }) => topics[0] !== QUEUE_ENTRY);
        if (result?.length !== answer.result?.length) state.faultCount += 1;
        json(JSON.stringify({ ...answer, result }));
        return;
      }
      case "stands still": {
        const passCall = (other: object) => pass(JSON.stringify({ jsonrpc: "2.0", ...other }));
        state.head ??= await headOf(passCall);
        const stale = await answerAsOf(state.head, call, passCall);
        if (stale === null) break;
        json(JSON.stringify({ jsonrpc: "2.0", id: call.id, ...stale }));
        return;
      }
      case "is slow":
        await sleep(SLOW_MS);
        break;
      case "lags by a block or two": {
        const stale = await lagging(call, (other) => pass(JSON.stringify({ jsonrpc: "2.0", ...other })));
        if (stale === null) break;
        state.faultCount += 1;
        json(JSON.stringify({ jsonrpc: "2.0", id: call.id, ...stale }));
        return;
      }
      case "answers half of the JSON":
      case "takes transactions and does not say so":
      case null:
        break;
      default:
        fault satisfies never;
    }
    const passed = await pass(body);
    if (fault === "takes transactions and does not say so" && call.method === "eth_sendRawTransaction")
      response.destroy();
    else json(fault === "answers half of the JSON" ? passed.slice(0, passed.length / 2) : passed);
  }

  async function pass(body: string): Promise<string> {
    const headers = { "content-type": "application/json" };
    const passed = await fetch(targetUrl, { method: "POST", headers, body });
    return passed.text();
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    get fault() {
      return state.fault;
    },
    set fault(fault) {
      state.fault = fault;
      state.head = null;
      if (fault === "hangs") return;
      for (const response of hanging) response.destroy();
      hanging.clear();
    },
    get faultCount() {
      return state.faultCount;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
