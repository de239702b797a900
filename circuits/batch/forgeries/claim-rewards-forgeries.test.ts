/** Forged slots of ClaimRewards: see slot-forgeries.test.ts. */

import { beforeAll, describe, it } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { hashModelBody, type Leaf } from "../../ledger/leaf.ts";
import { claimedRoot, PAYEE_ROLE, roleShareWei } from "../../ledger/rewards.ts";
import { KIND, TREASURY_ID } from "../../protocol.ts";
import { openings, READY, setBits, withBody } from "../../testing/forgeries/epoch-forgery-parts.ts";
import { shiftedDown } from "../../testing/forgeries/field-aliases.ts";
import {
  BALANCE,
  expectAccepted,
  loadForgeryTester,
  PATH,
  setInput,
  testForgeries,
} from "../../testing/forgeries/forgery-check.ts";
import {
  CLAIM_REWARDS_GAIN,
  CLOSED,
  DATANET,
  honest,
  RECIPIENT,
  secretOf,
  VALIDATOR_PARTS,
  World,
} from "../../testing/forgeries/forgery-world.ts";
import type { LawlessOperation } from "../../testing/forgeries/lawless-slot.ts";
import { keyXOf, OPEN } from "../../testing/random-ledger.ts";
import { packClaim } from "../epoch-operations.ts";

await initPoseidon();
beforeAll(loadForgeryTester);

const PAYEE_LEAF = "NodeRead8: bits[2] * (at1[1] - at1[0]) === child - at1[0];";
const ACCRUED_ROOT = "reads * (read[3].node - accruedRoot) === 0;";
const CLAIMED_ROOT = "takes * (update[3].oldNode - claimedRoot) === 0;";

