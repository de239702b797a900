import { Bell } from "@openledger/bridge/operator/operator-events";
import { RollupError } from "@openledger/foundation/rollup-error";
import { createPublicClient, http } from "viem";
import { expect, it } from "vitest";
import { runTurns, SettlingReport } from "./turn-report.ts";

// Nothing listens at port 1.
const NODE_URL = "http://127.0.0.1:1/v3/a-secret-key";

async function failureOf(turn: () => Promise<unknown>) {
  const report = new SettlingReport(7);
  const stopping = new AbortController();
  const logged: object[] = [];
  const helper = {
    report,
    turn: async () => {
      await turn();
    },
  };
  const log = {
    info() {},
    error(facts: object) {
      logged.push(facts);
      stopping.abort();
    },
  };
  await runTurns("settling", helper, log, { intervalMs: 1, signal: stopping.signal });
  return { view: report.view().failure!, logged };
}

it("a node's URL, with its key, is in the log and not in what strangers read", async () => {
  const client = createPublicClient({ transport: http(NODE_URL, { retryCount: 0 }) });
  const error = await client.getBlock().catch((thrown: Error) => thrown);
  expect((error as Error).message).toContain("a-secret-key");
  for (const thrown of [error, new Error(`no answer of ${NODE_URL}`), NODE_URL]) {
    const { logged, view } = await failureOf(() => Promise.reject(thrown));
    expect(view).toMatchObject({ code: "SRV_INTERNAL", count: 1 });
    expect(view.message).not.toBe("");
    expect(JSON.stringify(view)).not.toMatch(/secret|127\.0\.0\.1/);
    expect(logged).toEqual([{ err: thrown }]);
  }
});

it("a failure of ours is told as it is", async () => {
  const error = new RollupError("CLI_UNREACHABLE", "no answer");
  const { view } = await failureOf(() => Promise.reject(error));
  expect(view).toMatchObject({ code: "CLI_UNREACHABLE", message: "no answer" });
});

it("a ring begins the next turn at once, also one that came during a turn", async () => {
  const bell = new Bell();
  const stopping = new AbortController();
  let turnCount = 0;
  const helper = {
    report: new SettlingReport(7),
    turn: async () => {
      turnCount += 1;
      if (turnCount === 1) bell.ring();
      if (turnCount === 2) setTimeout(() => bell.ring(), 5);
      if (turnCount === 3) stopping.abort();
    },
  };
  const hours = { intervalMs: 86_400_000, signal: stopping.signal, bell };
  await runTurns("settling", helper, { info() {}, error() {} }, hours);
  expect(turnCount).toBe(3);
});
