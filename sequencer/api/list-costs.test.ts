/** Tests of what the API's lists charge a client's rate limit. */
import { expect, it } from "vitest";
import { freshRollup } from "../testing/fresh-rollup.ts";
import { close, send } from "../testing/test-operator.ts";
import { operatorHeaders, transfer } from "../testing/test-rollup.ts";

/** A list whose cost does not depend on what is found: some six units. */
const IDS = `/v1/leaves?ids=${Array.from({ length: 100 }, (_, i) => i).join()}`;
const SERVER_TOKEN = "token-of-the-operator-s-own-servers";

it.each([
  "/v1/log?from=0&limit=500",
  "/v1/operations?leaf=2&limit=200",
  "/v1/records?limit=50",
  "/v1/hashes?start=0x2fb4",
  "/v1/batches?limit=100",
  "/v1/settlements?model=2&limit=200",
  IDS,
  "/v1/leaves?owner=0x00000000000000000000000000000000000000aa",
  "/v1/leaves?keyX=0x1",
  "/v1/leaves?datanetId=2",
  `/blobs/0x01${"7".repeat(62)}`,
])("%s counts for as much as it may return, before it is made", async (url) => {
  // Nine units at once, and three a second.
  const rollup = await freshRollup({ environment: { SEQUENCER_RATE_LIMIT_PER_MINUTE: "180" } });
  const [alice, bob] = rollup.users;
  await send(rollup, transfer(alice!, bob!, 0n));
  await close(rollup);
  expect((await rollup.get(IDS)).status).toBe(200);
  expect((await rollup.get(url)).status).toBe(429);
  // A plain request is none of a list's.
  expect((await rollup.get("/v1/status")).status).toBe(200);
});

it("answers a hundred searches of one address at a time, which find little, at the default limit", async () => {
  const rollup = await freshRollup({ environment: { SEQUENCER_RATE_LIMIT_PER_MINUTE: "6000" } });
  const owners = Array.from({ length: 100 }, (_, i) => `0x${(0xa000 + i).toString(16).padStart(40, "0")}`);
  const statuses = await Promise.all(
    owners.map(async (owner) => (await rollup.get(`/v1/leaves?owner=${owner}`)).status),
  );
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
});

it("limits no server of the operator, by its token, which opens none of the operator's routes", async () => {
  const rollup = await freshRollup({
    environment: { SEQUENCER_RATE_LIMIT_PER_MINUTE: "10", SEQUENCER_SERVER_TOKEN: SERVER_TOKEN },
  });
  const statusesOf = (token: string | null) =>
    Promise.all(
      Array.from({ length: 15 }, async () => {
        const headers = token === null ? {} : { authorization: `Bearer ${token}` };
        return (await rollup.get(IDS, headers)).status;
      }),
    );
  const all = Array.from({ length: 15 }, () => 200);
  expect(await statusesOf(SERVER_TOKEN)).toEqual(all);
  expect(await statusesOf(operatorHeaders.authorization.replace("Bearer ", ""))).toEqual(all);
  expect(await statusesOf(`${SERVER_TOKEN}s`)).toContain(429);
  expect(await statusesOf(null)).toEqual(all.map(() => 429));
  expect(await statusesOf(SERVER_TOKEN)).toEqual(all);
  const opened = await rollup.get("/operator/chain", { authorization: `Bearer ${SERVER_TOKEN}` });
  expect([opened.status, opened.body.error.code]).toEqual([401, "SRV_UNAUTHORIZED"]);
});
