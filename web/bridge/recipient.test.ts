import { setDisplayName } from "@openledger/client/datanets/display-names";
import { createHostWorld, type HostWorld } from "@openledger/datanets/testing/host-world";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Later } from "../ledger/ask-again.ts";
import { type FoundRecipient, lookUpRecipient, NOBODY, type RecipientSearch } from "./recipient.ts";

let world: HostWorld;
let search: RecipientSearch;
beforeAll(async () => {
  world = await createHostWorld({ card: sampleCard({}), userCount: 4 });
  const { url: hostUrl } = await world.host("recipient");
  const [payer, bob, other] = [await world.user(0), await world.user(1), await world.user(2)];
  await setDisplayName(bob, { hostUrl, leafId: 3, name: "Bob" });
  await setDisplayName(other, { hostUrl, leafId: 4, name: "Bobby" });
  search = { client: payer, hostUrls: [hostUrl], reader: payer, ownId: 2 };
}, 120_000);
afterAll(() => world?.close());

/** All that is shown until there is an account or a reason why not. */
const told = (text: string, where = search, later?: Later) =>
  new Promise<FoundRecipient[]>((resolve) => {
    const all: FoundRecipient[] = [];
    lookUpRecipient(
      where,
      text,
      (found) => {
        all.push(found);
        if (found.leaf !== null || found.problem !== null) resolve(all);
      },
      later,
    );
  });

it.each(["3", "Bob", "bob"])("finds the account that is called %s, and says that it looks", async (text) => {
  const found = await told(text);
  expect(found[0]).toEqual({ ...NOBODY, note: `Looking up ${text} …` });
  expect(found.at(-1)?.leaf?.id).toBe(3);
});

it("says in plain words whom it does not find", async () => {
  expect((await told("99")).at(-1)?.problem).toBe("No account 99.");
  expect((await told("Bo")).at(-1)?.problem).toMatch(/^No account is named “Bo”/);
});

it("takes none where several accounts have the name", async () => {
  const hostUrl = search.hostUrls[0]!;
  await setDisplayName(await world.user(2), { hostUrl, leafId: 4, name: "BOB" });
  expect((await told("bob")).at(-1)?.problem).toMatch(/accounts 3, 4|accounts 4, 3/);
});

it("looks again what was typed while the server was away, and says so meanwhile", async () => {
  const away = { ...search, client: { ...search.client, sequencerUrl: "http://127.0.0.1:9" } };
  const now = { ...away };
  const found = await told("3", now, (act) => {
    // The server is back.
    Object.assign(now, { client: search.client });
    act();
    return () => {};
  });
  expect(found.map(({ leaf, note }) => leaf?.id ?? note)).toEqual([
    "Looking up 3 …",
    "3 could not be looked up, as no server responds. Trying again.",
    3,
  ]);
});