describe("ClaimRewards", () => {
  const kind = KIND.claimRewards;
  const { rewards, model } = new World().ledger.requireLeaf(CLOSED);
  const ACCRUED_WEI = rewards!.accruedWei[0]!;
  const shareOf = (parts: bigint) => roleShareWei(ACCRUED_WEI, PAYEE_ROLE.contributor, parts);
  /** Claim of a share that is larger by `moreWei`, in the field, with the effect that it would have. */
  const paid = (moreWei: bigint): LawlessOperation => {
    const aboveWei = (rewards!.claimedWei[1] ?? 0n) << 120n;
    const leaf = shiftedDown(shareOf(VALIDATOR_PARTS) + moreWei + aboveWei, 0);
    const claimed = rewards!.claimedWei.with(0, leaf - aboveWei);
    const body = hashModelBody({ ...model!, claimedRoot: claimedRoot(claimed) });
    return honest(kind, {
      effectA: (leaf) => ({ ...leaf, balance: shiftedDown(leaf.balance + moreWei, 0) }),
      effectB: (leaf) => ({ ...leaf, body }),
    });
  };
  const VALIDATOR: Partial<LawlessOperation> = { a: RECIPIENT, words: [packClaim(0, 1)] };
  const code = "OP_NOT_PAYEE";
  testForgeries(kind, [
    ...openings(kind),
    {
      rule: "a model without an activation, whose payee root may hold what its owner likes",
      forged: (world) => {
        world.setCounters(CLOSED, { isReady: false });
        return honest(kind);
      },
      at: READY,
      code: "OP_MODEL_NOT_READY",
    },
    ...[RECIPIENT, DATANET].map((a) => ({
      rule: `leaf ${a}, which is not the contributor`,
      forged: () => honest(kind, { a }),
      at: PAYEE_LEAF,
      code,
    })),
    {
      rule: "a contributor who says to be the validator",
      lawful: () => honest(kind, VALIDATOR),
      forged: () => honest(kind, { words: [packClaim(0, 1)] }),
      at: PAYEE_LEAF,
      code,
    },
    {
      rule: "the validator in the contributor's place",
      forged: () => honest(kind, { ...VALIDATOR, words: [packClaim(0, 0)] }),
      at: PAYEE_LEAF,
      code,
    },
    {
      rule: "another's payee",
      forged: () => honest(kind, { words: [packClaim(1, 0)] }),
      at: PAYEE_LEAF,
      code,
    },
    {
      rule: "a payee that is not there",
      forged: () => honest(kind, { words: [packClaim(2, 0)] }),
      at: PAYEE_LEAF,
      code,
    },
    {
      rule: "a payee beyond 12 bits",
      forged: () => honest(kind, { words: [8192n] }),
      at: "isClaimRewards * (word - payeeIndex - (1 << 12) * bits[12]) === 0;",
      code: "OP_MALFORMED",
    },
    {
      rule: "a role that is none",
      forged: () => honest(kind, { words: [(1n << 40n) + 1n] }),
      at: "isClaimRewards * (word - payeeIndex - (1 << 12) * bits[12]) === 0;",
      code: "OP_MALFORMED",
    },
    {
      rule: "another payee than the one that is posted and signed",
      forged: () => honest(kind, { signed: { words: [packClaim(1, 0)] } }),
      tamper: (inputs) => setInput(inputs, "wideWords", [0, 0], packClaim(1, 0)),
      at: "isClaimRewards * (word - payeeIndex - (1 << 12) * bits[12]) === 0;",
    },
    {
      rule: "more accrued than the tree holds",
      forged: () => paid(65_536n - VALIDATOR_PARTS),
      tamper: setBits(37, 120, (wei) => wei + 65_536n),
      at: PAYEE_LEAF,
    },
    {
      rule: "another other leaf",
      tamper: setBits(13, 24, (id) => id + 1n),
      at: PAYEE_LEAF,
    },
    {
      // remainder − 1 and a share that is (1 / 2^16) more, in the field.
      rule: "a share that is rounded another way",
      forged: () => paid(-shiftedDown(1n, 16)),
      tamper: setBits(157, 16, (remainder) => remainder - 1n),
      at: BALANCE,
    },
    {
      rule: "a smaller part for the validator",
      forged: () => paid(shareOf(VALIDATOR_PARTS - 1n) - shareOf(VALIDATOR_PARTS)),
      tamper: (inputs) => {
        setBits(189, 16, (parts) => parts - 1n)(inputs);
        setBits(157, 16, () => ACCRUED_WEI * (VALIDATOR_PARTS - 1n))(inputs);
      },
      at: "reads * (split - ownerParts - (1 << 16) * validatorParts) === 0;",
    },
    {
      rule: "a claimed leaf that is shown lower",
      forged: () => {
        const claimedWei = rewards!.claimedWei[0]!;
        return honest(kind, { effectA: (leaf) => ({ ...leaf, balance: leaf.balance + claimedWei }) });
      },
      tamper: setBits(325, 120, () => 0n),
      at: "NodeUpdate8: (at1[1] - at1[0]) * bits[2] === oldChild - at1[0];",
    },
    {
      rule: "another claim of the other role's",
      tamper: setBits(205, 120, (wei) => wei + 1n),
      at: "NodeUpdate8: (at1[1] - at1[0]) * bits[2] === oldChild - at1[0];",
    },
    {
      rule: "the other role's claim as the role's own",
      tamper: (inputs) => {
        setBits(205, 120, () => rewards!.claimedWei[0]!)(inputs);
        setBits(325, 120, () => rewards!.claimedWei[1]!)(inputs);
      },
      at: "NodeUpdate8: (at1[1] - at1[0]) * bits[2] === oldChild - at1[0];",
    },
    {
      rule: "a path in another accrued tree",
      tamper: (inputs) => setInput(inputs, "wideAccruedChildren", [0, 0, 7], 5n),
      at: PAYEE_LEAF,
    },
    {
      rule: "another accrued tree's top",
      tamper: (inputs) => setInput(inputs, "wideAccruedChildren", [0, 3, 7], 5n),
      at: ACCRUED_ROOT,
    },
    {
      rule: "another claimed tree's top",
      tamper: (inputs) => setInput(inputs, "wideClaimedChildren", [0, 3, 7], 5n),
      at: CLAIMED_ROOT,
    },
    {
      rule: "the claimed root kept, to claim again",
      forged: withBody(kind, () => ({})),
      at: PATH,
    },
    {
      rule: "a claimed root of half the share",
      forged: withBody(kind, () => ({ claimedRoot: claimedRoot([CLAIM_REWARDS_GAIN / 2n]) })),
      at: PATH,
    },
    {
      rule: "a wei more than the share",
      forged: () => honest(kind, { effectA: (leaf: Leaf) => ({ ...leaf, balance: leaf.balance + 1n }) }),
      at: PATH,
    },
  ]);

  it("pays both roles, a model's own payee, and nothing the second time", async () => {
    const rows: Partial<LawlessOperation>[] = [
      {},
      VALIDATOR,
      { a: CLOSED, words: [packClaim(1, 0)] },
      { a: CLOSED, words: [packClaim(1, 1)] },
    ];
    for (const row of rows) await expectAccepted("wide", () => honest(kind, row));
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

  it("gives the treasury the 0 wei of a payee that is not there, as L1 would take it", async () => {
    for (const role of [PAYEE_ROLE.contributor, PAYEE_ROLE.validator]) {
      await expectAccepted("wide", (world) => {
        world.set(TREASURY_ID, { keyX: keyXOf(secretOf(TREASURY_ID)), balance: OPEN });
        return honest(kind, { a: TREASURY_ID, words: [packClaim(200, role)] });
      });
    }
  });
});
