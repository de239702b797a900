import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { encodeFunctionData } from "viem";
import { expect, test } from "vitest";
import { shownLeaf, statementTuple } from "../statements/model-commitment-calls.ts";
import { directChallengeData } from "./direct-calls.ts";
import { directCase } from "./testing/direct-case.ts";
import { AVAILABILITY_CHALLENGE_FEE_WEI, BOND_WEI, lie, startDisputes } from "./testing/dispute-fixture.ts";

const HOUR = 3_600n;
const STEPS = 130;
const f = started(() => startDisputes());
const made = started(() => directCase(12));

/** What the contract should hold, kept by a second set of books. */
interface Books {
  readonly bonds: Map<bigint, bigint>;
  readonly availabilityChallenges: Map<string, `0x${string}`>;
  /** Who has asked for what was shown: such a fee is not yet anybody's. */
  readonly shown: Map<string, `0x${string}`>;
  readonly owed: Map<`0x${string}`, bigint>;
}

test("a random walk moves no wei that the books do not", { timeout: 600_000 }, async () => {
  const random = new SeededRandom("dispute money");
  const books: Books = {
    ...{ bonds: new Map(), availabilityChallenges: new Map(), shown: new Map(), owed: new Map() },
  };
  const owe = (who: `0x${string}`, wei: bigint) => books.owed.set(who, (books.owed.get(who) ?? 0n) + wei);
  const people = [f.owner, f.watcher, f.stranger];
  const tokens = made.honest.leaves.tokens.map(() => new Uint8Array());
  const modelCommitments = [made.honest, lie(made, { tokens }).posted];
  const isFalse: boolean[] = [];
  const doing = {
    ...{ posted: 0, refuted: 0, availabilityChallenged: 0, answered: 0 },
    ...{ unanswered: 0, feesBack: 0, returned: 0, withdrawn: 0 },
  };
  // In `npm test` the walk ends once it has done everything.
  const isOver = () => !isWhole && Object.values(doing).every((count) => count > 0);
  for (let step = 0; step < STEPS && !isOver(); step++) {
    const who = people[random.nextBelow(3)]!;
    const action = random.nextBelow(8);
    // Answers are for what was challenged, where something was.
    const asked = [...books.availabilityChallenges.keys(), ...books.shown.keys()];
    const availabilityChallenged =
      action === 4
        ? [...books.availabilityChallenges.keys()][1]
        : action === 5
          ? asked[step % asked.length]
          : undefined;
    const [id, index] = (
      availabilityChallenged?.split("/") ?? [
        1 + random.nextBelow(Math.max(1, isFalse.length)),
        random.nextBelow(14),
      ]
    ).map(BigInt) as [bigint, bigint];
    const key = `${id}/${index}`;
    const posted = modelCommitments[isFalse[Number(id) - 1] ? 1 : 0]!;
    const statement = statementTuple(posted.statement);
    const isDone = async (data: `0x${string}`, value = 0n) => {
      const call = { account: who, to: f.disputes.address, data, value };
      if ((await f.refusal(call)) !== null) return false;
      await f.client.sendTransaction({ ...call, gas: 5_000_000n });
      return true;
    };
    const encode = (functionName: string, args: readonly unknown[]) =>
      encodeFunctionData({ abi: disputesAbi, functionName, args } as never);
    switch (action) {
      case 0: {
        const isLie = random.nextBelow(2) === 1;
        const bondWei = BOND_WEI + BigInt(random.nextBelow(5));
        const other = await f.post(modelCommitments[isLie ? 1 : 0]!, bondWei);
        isFalse.push(isLie);
        books.bonds.set(other, bondWei);
        doing.posted++;
        break;
      }
      case 1: {
        const data = directChallengeData(id, posted, made.rows, { kind: "tokens", row: Number(index % 12n) });
        if (!(await isDone(data))) break;
        expect(isFalse[Number(id) - 1]).toBe(true);
        owe(who, books.bonds.get(id)! / 2n);
        books.bonds.delete(id);
        doing.refuted++;
        break;
      }
      case 2:
      case 3:
        if (!(await isDone(encode("challengeAvailability", [id, 1, index]), AVAILABILITY_CHALLENGE_FEE_WEI)))
          break;
        books.availabilityChallenges.set(key, who);
        doing.availabilityChallenged++;
        break;
      case 4: {
        const leaf = shownLeaf(posted, "tokens", Number(index));
        if (!(await isDone(encode("answer", [id, statement, [leaf]])))) break;
        books.shown.set(key, books.availabilityChallenges.get(key)!);
        books.availabilityChallenges.delete(key);
        doing.answered++;
        break;
      }
      case 5: {
        if (!(await isDone(encode("challengeUnanswered", [id, 1, index])))) break;
        const challengerOfLeaf = books.availabilityChallenges.get(key) ?? books.shown.get(key)!;
        // The fee of a leaf that was shown comes back of a refuted model commitment alone.
        if (books.shown.has(key)) {
          expect(books.bonds.has(id)).toBe(false);
          doing.feesBack++;
        }
        books.availabilityChallenges.delete(key);
        books.shown.delete(key);
        owe(challengerOfLeaf, AVAILABILITY_CHALLENGE_FEE_WEI + (books.bonds.get(id) ?? 0n) / 2n);
        books.bonds.delete(id);
        doing.unanswered++;
        break;
      }
      case 6:
        if (!(await isDone(encode("returnBond", [id])))) break;
        owe(f.owner, books.bonds.get(id)!);
        for (const shown of [...books.shown.keys()].filter((one) => one.startsWith(`${id}/`))) {
          owe(f.owner, AVAILABILITY_CHALLENGE_FEE_WEI);
          books.shown.delete(shown);
        }
        books.bonds.delete(id);
        doing.returned++;
        break;
      default: {
        const other = people.find((person) => person !== who)!;
        const before = await f.client.getBalance({ address: other });
        if (!(await isDone(encode("withdraw", [other])))) break;
        expect((await f.client.getBalance({ address: other })) - before).toBe(books.owed.get(other));
        books.owed.delete(other);
        doing.withdrawn++;
      }
    }
    if (random.nextBelow(3) === 0) await f.passTime(HOUR * BigInt(random.nextBelow(36)));
    const sum = [...books.bonds.values(), ...books.owed.values()].reduce((a, b) => a + b, 0n);
    const heldWei = await f.client.getBalance({ address: f.disputes.address });
    expect(heldWei).toBe(
      sum + BigInt(books.availabilityChallenges.size + books.shown.size) * AVAILABILITY_CHALLENGE_FEE_WEI,
    );
  }
  // A walk that never got somewhere shows nothing.
  expect(Object.entries(doing).filter(([, count]) => count === 0)).toEqual([]);
});
