/** Forged slots of ForcedTransfer, and witnesses for every outcome of the kinds with two leaves: see slot-forgeries.test.ts. */
import { beforeAll, describe, it } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { PAYEE_ROLE } from "../../ledger/rewards.ts";
import { KIND, MAX_AMOUNT_WEI, TREASURY_ID, WITHDRAW_ALL_WEI } from "../../protocol.ts";
import { COVERAGE, common, ofOwner, opened, withWord } from "../../testing/forgeries/forced-forgery-parts.ts";
import {
  expectAccepted,
  LEAF,
  LEAF_FIELD,
  loadForgeryTester,
  PATH,
  setInput,
  testForgeries,
} from "../../testing/forgeries/forgery-check.ts";
import {
  AMOUNT,
  type Build,
  CAPACITY,
  CLOSED,
  DATANET,
  FREE,
  honest,
  MODEL,
  nameOf,
  PAYER,
  RECIPIENT,
  WAITING,
  World,
} from "../../testing/forgeries/forgery-world.ts";
import { START_TIMESTAMP } from "../../testing/random-ledger.ts";
import { packClaim } from "../epoch-operations.ts";

await initPoseidon();
beforeAll(loadForgeryTester);

const { forcedClaimRewards, forcedCloseEpoch, forcedTransfer } = KIND;

describe("forced kinds with a leaf B", () => {
  it("have a witness for every outcome and every leaf, so that none can freeze the rollup", {
    timeout: 300_000,
  }, async () => {
    const builds: Record<string, Build> = {};
    const ids = [0, 1, PAYER, DATANET, MODEL, WAITING, CLOSED, CAPACITY - 1, FREE];
    const ownerOf = (id: number) => new World().leaf(id).l1Owner || 0xbadn;
    for (const a of ids) {
      for (const b of ids) {
        const words = [AMOUNT, ownerOf(b), 0n, ownerOf(a)];
        builds[`a transfer from ${a} to ${b}`] = () => honest(forcedTransfer, { a, b, words });
        const claimRewards = [0n, packClaim(a === CLOSED ? 1 : 0, PAYEE_ROLE.contributor), 0n, ownerOf(a)];
        builds[`a claim of ${a} from ${b}`] = () => honest(forcedClaimRewards, { a, b, words: claimRewards });
      }
      builds[`a close of ${a}`] = () => honest(forcedCloseEpoch, { b: a });
    }
    const { balance } = new World().leaf(PAYER);
    for (const wei of [1n, balance, balance + 1n, MAX_AMOUNT_WEI - 1n, WITHDRAW_ALL_WEI])
      builds[`a transfer of ${wei}`] = () => withWord(forcedTransfer, 0, wei);
    for (const [payeeIndex, role] of [
      [0, 1],
      [1, 0],
      [2, 0],
      [255, 1],
    ] as const) {
      const word1 = packClaim(payeeIndex, role);
      for (const a of [PAYER, RECIPIENT, CLOSED, TREASURY_ID]) {
        const words = [0n, word1, 0n, ownerOf(a)];
        builds[`slot ${payeeIndex} as ${role} by ${a}`] = () => honest(forcedClaimRewards, { a, words });
      }
    }
    const closes: Record<string, Parameters<World["set"]>[1] | ((world: World) => void)> = {
      "an epoch without a payment": { openAmount: 0n },
      "the last epoch": (world) => world.setCounters(MODEL, { epoch: 2n ** 24n - 1n }),
      "the last but one": (world) => world.setCounters(MODEL, { epoch: 2n ** 24n - 2n }),
      "an epoch that began with the entry": (world) => world.setBody(MODEL, { epochStart: START_TIMESTAMP }),
      "an epoch that began after the entry": (world) =>
        world.setBody(MODEL, { epochStart: START_TIMESTAMP + 100_000n }),
    };
    for (const [name, change] of Object.entries(closes)) {
      builds[name] = (world) => {
        if (typeof change === "function") change(world);
        else world.set(MODEL, change);
        return honest(forcedCloseEpoch);
      };
    }
    for (const [name, build] of Object.entries(builds)) {
      await expectAccepted("wide", build).catch((error: Error) => {
        throw new Error(`${name}: ${error.message}`, { cause: error });
      });
    }
  });
});

describe(nameOf(forcedTransfer), () => {
  const kind = forcedTransfer;
  const { balance } = new World().leaf(PAYER);
  const invalid = () => honest(kind, { isValid: false });
  testForgeries(kind, [
    ...common(kind),
    ...ofOwner(kind),
    {
      rule: "called invalid, B opened with another owner",
      forged: invalid,
      tamper: opened("wideB", LEAF_FIELD.l1Owner, 0xbadn),
      at: LEAF,
    },
    {
      rule: "called invalid, the balance said not to suffice",
      forged: invalid,
      tamper: (inputs) => setInput(inputs, "wideScratchBits", [0, 96], 0n),
      at: COVERAGE,
    },
    {
      rule: "to another owner, executed",
      forged: () => withWord(kind, 1, 0xbadn, { isValid: true }),
      at: PATH,
    },
    {
      rule: "to a leaf that is not there, made by the way",
      forged: () =>
        honest(kind, {
          b: CAPACITY - 1,
          isValid: true,
          effectB: (leaf) => ({ ...leaf, kind: 1, balance: AMOUNT }),
        }),
      at: PATH,
    },
    {
      rule: "a wei more than A has, executed",
      forged: () => withWord(kind, 0, balance + 1n, { isValid: true }),
      at: PATH,
    },
    {
      rule: "a wei more than A has, said to suffice",
      forged: () => withWord(kind, 0, balance + 1n, { isValid: true }),
      tamper: (inputs) => setInput(inputs, "wideScratchBits", [0, 96], 1n),
      at: COVERAGE,
    },
    {
      rule: "paid, and not debited",
      forged: () => honest(kind, { effectA: (leaf) => ({ ...leaf, balance: leaf.balance + AMOUNT }) }),
      at: PATH,
    },
    {
      rule: "debited, and not paid",
      forged: () => honest(kind, { effectB: (leaf) => ({ ...leaf, balance: leaf.balance - AMOUNT }) }),
      at: PATH,
    },
    {
      rule: "an amount in the core",
      forged: () => honest(kind, { amountCode: 1n }),
      at: "(1 - movesAmount - isCommit - isForcedClaimRewards) * code === 0;",
    },
  ]);
});
