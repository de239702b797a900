/** An owner's answers to whatever somebody asks for. */

import { join } from "node:path";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { DEFAULT_SPENDING_CAP } from "@openledger/contracts/l1/capped-transaction";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { testFolder } from "@openledger/foundation/testing/test-folder";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openChallenger } from "../challenger.ts";
import { type DirectCase, directCase } from "../model-commitments/testing/direct-case.ts";
import {
  AVAILABILITY_CHALLENGE_FEE_WEI,
  type DisputeFixture,
  startDisputes,
} from "../model-commitments/testing/dispute-fixture.ts";
import { inOrder } from "../sending/l1-queue.ts";
import { openL1Sender } from "../sending/l1-sender.ts";
import { TREES } from "../statements/committed-model.ts";

const folder = testFolder("answers");
let f: DisputeFixture;
let made: DirectCase;
beforeAll(async () => {
  [f, made] = await Promise.all([startDisputes({ mostRows: 24 }), directCase(24)]);
  await writeModel(join(folder, "11"), made.model);
});
afterAll(() => f?.stop());

test("a place whose number no double has is answered as any other behind the last leaf", async () => {
  const id = await f.post(made.honest.statement);
  const asked = [2n ** 53n + 1n, 2n ** 256n - 1n];
  for (const index of asked)
    await f.disputes.write.challengeAvailability([id, TREES.indexOf("map"), index], {
      ...{ account: f.stranger, value: AVAILABILITY_CHALLENGE_FEE_WEI },
    });
  const sender = await openL1Sender({
    account: anvilAccount(1),
    rpcUrl: f.url,
    cap: DEFAULT_SPENDING_CAP,
  });
  const challenger = await openChallenger(
    {
      ...{ rpcUrl: f.url, disputes: f.disputes.address, rollup: null, everyMs: null, folder: null },
      ...{ roles: new Set(["defend"]), places: { models: folder }, mostFeesWei: 0n },
    },
    { sender: inOrder(sender, () => {}), onProgress() {} },
  );
  const { failures, view } = await challenger.look();
  challenger.close();
  expect(failures).toEqual([]);
  expect(view.answered).toMatchObject(asked.map((index) => ({ index })));
  // What nobody has shown a day later takes the bond.
  expect((await f.disputes.read.modelCommitments([id]))[4]).toBe(0);
});
