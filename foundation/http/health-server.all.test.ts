import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Counter, Registry } from "prom-client";
import { afterEach, expect, it } from "vitest";
import { type HealthServer, startHealthServer } from "./health-server.ts";
import { attackServer } from "./testing/attack-server.ts";

let server: HealthServer | null = null;
afterEach(() => server?.close());

async function start(isHealthy: boolean) {
  const registry = new Registry();
  new Counter({ name: "turns", help: "turns", registers: [registry] }).inc(3);
  const log = { error: () => {} };
  server = await startHealthServer({ port: 0, registry, log, health: () => ({ isHealthy, code: "A_CODE" }) });
  return `http://127.0.0.1:${server.port}`;
}

it("says how the process is, and gives its figures", async () => {
  for (const [isHealthy, status] of [
    [true, 200],
    [false, 503],
  ] as const) {
    const url = await start(isHealthy);
    const health = await fetch(`${url}/health`);
    expect([health.status, await health.json()]).toEqual([status, { isHealthy, code: "A_CODE" }]);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain("turns 3");
    await server!.close();
  }
});

it("is no stranger's", async () => {
  expect(await attackServer(await start(true), { metrics: "/metrics" })).toEqual([]);
});

it("does not start where the process may open fewer files than it needs, and says what to raise", async () => {
  const module = fileURLToPath(new URL("./health-server.ts", import.meta.url));
  const code = `import { startHealthServer } from ${JSON.stringify(module)};
    const { Registry } = await import("prom-client");
    startHealthServer({ port: 0, registry: new Registry(), log: console, health: () => ({ isHealthy: true }) })
      .catch((error) => console.log(error.code, error.message, JSON.stringify(error.data)))
      .finally(() => process.exit());`;
  // Node raises the soft limit to the hard one.
  const { stdout } = await promisify(execFile)("sh", [
    "-c",
    'ulimit -Sn 1000 && ulimit -Hn 1000 && exec "$0" --import tsx --input-type=module -e "$1"',
    process.execPath,
    code,
  ]);
  expect(stdout).toMatch(
    /^CIR_DESCRIPTORS_TOO_FEW .*LimitNOFILE=.*\{"limit":1000,"needed":1264,"maxConnections":64\}/,
  );
});
