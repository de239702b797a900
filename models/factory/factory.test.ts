import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sampleCard } from "../../datanets/testing/sample-card.ts";
import {
  createFactoryWorld,
  type FactoryWorld,
  jsonlOf,
  type TestFactory,
} from "../testing/factory-world.ts";
import { sampleTexts } from "../testing/text-rows.ts";
import type { JobEvent } from "./factory-api.ts";
import type { FactoryClient } from "./factory-client.ts";

let world: FactoryWorld;
let factory: TestFactory;
let alice: FactoryClient;

beforeAll(async () => {
  world = await createFactoryWorld({ userCount: 3, card: sampleCard() });
  factory = await world.factory("factory");
  alice = await factory.as(0);
});
afterAll(() => world?.close());

describe("a factory", () => {
  it("trains on rows that were uploaded, and tells of each step", async () => {
    const bases = await alice.bases();
    expect(bases.map(({ source }) => source)).toEqual(["own", "folder"]);
    const dataset = await alice.addDataset({ kind: "upload", name: "try", jsonl: jsonlOf(sampleTexts(24)) });
    const { form } = await alice.form(bases[1]!.id, dataset.id);
    const request = {
      baseId: bases[1]!.id,
      datasetId: dataset.id,
      form: { ...form, rank: 2, rowTokens: 48, heldOutRows: 4, answerTokens: 12 },
    };
    const estimate = await alice.estimate(request);
    console.log(estimate);
    const job = await alice.begin(request);
    const events: JobEvent[] = [];
    for await (const event of alice.follow(job.id)) {
      events.push(event);
      if (event.kind === "state" && /done|failed/.test(event.state)) break;
    }
    console.log(events.slice(0, 8), events.slice(-4));
    expect(events.map(({ number }) => number)).toEqual(events.map((_, i) => i + 1));
    expect(await alice.job(job.id)).toMatchObject({ state: "done", step: 20 });
    console.log((await alice.compare(job.id, { prompts: null, answerTokens: 12 })).answers);
  });
});
