import { revertEachTest } from "@openledger/contracts/testing/chain";
import { started } from "@openledger/foundation/testing/test-fixtures";
import type { Hex } from "viem";
import { expect, test } from "vitest";
import { anyClaim } from "./testing/any-claim.ts";
import { BOND_WEI, gameCall, HOUR_SECONDS, STAKE_WEI, startTraceGame } from "./testing/trace-fixture.ts";
import { challengeCall, statementHash } from "./trace-moves.ts";

const f = started(startTraceGame);
revertEachTest(() => f);

/** Of a claim of the one statement. */
const challengeOf = (claimId: bigint) => challengeCall(claimId, statementHash(anyClaim().statement));

test("a claim that L1 takes back while its challenge is on its way, and another one under its number, takes no stake of who has challenged the other one", async () => {
  const [wrong, right] = [anyClaim(9), anyClaim(10)];
  const before = await f.client.snapshot();
  const claimId = await f.claim(wrong);
  const data = ({ statement }: typeof wrong) => challengeCall(claimId, statementHash(statement));
  const refusal = () => f.refusal(f.challenger, data(wrong), STAKE_WEI);
  expect(await refusal()).toBeNull();
  await f.client.revert({ id: before });
  expect(await f.claim(right)).toBe(claimId);
  expect(await refusal()).toBe("TraceOtherStatement");
  // It is in a block all the same where nobody estimates its gas, and takes that alone.
  await expect(f.send(f.challenger, data(wrong), STAKE_WEI)).rejects.toThrow("reverted");
  expect(await f.client.getTransactionCount({ address: f.challenger })).toBe(1);
  expect(await f.read("gameCount")).toBe(0n);
  expect(await f.client.getBalance({ address: f.game })).toBe(BOND_WEI);
  // The claim that is there now is challenged by who has compared it.
  await f.send(f.challenger, data(right), STAKE_WEI);
  await f.send(f.owner, gameCall("answer", [1n, right.statement, right.root, [right.nodes[0]], right.nodes]));
  await f.passTime(37n * HOUR_SECONDS);
  await f.send(f.owner, gameCall("endByTime", [1n]));
  expect(await f.owedWei(f.owner)).toBe(STAKE_WEI);
});

test("whoever asks again while he is paid gets it once", async () => {
  // Called with data, it passes them on to the game; paid, it asks for what it is owed once more.
  const game = f.game.slice(2);
  const selector = gameCall("withdraw", [f.stranger]).slice(2, 10);
  const paid = `63${selector}60e01b5f52306004525f5f60245f5f73${game}5af15000`;
  const runtime = `36603157${paid}5b365f5f375f5f365f3473${game}5af15000`;
  const size = (runtime.length / 2).toString(16);
  const code: Hex = `0x60${size}80600a5f395ff300${runtime}`;
  const made = await f.client.sendTransaction({ account: f.stranger, data: code });
  const address = (await f.client.getTransactionReceipt({ hash: made })).contractAddress!;
  const { path, statement } = anyClaim();
  const claimId = await f.claim({ statement, path });
  // A bond that could be taken.
  await f.claim({ statement, path });
  const challenge = { account: f.stranger, to: address, data: challengeOf(claimId) };
  await f.client.sendTransaction({ ...challenge, value: STAKE_WEI, gas: 500_000n });
  const gameId = (await f.read("gameCount")) as bigint;
  await f.passTime(37n * HOUR_SECONDS);
  const send = (data: Hex) => f.send(f.stranger, data);
  await send(gameCall("endByTime", [gameId]));
  const owed = BOND_WEI / 2n + STAKE_WEI;
  expect(await f.owedWei(address)).toBe(owed);
  await send(gameCall("withdraw", [address]));
  expect(await f.client.getBalance({ address })).toBe(owed);
  expect(await f.owedWei(address)).toBe(0n);
});

test("beyond 256 games about one claim each costs a stake more, and comes back whole; another claim's first costs a stake", async () => {
  const { path, statement } = anyClaim();
  const [first, second] = [await f.claim({ statement, path }), await f.claim({ statement, path })];
  const challenge = (claimId: bigint, wei: bigint) => f.send(f.challenger, challengeOf(claimId), wei);
  const [openBefore, baseFeeWei] = [(await f.read("openGamesOf", [f.owner])) as bigint, 0n];
  for (let open = 0; open < 256; open++) await challenge(first, STAKE_WEI);
  expect(await f.read("stakeFor", [first, baseFeeWei])).toBe(2n * STAKE_WEI);
  expect(await f.read("stakeFor", [second, baseFeeWei])).toBe(STAKE_WEI);
  expect(await f.refusal(f.challenger, challengeOf(first), STAKE_WEI)).toBe("TraceBondWrong");
  // More than that is no fault: somebody else's game may have ended meanwhile.
  const paidWei = 2n * STAKE_WEI + 5n;
  await challenge(first, paidWei);
  const last = (await f.read("gameCount")) as bigint;
  await challenge(second, STAKE_WEI);
  await f.passTime(37n * HOUR_SECONDS);
  const send = (name: string, id: bigint) => f.send(f.stranger, gameCall(name, [id]));
  const owedBefore = await f.owedWei(f.challenger);
  await send("endByTime", last - 1n);
  await send("returnStake", last);
  expect((await f.owedWei(f.challenger)) - owedBefore).toBe(BOND_WEI / 2n + STAKE_WEI + paidWei);
  expect(await f.read("openGamesOf", [f.owner])).toBe(openBefore + 256n);
});

test("a stake follows the base fee up to four of the least, and a reward up to three quarters of the bond", async () => {
  const { path, statement } = anyClaim();
  const claimId = await f.claim({ statement, path });
  const gwei = 10n ** 9n;
  // 600,000 gas of an owner's moves.
  expect(await f.read("stakeFor", [claimId, 100n * gwei])).toBe(STAKE_WEI);
  expect(await f.read("stakeFor", [claimId, 500n * gwei])).toBe(300_000_000n * gwei);
  expect(await f.read("stakeFor", [claimId, 5_000n * gwei])).toBe(4n * STAKE_WEI);
  const rewardAt = async (baseFeeWei: bigint) => {
    const snapshot = await f.client.snapshot();
    const gameId = ((await f.read("gameCount")) as bigint) + 1n;
    const sent = { account: f.stranger, to: f.game, gas: 500_000n, maxFeePerGas: 10_000n * gwei } as const;
    await f.client.sendTransaction({ ...sent, data: challengeOf(claimId), value: STAKE_WEI });
    await f.passTime(37n * HOUR_SECONDS);
    const before = await f.owedWei(f.stranger);
    await f.client.setNextBlockBaseFeePerGas({ baseFeePerGas: baseFeeWei });
    await f.client.sendTransaction({ ...sent, data: gameCall("endByTime", [gameId]) });
    const wei = (await f.owedWei(f.stranger)) - before - STAKE_WEI;
    await f.client.revert({ id: snapshot });
    return wei;
  };
  expect(await rewardAt(gwei)).toBe(BOND_WEI / 2n);
  expect(await rewardAt(200n * gwei)).toBe(600_000_000n * gwei);
  expect(await rewardAt(1_000n * gwei)).toBe((3n * BOND_WEI) / 4n);
});
