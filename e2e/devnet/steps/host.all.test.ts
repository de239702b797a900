import { join } from "node:path";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { createHostWorld, type HostWorld } from "@openledger/datanets/testing/host-world";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import type { TestHost } from "@openledger/datanets/testing/test-host";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

const home = vi.hoisted(() => {
  const folder = `/tmp/openledger-host-steps-${process.pid}`;
  process.env.OPENLEDGER_HOME = folder;
  return folder;
});
const { rmSync } = await import("node:fs");
const { openRowStore } = await import("@openledger/client/actions/data/row-store");
const { readVersion } = await import("@openledger/client/actions/data/published-version");
const { collectLabels, verifyVouching } = await import("@openledger/client/datanets/reviewed-version");
const { describeVersion } = await import("@openledger/client/datanets/described-version");
const { PEOPLE } = await import("../config.ts");
const { Journal } = await import("../journal.ts");
const { reviewedCount } = await import("../content/label-check.ts");
const { LABELLERS } = await import("../content/cards.ts");
const { mailFacts } = await import("../content/mails.ts");
const { DATANETS } = await import("../parts.ts");
const { PLANS } = await import("../plan.ts");
const { contribute, openDatanet, publish } = await import("./datanet.ts");
const { bringToHost, getAccess, publishPartCard, storeOf, untilFinal, workOnHost } = await import(
  "./host.ts"
);

type Job = Parameters<typeof workOnHost>[0];
type Leaves = Parameters<typeof workOnHost>[1];

let world: HostWorld;
let host: TestHost;
let job: Job;
let leaves: Leaves;
const said: string[] = [];
beforeAll(async () => {
  world = await createHostWorld({ card: sampleCard(), userCount: 2 + PEOPLE.length });
  host = await world.host("host");
  const users = await Promise.all(PEOPLE.map((_, i) => world.user(1 + i)));
  leaves = Object.fromEntries(PEOPLE.map((name, i) => [name, 3 + i])) as Leaves;
  const quiet = { title: () => {}, progress: () => {}, line: () => {}, alarm: () => {} };
  job = {
    console: { ...quiet, done: (text: string) => void said.push(text) },
    journal: new Journal(join(home, "journal.json")),
    people: Object.fromEntries(PEOPLE.map((name, i) => [name, users[i]!])),
    store: await openRowStore(join(home, "rows")),
    signal: new AbortController().signal,
    plan: PLANS.small,
    hostUrl: host.url,
    closeBatch: () => world.finalise(),
    announce: () => undefined,
  } as unknown as Job;
});
afterAll(async () => {
  await world.close();
  rmSync(home, { recursive: true, force: true });
});

describe("the e-mails' way through the host", () => {
  it("ends in a version that three labellers and a reviewer have made, and in a folder of mia's own", async () => {
    const datanetId = await openDatanet(job, leaves, DATANETS.mails);
    await publishPartCard(job, leaves, DATANETS.mails, datanetId);
    const last = await contribute(job, leaves, DATANETS.mails, datanetId);
    await world.finalise();
    await untilFinal(job, last);
    await workOnHost(job, leaves, datanetId);
    await getAccess(job, leaves, datanetId);
    // Labellers contradict the labels of dave's wrong commits, too.
    const commits = DATANETS.mails.commits(PLANS.small);
    const wrongRows = commits.reduce((sum, { isWrong, rows }) => sum + (isWrong ? rows.length : 0), 0);
    const disputedCount = PLANS.small.disputedCount + wrongRows;
    expect(job.journal.get("disputed-rows")).toBe(disputedCount);
    expect(job.journal.get("access-refusal")).toBe("DNT_ACCESS_NOT_GRANTED");
    const { datanet } = await getLeaf(job.people.mia, datanetId);
    expect(datanet).toMatchObject({ version: 2, rowCount: await reviewedCount(PLANS.small) });
    const { rows } = await readVersion(await storeOf(job, "mia"), datanet!.rowsRoot);
    expect(rows.length).toBe(datanet!.rowCount);
    const validators = new Set(rows.map(({ validatorId }) => validatorId));
    expect(validators).toEqual(new Set(LABELLERS.map((name) => leaves[name])));
    const location = { hostUrl: host.url, datanetId };
    const vouching = await verifyVouching(job.people.alice, { ...location, store: job.store });
    expect(vouching.exceptions).toEqual([]);
    const facts = mailFacts(PLANS.small);
    const { labels } = await collectLabels(job.people.mia, { ...location, rows });
    expect(labels).toEqual(rows.map(({ digest }) => facts.get(digest)!.right));
    // Entered again after a kill, nothing is done twice.
    const before = said.length;
    await workOnHost(job, leaves, datanetId);
    await getAccess(job, leaves, datanetId);
    expect((await getLeaf(job.people.mia, datanetId)).datanet!.version).toBe(2);
    expect(job.journal.get("disputed-rows")).toBe(disputedCount);
    expect(said.slice(before).join("\n")).toContain("sign 0 labels");
  });

  it("shows the speeches with their card, and all their rows under terms that contributors have signed", async () => {
    const part = DATANETS.speeches;
    const datanetId = await openDatanet(job, leaves, part);
    await publishPartCard(job, leaves, part, datanetId);
    await contribute(job, leaves, part, datanetId);
    await publish(job, leaves, part, datanetId);
    await world.finalise();
    await bringToHost(job, leaves, part, datanetId);
    const { card, facts } = await describeVersion(job.people.mia, { hostUrl: host.url, datanetId });
    expect(card).toEqual(part.card(leaves));
    expect(facts.signedTerms).toEqual([{ licence: "CC0-1.0", rowCount: facts.rowCount }]);
    expect(facts.contributors).toHaveLength(3);
  });
});
