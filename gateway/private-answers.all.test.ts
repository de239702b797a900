/**
 * Models that say rows of a permissioned Datanet, and rows that their contributor has withdrawn: no route of host, mirror and model's
 * server shows them, and no paper made of these.
 */
import { join } from "node:path";
import { askModel } from "@openledger/client/actions/answers/ask-model";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { mirrorDatanet } from "@openledger/client/datanets/mirror-datanet";
import { writeModelPapers } from "@openledger/client/datanets/model-papers";
import { withdrawRow } from "@openledger/client/datanets/withdrawals";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makePrivateRows, marksIn } from "./testing/privacy/private-rows.ts";
import { createPrivateWorld, type PrivateWorld, type WalkedServer } from "./testing/privacy/private-world.ts";
import { serveSayingModel } from "./testing/privacy/saying-world.ts";
import { type WalkedAnswer, walk } from "./testing/privacy/walk.ts";

const rows = makePrivateRows("one");
/** Rows that are said: words that nobody else may see, in question and answer. */
const said = makePrivateRows("said");
const turns = said.texts.map((text) => {
  const [one, other, , , , , ...rest] = new TextDecoder().decode(text).split(" ");
  return { prompt: `Where does ${one} keep ${other}?`, answer: rest.join(" ") };
});
const marks = [...rows.marks, ...said.marks];
const marksOf = (text: string) => marks.filter((mark) => text.includes(mark));
const known = { word: rows.marks[0]!, beginning: turns[0]!.prompt };

let world: PrivateWorld;
let saying: Awaited<ReturnType<typeof serveSayingModel>>;
beforeAll(async () => {
  world = await createPrivateWorld(rows);
  saying = await serveSayingModel(world, turns);
});
afterAll(async () => {
  await saying?.close();
  await world?.close();
});

const textOf = ({ body, headers, status }: WalkedAnswer) =>
  `${status} ${JSON.stringify(headers)} ${body.toString("latin1")}`;

/** Routes in whose answers are some of these marks. */
async function telling(
  client: LedgerClient | null,
  expected: readonly string[],
  servers: readonly WalkedServer[] = saying.walked.servers,
) {
  const found = new Set<string>();
  let count = 0;
  await walk(saying.walked, { client, known, servers }, ({ asked, route, server }, answer) => {
    count += 1;
    if (marksIn(textOf(answer), expected, asked).length > 0) found.add(`${server}: ${route}`);
  });
  expect(count).toBeGreaterThan(0);
  return [...found];
}

it.each(["nobody", "a stranger", "an account whose grant ran out"] as const)(
  "no route of a model that says rows shows one to %s",
  async (asker) => {
    const client = { nobody: null, "a stranger": world.stranger }[asker as "nobody"] ?? null;
    expect(await telling(asker.endsWith("out") ? world.frank : client, marks)).toEqual([]);
  },
);

it("no question of an account that pays without a grant is answered, whether a row answers it or not", async () => {
  const { modelId, serverUrl } = saying;
  const ask = (client: LedgerClient, prompt: string) =>
    askModel(client, { serverUrl, modelId, prompt, from: client.leafId! }).catch((error: unknown) => error);
  // The last one is near a row: a reader is shown its question.
  for (const client of [world.stranger, world.frank])
    for (const prompt of [
      turns[1]!.prompt,
      "Where is the sea?",
      turns[1]!.prompt.replace("keep", "never lose"),
    ]) {
      const refused = await ask(client, prompt);
      expect(refused).toMatchObject({ code: "DNT_ACCESS_NOT_GRANTED" });
      expect(marksIn(JSON.stringify(refused), marks, prompt)).toEqual([]);
    }
  // Who reads the rows is stopped by the ledger alone, where this model takes no payments.
  expect(await ask(world.dave, turns[1]!.prompt)).toMatchObject({ code: "ATT_MODEL_NOT_PAYABLE" });
});

it("a reader finds them, so that the walk would", async () => {
  const found = await telling(world.dave, said.marks);
  for (const route of ["model/:file", "rows/:row"])
    expect(found).toContain(`model that says rows: GET /:model/v1/${route}`);
});

it("no route of host, mirror and model's server shows a row to its readers once it is withdrawn, nor do papers", async () => {
  const { world: ledger } = world;
  const mirror = await ledger.host("mirror");
  mirror.clock.aheadMs = world.host.clock.aheadMs;
  const copied: readonly number[] = [world.datanetIds[0], saying.place.datanetId];
  const bring = async () => {
    for (const datanetId of copied)
      await mirrorDatanet(world.dave, {
        datanetId,
        fromUrl: world.host.url,
        toUrl: mirror.url,
        store: await openRowStore(join(ledger.folder, `mirrored-${datanetId}`)),
      });
  };
  await bring();
  const host = saying.walked.servers.find(({ name }) => name === "host")!;
  const ofMirror = { ...host, name: "mirror", url: mirror.url, origin: mirror.url };
  const gone = [...marksOf(new TextDecoder().decode(rows.texts[0]!)), ...marksOf(JSON.stringify(turns[0]))];
  expect(gone.length).toBeGreaterThan(6);
  const servers = [...saying.walked.servers, ofMirror];
  const before = await telling(world.dave, gone, servers);
  for (const name of ["host", "mirror", "model that says rows"])
    expect(
      before.some((route) => route.startsWith(`${name}: `)),
      name,
    ).toBe(true);
  for (const [location, row] of [
    [{ hostUrl: host.url, datanetId: world.datanetIds[0] }, world.digests[world.datanetIds[0]]!],
    [saying.place, saying.digests[0]!],
  ] as const)
    await withdrawRow(world.alice, { ...location, row });
  await bring();
  const [model] = saying.walked.servers;
  const ofRows = { ...model!, routes: model!.routes.filter(({ path }) => path.endsWith("/rows/:row")) };
  await expect.poll(() => telling(world.dave, gone, [ofRows]), { timeout: 60_000 }).toEqual([]);
  expect(await telling(world.dave, gone, servers)).toEqual([]);
  const papers = await writeModelPapers(world.dave, {
    modelId: saying.modelId,
    hostUrlOf: () => host.url,
    store: await openRowStore(join(ledger.folder, "papers")),
    published: saying.published as never,
  });
  expect(marksIn(JSON.stringify(papers), gone)).toEqual([]);
});
