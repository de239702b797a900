/** Tests of what the API's lists charge a client's rate limit. */
import { expect, it } from "vitest";
import { freshRollup } from "../testing/fresh-rollup.ts";
import { close, send } from "../testing/test-operator.ts";
import { transfer } from "../testing/test-rollup.ts";

const MANY = 12;

it.each([
  "/v1/log?from=0&limit=500",
  "/v1/operations?leaf=2&limit=200",
  "/v1/records?limit=50",
  "/v1/hashes?start=0x2fb4",
  "/v1/batches?limit=100",
  "/v1/settlements?model=2&limit=200",
  `/v1/leaves?ids=${Array.from({ length: 100 }, (_, i) => i).join()}`,
  "/v1/leaves?owner=0x00000000000000000000000000000000000000aa",
  "/v1/leaves?keyX=0x1",
  "/v1/leaves?datanetId=2",
  `/blobs/0x01${"7".repeat(62)}`,
])("%s counts for as much as it may return, before it is made", async (url) => {
  const rollup = await freshRollup({ environment: { SEQUENCER_RATE_LIMIT_PER_MINUTE: "240" } });
  const [alice, bob] = rollup.users;
  await send(rollup, transfer(alice!, bob!, 0n));
  await close(rollup);
  const statuses = await Promise.all(
    Array.from({ length: MANY }, async () => (await rollup.get(url)).status),
  );
  expect(statuses).toContain(429);
  expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(MANY / 2);
  // A plain request is none of a list's.
  expect((await rollup.get("/v1/status")).status).toBe(200);
});
