/** Tests of display names at a Datanet host. */
import { setKey } from "@openledger/client/actions/ledger/account-operations";
import { findDisplayNames, setDisplayName } from "@openledger/client/datanets/display-names";
import { createRandomKey } from "@openledger/client/l2-key";
import { afterAll, beforeAll, expect, it } from "vitest";
import { displayNameProblem, MAX_NAME_BYTES, nearestDisplayName, signName } from "../records/display-name.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

let world: HostWorld;
let host: TestHost;
beforeAll(async () => {
  world = await createHostWorld({ card: sampleCard({}), userCount: 4 });
  host = await world.host("names");
});
afterAll(() => world?.close());

const namesOf = async (...leafIds: number[]) =>
  findDisplayNames(await world.user(0), { hostUrl: host.url, leafIds });

it("shows names that accounts and Datanets have signed, by number and by words, the last of each", async () => {
  const [ann, bob] = [await world.user(0), await world.user(1)];
  const { datanetId, owner } = world;
  const hostUrl = host.url;
  await setDisplayName(ann, { hostUrl, name: "Anne" });
  await setDisplayName(ann, { hostUrl, name: "Ann Lee" });
  await setDisplayName(bob, { hostUrl, name: "Zoë O’Neill" });
  await setDisplayName(owner, { hostUrl, name: "Rows of Ann", leafId: datanetId });
  expect(await namesOf(2, 3, datanetId, 4, 999)).toEqual([
    { leafId: 2, name: "Ann Lee", kind: "account" },
    { leafId: 3, name: "Zoë O’Neill", kind: "account" },
    { leafId: datanetId, name: "Rows of Ann", kind: "datanet" },
  ]);
  const found = await findDisplayNames(bob, { hostUrl, text: "ann" });
  expect(found.map(({ name }) => name)).toEqual(["Ann Lee", "Rows of Ann"]);
  expect(await findDisplayNames(bob, { hostUrl, text: "ann", limit: 1 })).toHaveLength(1);
  expect(await findDisplayNames(bob, { hostUrl, text: "anne" })).toEqual([]);

  // Somebody else's key, and a name that is taken back.
  await expect(setDisplayName(bob, { hostUrl, name: "Ann", leafId: 2 })).rejects.toMatchObject({
    code: "DNT_RECORD_INVALID",
    data: { reason: "name-signature", leafId: 2 },
  });
  await setDisplayName(bob, { hostUrl, name: "" });
  expect(await namesOf(3)).toEqual([]);
});

it("keeps names over a restart, and shows none that another key than the leaf's own has signed", async () => {
  const carol = await world.user(2);
  await setDisplayName(carol, { hostUrl: host.url, name: "Carol" });
  await host.stop();
  host = await world.host("names");
  expect(await namesOf(4)).toHaveLength(1);
  await setKey(carol, { keyX: (await createRandomKey()).keyX });
  await expect.poll(() => namesOf(4)).toEqual([]);
});

it("refuses what would pass for a number, another leaf or nothing, and older names, with a code", async () => {
  const wrong = [
    "a".repeat(MAX_NAME_BYTES + 1),
    "12",
    "0xbob",
    "bob (12)",
    "you",
    "Treasury",
    " bob",
    "bob\u202e",
    "e\u0301",
    "b\u200bob",
    "a\u0301\u0302\u0303",
    "…",
  ];
  for (const name of wrong) expect(displayNameProblem(name), JSON.stringify(name)).not.toBeNull();
  for (const name of ["b", "Spam filter", "李雷", "é", "R2-D2", "alice.eth"])
    expect(displayNameProblem(name)).toBeNull();
  expect(nearestDisplayName("(Spam) filter #2 on 🙂 a base of very many parameters indeed")).toBe(
    "Spam filter 2 on a base of very many parameters",
  );
  expect(nearestDisplayName("12 (34)")).toBe("");
  const dave = await world.user(3);
  await expect(setDisplayName(dave, { hostUrl: host.url, name: "#1" })).rejects.toMatchObject({
    code: "CLI_INPUT_INVALID",
  });
  const put = async (body: object) => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${host.url}/v1/names`, {
      method: "PUT",
      headers,
      body: JSON.stringify(body),
    });
    return ((await answer.json()) as { error?: { code: string } }).error?.code ?? "taken";
  };
  const signed = (atMs: number, name = "Dave") =>
    signName(dave.domain, { leafId: 5, name, atMs }, dave.l2Key!);
  const nowMs = Date.now();
  expect(await put(signed(nowMs))).toBe("taken");
  expect(await put(signed(nowMs)), "again").toBe("taken");
  expect(await put(signed(nowMs - 1, "David"))).toBe("DNT_RECORD_OUTDATED");
  expect(await put(signed(nowMs + 3_600_000))).toBe("DNT_RECORD_INVALID");
  expect(await put({ ...signed(nowMs + 1), body: { leafId: 5, name: "Eve", atMs: nowMs + 1 } })).toBe(
    "DNT_RECORD_INVALID",
  );
  expect(await put(signed(nowMs + 1, "x".repeat(49)))).toBe("SRV_BAD_REQUEST");
  for (const query of ["", "leaves=1&text=a", "leaves=", `leaves=${"1,".repeat(100)}1`, "text=a&limit=101"]) {
    const answer = (await (await fetch(`${host.url}/v1/names?${query}`)).json()) as {
      error: { code: string };
    };
    expect(answer.error.code, query).toBe("SRV_BAD_REQUEST");
  }
});
