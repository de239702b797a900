/** A claim that L1 takes back while its challenge is on its way, and another one under its number. */

import { encodeFunctionData } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anyClaim } from "../games/testing/any-claim.ts";
import {
  BOND_WEI,
  HOUR_SECONDS,
  STAKE_WEI,
  startTraceGame,
  type TraceFixture,
  traceGameAbi,
} from "../games/testing/trace-fixture.ts";
import { challengeCall, statementHash } from "../games/trace-moves.ts";

let f: TraceFixture;

beforeAll(async () => {
  f = await startTraceGame();
});
afterAll(() => f?.stop());

const call = (functionName: string, args: readonly unknown[]) =>
  encodeFunctionData({ abi: traceGameAbi, functionName, args } as never);

test("takes no stake of who has challenged the other one", async () => {
  const [wrong, right] = [anyClaim(9), anyClaim(10)];
  const before = await f.client.snapshot();
  const claimId = await f.claim(wrong);
  const challengeOf = ({ statement }: typeof wrong) => ({
    ...{ account: f.challenger, to: f.game, value: STAKE_WEI },
    data: challengeCall(claimId, statementHash(statement)),
  });
  expect(await f.refusal(challengeOf(wrong))).toBeNull();
  await f.client.revert({ id: before });
  expect(await f.claim(right)).toBe(claimId);
  expect(await f.refusal(challengeOf(wrong))).toBe("TraceOtherStatement");
  // It is in a block all the same where nobody estimates its gas, and takes that alone.
  const sent = f.client.sendTransaction({ ...challengeOf(wrong), gas: 5_000_000n });
  await expect(sent).rejects.toThrow("reverted");
  expect(await f.client.getTransactionCount({ address: f.challenger })).toBe(1);
  expect(await f.client.readContract({ ...f.read, functionName: "gameCount" })).toBe(0n);
  expect(await f.client.getBalance({ address: f.game })).toBe(BOND_WEI);
  // The claim that is there now is challenged by who has compared it.
  await f.client.sendTransaction({ ...challengeOf(right), gas: 5_000_000n });
  const answer = call("answer", [1n, right.statement, right.root, [right.nodes[0]], right.nodes]);
  await f.client.sendTransaction({ account: f.owner, to: f.game, data: answer, gas: 5_000_000n });
  await f.passTime(37n * HOUR_SECONDS);
  await f.client.sendTransaction({
    account: f.owner,
    to: f.game,
    data: call("endByTime", [1n]),
    gas: 5_000_000n,
  });
  expect(await f.owedWei(f.owner)).toBe(STAKE_WEI);
});
