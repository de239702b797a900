/** Tests of the week's notice where the sequencer prunes its history: what nobody has read is not taken for nothing. */
import { KIND } from "@openledger/circuits/protocol";
import { transfer } from "@openledger/client/actions/ledger/account-operations";
import { findRows } from "@openledger/client/datanets/browse-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { getKeyNotice } from "@openledger/client/datanets/key-notice";
import { listAccess, sayRecords, type UnsignedRecord } from "@openledger/client/datanets/signed-records";
import { createRandomKey } from "@openledger/client/l2-key";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getLeaf, readOperations } from "@openledger/client/sequencer/ledger-reads";
import { queue } from "@openledger/sequencer/testing/test-operator";
import { afterAll, beforeAll, expect, it } from "vitest";
import { KEY_NOTICE_MS } from "../store/key-notices.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

/** Operations that the sequencer holds, at least. */
const RETENTION = 20;
const card = sampleCard({ access: "permissioned" });
let world: HostWorld;
let host: TestHost;
beforeAll(async () => {
  world = await createHostWorld({
    ...{ card, userCount: 4 },
    environment: { SEQUENCER_RETENTION: String(RETENTION) },
  });
  // The host compares times of batches with its own.
  Object.defineProperty(world.rollup.clock, "nowMs", { get: () => Date.now() });
  host = await world.host("one");
  await bringCard(world.owner, { ...location(), card });
});
afterAll(() => world?.close());

const location = (at = host) => ({ hostUrl: at.url, datanetId: world.datanetId });
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "taken",
    ({ code }: { code: string }) => code,
  );
const say = async (client: LedgerClient, record: UnsignedRecord) =>
  (await sayRecords(client, { ...location(), records: [record] }))[0]!.error?.code ?? "taken";
const read = (client: LedgerClient, at: TestHost) =>
  codeOf(findRows(client, { ...location(at), limit: 1, isSigned: true }));

it("holds a forced key back, though the thief has pushed it out of the sequencer's history", async () => {
  const [ann, bob, carl] = [await world.user(1), await world.user(2), await world.user(3)];
  for (const reader of [ann, carl]) {
    expect(await say(reader, { kind: "accessRequest", purpose: "to read" })).toBe("taken");
    const { requests } = await listAccess(reader, location());
    const { id } = requests.find(({ leafId }) => leafId === reader.leafId)!;
    const untilMs = Date.now() + 30 * 86_400_000;
    const grant = { kind: "accessAnswer", request: id, answer: "grant" } as const;
    expect(await say(world.owner, { ...grant, untilMs, note: "" })).toBe("taken");
    expect(await read(reader, host)).toBe("taken");
  }
  const l2Key = await createRandomKey();
  const { l1Owner } = await getLeaf(ann, ann.leafId!);
  await queue(world.rollup, { kind: KIND.forcedSetKey, a: ann.leafId!, word1: l2Key.keyX }, l1Owner);
  await world.finalise();
  const thief = { ...ann, l2Key };
  for (let i = 0; i < 2 * RETENTION; i++) {
    await transfer(thief, { to: bob.leafId!, amountWei: 1_000n });
    await world.finalise();
  }
  const { log } = world.rollup.sequencer;
  await log.pruned();
  const page = await readOperations(bob, ann.leafId!, { limit: 200 });
  expect(page.operations.every(({ kind }) => kind === "transfer")).toBe(true);
  expect(page).toMatchObject({ isComplete: false, nextBefore: null, prunedBeforeMs: expect.any(Number) });
  expect(page.operations.length).toBeLessThan(2 * RETENTION);
  // Nothing of Carl's is left, since nothing has happened to his leaf for long.
  await expect(readOperations(bob, carl.leafId!)).rejects.toMatchObject({
    code: "SEQ_HISTORY_PRUNED",
    data: { prunedBeforeMs: page.prunedBeforeMs },
  });

  // Attack: a host that starts now has read nothing of the leaf before.
  const again = await world.host("one");
  expect(await read(thief, again)).toBe("DNT_KEY_NOTICE");
  await expect(getKeyNotice(bob, { hostUrl: again.url, leafId: ann.leafId! })).rejects.toMatchObject({
    code: "DNT_KEY_NOTICE",
    data: { reason: "history-pruned" },
  });
  expect(await read(carl, again)).toBe("DNT_KEY_NOTICE");
  // A week later all that is pruned is older than a week.
  again.clock.aheadMs = KEY_NOTICE_MS + 60_000;
  for (const { leafId } of [ann, carl])
    expect(await getKeyNotice(bob, { hostUrl: again.url, leafId: leafId! })).toBeNull();
}, 60_000);
