import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { hashTagged, initPoseidon } from "../field/poseidon.ts";
import { TAG } from "../protocol.ts";
import { rootFromPath } from "./ledger-tree.ts";
import {
  accruedPath,
  accruedRoot,
  activationHash,
  claimedPath,
  claimedPosition,
  claimedRoot,
  closedHash,
  EMPTY_CLAIMED_ROOT,
  ownersCommitment,
  PAYEE_ROLE,
  packSplit,
  payeeLeaf,
  payeeRoot,
  roleShareWei,
  settlementHash,
  unpackSplit,
} from "./rewards.ts";

beforeAll(initPoseidon);

const node = (children: bigint[]) =>
  hashTagged(TAG.payeeNode, [...children, ...Array<bigint>(8 - children.length).fill(0n)]);
const payees = Array.from({ length: 10 }, (_, i) => ({
  contributorId: 3 + i,
  validatorId: 100,
  rowCount: 1 + i,
}));

describe("payee trees", () => {
  it("have eight children a node and 4,096 places, under PAYEE_NODE", () => {
    const leaves = payees.map((payee) => BigInt(payee.contributorId) | (BigInt(payee.validatorId) << 24n));
    const empty1 = node([]);
    const empty2 = node(Array<bigint>(8).fill(empty1));
    const level1 = [node(leaves.slice(0, 8)), node(leaves.slice(8)), ...Array<bigint>(6).fill(empty1)];
    const empty3 = node(Array<bigint>(8).fill(empty2));
    const expected = node([
      node([node(level1), ...Array<bigint>(7).fill(empty2)]),
      ...Array<bigint>(7).fill(empty3),
    ]);
    expect(payeeRoot(payees)).toBe(expected);
    expect(accruedRoot(payees, [])).toBe(expected);
    expect(EMPTY_CLAIMED_ROOT).toBe(node(Array<bigint>(8).fill(empty3)));
    expect(claimedRoot([])).toBe(EMPTY_CLAIMED_ROOT);
  });

  it("have paths that lead to their roots", () => {
    const accrued = payees.map((_, i) => BigInt(i) * 10n ** 18n);
    const root = accruedRoot(payees, accrued);
    const climb = (index: number, leaf: bigint, rows: bigint[][]) =>
      rows.reduce(
        ({ hash, at }, row) => {
          expect(row[at % 8]).toBe(hash);
          return { hash: hashTagged(TAG.payeeNode, row), at: Math.floor(at / 8) };
        },
        { hash: leaf, at: index },
      ).hash;
    for (const index of [0, 7, 8, 9]) {
      expect(
        climb(index, payeeLeaf(payees[index]!, accrued[index]), accruedPath(payees, accrued, index)),
      ).toBe(root);
    }
    const claimed = [5n, 0n, 0n, 7n];
    expect(climb(0, 5n, claimedPath(claimed, 0))).toBe(claimedRoot(claimed));
    expect(climb(1, 7n << 120n, claimedPath(claimed, 1))).toBe(claimedRoot(claimed));
    expect(climb(4_095, 0n, claimedPath(claimed, 4_095))).toBe(claimedRoot(claimed));
    // Not the ledger's own tree: the tags differ.
    expect(rootFromPath(1, 7n << 120n, claimedPath(claimed, 1))).not.toBe(claimedRoot(claimed));
  });

  it("change with every amount and every owner", () => {
    const roots = payees.map((_, i) =>
      accruedRoot(
        payees,
        payees.map((_s, j) => (i === j ? 1n : 0n)),
      ),
    );
    expect(new Set([payeeRoot(payees), ...roots]).size).toBe(payees.length + 1);
    expect(payeeRoot([{ contributorId: 1, validatorId: 2 }])).not.toBe(
      payeeRoot([{ contributorId: 2, validatorId: 1 }]),
    );
  });

  it("refuse a payee too many", () => {
    const many = Array.from({ length: 8 * 512 + 1 }, () => payees[0]!);
    expect(() => payeeRoot(many)).toThrow(
      expect.objectContaining({
        code: "CIR_SETTLEMENT_SIZE",
        data: expect.objectContaining({ reason: "too-many-payees" }),
      }),
    );
    expect(() => ownersCommitment(many.map(() => 1))).toThrow(
      expect.objectContaining({
        code: "CIR_SETTLEMENT_SIZE",
        data: expect.objectContaining({ reason: "too-many-payees" }),
      }),
    );
  });
});

describe("ownersCommitment", () => {
  it("is the chain over chunks of 15 counts that starts at their number", () => {
    const counts = Array.from({ length: 17 }, (_, i) => i + 1);
    const first = hashTagged(TAG.owners, [17n, ...counts.slice(0, 15).map(BigInt)]);
    expect(ownersCommitment(counts)).toBe(
      hashTagged(TAG.owners, [first, 16n, 17n, ...Array<bigint>(13).fill(0n)]),
    );
    expect(ownersCommitment([1])).not.toBe(ownersCommitment([1, 0]));
  });
});

describe("rewardClaims", () => {
  it("divide what a payee accrued without a wei left, and never take back", () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, 2n ** 120n - 1n),
        fc.bigInt(0n, 2n ** 96n),
        fc.bigInt(0n, 65535n),
        (wei, more, parts) => {
          const of = (accrued: bigint, role: 0 | 1) => roleShareWei(accrued, role, parts);
          expect(of(wei, PAYEE_ROLE.contributor) + of(wei, PAYEE_ROLE.validator)).toBe(wei);
          for (const role of [0, 1] as const) expect(of(wei + more, role) >= of(wei, role)).toBe(true);
        },
      ),
    );
    expect(roleShareWei(65536n * 3n + 1n, PAYEE_ROLE.validator, 655n)).toBe(655n * 3n);
    expect([claimedPosition(0, 0), claimedPosition(0, 1), claimedPosition(255, 1)]).toEqual([0, 1, 511]);
  });

  it("open a split into its two parts", () => {
    expect(packSplit({ ownerParts: 1n, validatorParts: 2n })).toBe(1n | (2n << 16n));
    expect(unpackSplit(packSplit({ ownerParts: 65535n, validatorParts: 65535n }))).toEqual({
      ownerParts: 65535n,
      validatorParts: 65535n,
    });
  });
});

describe("hashes", () => {
  it("take their fields as docs/reference/settlement.md says", () => {
    expect(closedHash(5n, { chain: 4n, epoch: 6n, closingBatch: 7n, amountWei: 8n })).toBe(
      hashTagged(TAG.closed, [4n, 5n, 6n + 7n * 2n ** 24n, 8n]),
    );
    const terms = { modelId: 1, voidCount: 2, closed: 3n, ownerWei: 4n, treasuryWei: 5n };
    expect(settlementHash({ ...terms, oldAccruedRoot: 6n, newAccruedRoot: 7n })).toBe(
      hashTagged(TAG.settlement, [1n + 2n * 2n ** 24n, 3n, 4n, 5n, 6n, 7n]),
    );
    expect(activationHash({ modelId: 1, statics: 2n, cap: 3, payeeRoot: 4n })).toBe(
      hashTagged(TAG.activation, [1n, 2n, 3n, 0n, 4n, 4n]),
    );
  });
});
