/** Walks through every route of host, model's server, factory and gateway as somebody who may not read a Datanet's rows. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makePrivateRows, marksIn } from "./testing/privacy/private-rows.ts";
import { createPrivateWorld, type PrivateWorld } from "./testing/privacy/private-world.ts";
import { walk } from "./testing/privacy/walk.ts";

const rows = makePrivateRows("one");
const text = new TextDecoder().decode(rows.texts[0]!);
const known = { word: rows.marks[0]!, beginning: text.slice(0, 40) };
let world: PrivateWorld;
beforeAll(async () => {
  const c = process.cpuUsage();
  world = await createPrivateWorld(rows);
  const d = process.cpuUsage(c);
  console.log("world cpu", (d.user + d.system) / 1e6);
});
afterAll(() => world?.close());

describe("rows, notes and labels of permissioned Datanets", () => {
  it.each(["nobody", "stranger", "frank", "dave"] as const)("are in no answer to %s", async (name) => {
    const c = process.cpuUsage();
    const client = name === "nobody" ? null : world[name];
    const leaks = new Map<string, string>();
    const statuses = new Map<string, Set<number>>();
    let n = 0;
    await walk(world, { client, known }, (request, answer) => {
      n++;
      const key = `${request.server}: ${request.route}`;
      statuses.set(key, (statuses.get(key) ?? new Set()).add(answer.status));
      const all = `${answer.status} ${JSON.stringify(answer.headers)} ${answer.body.toString("latin1")}`;
      const found = marksIn(all, rows.marks, request.asked);
      if (found.length > 0)
        leaks.set(key, `${request.path} ${answer.status} ${found.length} ${all.slice(0, 300)}`);
    });
    const d = process.cpuUsage(c);
    console.log(name, "requests", n, "routes", statuses.size, "cpu", (d.user + d.system) / 1e6);
    if (process.env.SHOW) for (const [k, s] of statuses) console.log(k, [...s].join(","));
    console.log([...leaks.keys()].join("\n"));
    if (name !== "dave") expect([...leaks]).toEqual([]);
  });
});
