/** A leaf that is shown after it was due. */

import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { encodeFunctionData } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { shownLeaf, statementTuple } from "../statements/model-commitment-calls.ts";
import { type DirectCase, directCase } from "./testing/direct-case.ts";
import {
  AVAILABILITY_CHALLENGE_FEE_WEI,
  type DisputeFixture,
  startDisputes,
} from "./testing/dispute-fixture.ts";

const DAY = 86_400n;
const FEATURES = 3;
let f: DisputeFixture;
let made: DirectCase;

beforeAll(async () => {
  [f, made] = await Promise.all([startDisputes({ mostRows: 24 }), directCase(24)]);
});
afterAll(() => f?.stop());

test("refutes, however late somebody says so", async () => {
  const { statement } = made.honest;
  const id = await f.post(statement);
  const fee = { account: f.watcher, value: AVAILABILITY_CHALLENGE_FEE_WEI };
  await f.disputes.write.challengeAvailability([id, FEATURES, 3n], fee);
  await f.passTime(8n * DAY);
  const late = [id, statementTuple(statement), [shownLeaf(made.honest, "features", 3)]] as const;
  const data = encodeFunctionData({ abi: disputesAbi, functionName: "answer", args: late as never });
  const call = { account: f.owner, to: f.disputes.address, data };
  expect(await f.refusal(call)).toBe("DisputesNoAvailabilityChallenge");
  expect(await f.disputes.read.counts([id])).toBe(false);
  await f.disputes.write.challengeUnanswered([id, FEATURES, 3n], { account: f.stranger });
  expect((await f.disputes.read.modelCommitments([id]))[2]).toBe(true);
});

test("is in time to the second", async () => {
  const { statement } = made.honest;
  const id = await f.post(statement);
  const fee = { account: f.watcher, value: AVAILABILITY_CHALLENGE_FEE_WEI };
  const hash = await f.disputes.write.challengeAvailability([id, FEATURES, 4n], fee);
  const { blockNumber } = await f.client.getTransactionReceipt({ hash });
  const { timestamp } = await f.client.getBlock({ blockNumber });
  await f.client.setNextBlockTimestamp({ timestamp: timestamp + DAY });
  const shown = [id, statementTuple(statement), [shownLeaf(made.honest, "features", 4)]] as const;
  await f.disputes.write.answer(shown as never, { account: f.owner });
  await f.passTime(7n * DAY);
  expect(await f.disputes.read.counts([id])).toBe(true);
});
