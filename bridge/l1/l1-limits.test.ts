/** Limits of nodes that a user may have to leave by: those of hosted nodes, and data that nodes drop. */

import { restoreLedger } from "@openledger/verifier/restore/restore-ledger";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HistoryFixture, startHistoryFixture } from "../testing/history-fixture.ts";
import {
  behindLimit,
  forgetsHashes,
  type Limit,
  limitsRange,
  rpcError,
  rpcResult,
} from "../testing/limited-node.ts";
import { createL1Client, createPatientL1Client } from "./l1-client.ts";
import { RollupContract } from "./rollup-contract.ts";

let f: HistoryFixture;
beforeAll(async () => {
  f = await startHistoryFixture();
  await f.makeHistory();
});
afterAll(() => f?.stop());

/** Restores the ledger by a node with this limit in front of the true one. */
async function restoreBehind(limit: Limit, create = createPatientL1Client) {
  const { requestCount, result } = await behindLimit(f.rpcUrl, limit, async (rpcUrl) => {
    const rollup = new RollupContract({ client: create({ rpcUrl }), address: f.rollup.address });
    return restoreLedger(rollup);
  });
  return { root: result.ledger.root, requestCount };
}

const every7th =
  (answer: ReturnType<Limit>): Limit =>
  ({ number }) =>
    number % 7 === 0 ? answer : null;

describe("restoreLedger", () => {
  test.each([
    ["answers 429 in plain text", { status: 429, body: "Too Many Requests" }],
    ["answers 429 with an error of its own", { status: 429, body: rpcError(-32005, "rate limited") }],
    ["answers 503", { status: 503, body: "upstream" }],
    ["breaks connections", { drop: true }],
  ] as const)(
    "gets through a node that %s now and then",
    async (_, answer) => {
      expect((await restoreBehind(every7th(answer))).root).toBe(f.ledger.root);
      const impatient = restoreBehind(every7th(answer), createL1Client);
      await expect(impatient).rejects.toMatchObject({ code: expect.stringMatching(/^BRG_L1_/) });
    },
    30_000,
  );

  test.each([
    ["413 in plain text", { status: 413, body: "request entity too large" }],
    ["400 and an error", { status: 400, body: rpcError(-32600, "up to a 10 block range") }],
  ] as const)("asks for fewer blocks where a node answers %s to many", async (_, answer) => {
    expect((await restoreBehind(limitsRange(10, answer))).root).toBe(f.ledger.root);
  });

  test("needs no node that finds old transactions by their hash", async () => {
    expect((await restoreBehind(forgetsHashes)).root).toBe(f.ledger.root);
  });

  test("says that the node does not have the beginning, and does not call the rollup false", async () => {
    const none: Limit = ({ method }) => (method === "eth_getLogs" ? { body: rpcResult([]) } : null);
    await expect(restoreBehind(none)).rejects.toMatchObject({ code: "BRG_HISTORY_INCOMPLETE" });
  });
});

describe("createPatientL1Client", () => {
  test("says at once that nobody listens", async () => {
    const startedMs = performance.now();
    const client = createPatientL1Client({ rpcUrl: "http://127.0.0.1:1" });
    const rollup = new RollupContract({ client, address: f.rollup.address });
    await expect(rollup.state()).rejects.toMatchObject({ code: "BRG_L1_UNREACHABLE" });
    expect(performance.now() - startedMs, "half of its patience").toBeLessThan(60_000);
  });

  test("gives up after its patience", async () => {
    const busy: Limit = () => ({ status: 503, body: "busy" });
    const hasty = ({ rpcUrl }: { rpcUrl: string }) => createL1Client({ rpcUrl, patienceMs: 600 });
    await expect(restoreBehind(busy, hasty)).rejects.toMatchObject({ code: "BRG_L1_UNREACHABLE" });
  });
});
