/** Forged slots of ForcedClaimRewards: see slot-forgeries.test.ts. */
import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { claimedRoot, PAYEE_ROLE } from "../../ledger/rewards.ts";
import { KIND } from "../../protocol.ts";
import { bodyOpenings, OPENING_OF_COUNTERS, setBits } from "../../testing/forgeries/epoch-forgery-parts.ts";
import {
  common,
  ofOwner,
  opened,
  opensNoPayee,
  PAYEE_LEAF,
  shownMember,
  withWord,
} from "../../testing/forgeries/forced-forgery-parts.ts";
import {
  BALANCE,
  expectAccepted,
  LEAF,
  LEAF_FIELD,
  loadForgeryTester,
  PATH,
  setInput,
  tester,
  testForgeries,
} from "../../testing/forgeries/forgery-check.ts";
import {
  CLAIM_REWARDS_GAIN,
  CLOSED,
  DATANET,
  HONEST,
  honest,
  nameOf,
  PAYER,
  RECIPIENT,
  World,
} from "../../testing/forgeries/forgery-world.ts";
import { packClaim } from "../epoch-operations.ts";

await initPoseidon();
beforeAll(loadForgeryTester);

const { forcedClaimRewards } = KIND;

describe(nameOf(forcedClaimRewards), () => {
  const kind = forcedClaimRewards;
  const invalid = () => honest(kind, { isValid: false });
  const executed = (changes: Parameters<typeof honest>[1]) => () =>
    honest(kind, { isValid: true, ...changes });
  const bySender = (a: number) => HONEST[kind]!.words!.with(3, new World().leaf(a).l1Owner);
  testForgeries(kind, [
    ...common(kind),
    ...ofOwner(kind),
    {
      rule: "called invalid, B opened as what is no model",
      forged: invalid,
      tamper: (inputs) => {
        opened("wideB", LEAF_FIELD.tag, 257n)(inputs);
        opensNoPayee(inputs);
      },
      at: LEAF,
    },
    {
      rule: "called invalid, the model said to have no activation",
      forged: invalid,
      tamper: (inputs) => {
        setInput(inputs, "wideRest", [0, 4], 0n);
        opensNoPayee(inputs);
      },
      at: OPENING_OF_COUNTERS,
    },
    {
      rule: "called invalid, the payee shown as another's",
      forged: invalid,
      tamper: shownMember(RECIPIENT),
      at: PAYEE_LEAF,
    },
    {
      rule: "called invalid, its accrued amount carried into the other's id",
      forged: invalid,
      tamper: (inputs) => {
        shownMember(PAYER + 1)(inputs);
        setBits(13, 24, (id) => id - 1n)(inputs);
      },
      at: PAYEE_LEAF,
    },
    {
      rule: "called invalid by another payee",
      forged: invalid,
      tamper: setBits(0, 12, () => 1n),
      at: "isForced * (forcedWord - payeeIndex - (1 << 12) * bits[12]) === 0;",
    },
    {
      rule: "called invalid by the other role",
      forged: invalid,
      tamper: setBits(12, 1, () => 1n),
      at: "isForced * (forcedWord - payeeIndex - (1 << 12) * bits[12]) === 0;",
    },
    {
      rule: "called invalid by another accrued tree",
      forged: invalid,
      tamper: (inputs) => setInput(inputs, "wideAccruedChildren", [0, 3, 7], 5n),
      at: "reads * (read[3].node - accruedRoot) === 0;",
    },
    ...bodyOpenings(kind),
    {
      rule: "by another leaf, executed",
      forged: executed({ a: DATANET, words: bySender(DATANET) }),
      at: PATH,
    },
    {
      rule: "by another leaf, shown as the payee's",
      forged: executed({ a: DATANET, words: bySender(DATANET) }),
      tamper: shownMember(DATANET),
      at: PAYEE_LEAF,
    },
    {
      rule: "another's payee, executed",
      forged: () => withWord(kind, 1, packClaim(1, 0), { isValid: true }),
      at: PATH,
    },
    {
      rule: "a model without an activation, executed",
      forged: (world) => {
        world.setCounters(CLOSED, { isReady: false });
        return honest(kind, {
          isValid: true,
          effectA: (leaf) => ({ ...leaf, balance: leaf.balance + CLAIM_REWARDS_GAIN }),
        });
      },
      at: PATH,
    },
    {
      rule: "more accrued than the tree holds",
      tamper: setBits(37, 120, (wei) => wei + 65_536n),
      at: PAYEE_LEAF,
    },
    {
      rule: "a share that is rounded another way",
      tamper: setBits(157, 16, (remainder) => remainder - 1n),
      at: BALANCE,
    },
    {
      rule: "a smaller part for the validator",
      tamper: setBits(189, 16, (parts) => parts - 1n),
      at: "reads * (split - ownerParts - (1 << 16) * validatorParts) === 0;",
    },
    {
      rule: "another claimed tree's top",
      tamper: (inputs) => setInput(inputs, "wideClaimedChildren", [0, 3, 7], 5n),
      at: "takes * (update[3].oldNode - claimedRoot) === 0;",
    },
    {
      rule: "the claimed root kept, to claim again",
      forged: () =>
        honest(kind, {
          effectB: (leaf) => ({ ...leaf, body: new World().leaf(CLOSED).body }),
        }),
      at: PATH,
    },
    {
      rule: "a word that L1 does not queue: a bit above the role",
      forged: () => withWord(kind, 1, 8192n, { isValid: false }),
      at: "isForced * (forcedWord - payeeIndex - (1 << 12) * bits[12]) === 0;",
    },
  ]);

  it("pays both roles and a model's own payee, and posts no amount, whatever the digits show", async () => {
    const rows: Parameters<typeof honest>[1][] = [
      {},
      { a: RECIPIENT, words: bySender(RECIPIENT).with(1, packClaim(0, PAYEE_ROLE.validator)) },
      { a: CLOSED, words: bySender(CLOSED).with(1, packClaim(1, PAYEE_ROLE.contributor)) },
      { a: CLOSED, words: bySender(CLOSED).with(1, packClaim(1, PAYEE_ROLE.validator)) },
      { a: DATANET, words: bySender(DATANET) },
      // A payee that is not there.
      { words: bySender(PAYER).with(1, packClaim(2, PAYEE_ROLE.contributor)) },
    ];
    for (const [i, row] of rows.entries()) {
      const { readWitness } = await expectAccepted("wide", () => honest(kind, row));
      // kind 5 | A 24 | B 24 | amount 40 | valid 1.
      const core = tester.readSignal(readWitness(), "main.frame.wideCore[0]");
      expect((core >> 53n) & (2n ** 40n - 1n), `row ${i}`).toBe(0n);
      expect(core >> 93n, `row ${i}`).toBe(i < 4 ? 1n : 0n);
    }
  });

  it("gains nothing the second time, and is executed all the same", async () => {
    await expectAccepted("wide", (world) => {
      const record = world.ledger.requireLeaf(CLOSED);
      const claimedWei = record.rewards!.claimedWei.with(
        0,
        record.rewards!.claimedWei[0]! + CLAIM_REWARDS_GAIN,
      );
      world.ledger.put(CLOSED, { ...record, rewards: { ...record.rewards!, claimedWei } });
      world.setBody(CLOSED, { claimedRoot: claimedRoot(claimedWei) });
      return honest(kind);
    });
  });
});
