/** Tests that members read what they sign: amounts as amounts, and a text that imitates another line stays one line. */
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { hex32 } from "@openledger/foundation/hex";
import { expect, it } from "vitest";
import { describeProposal } from "./describe.ts";
import type { GroupProposal, ProposalSubject } from "./group-proposal.ts";

const proposalOf = (subject: ProposalSubject): GroupProposal => ({
  format: "openledger.group-proposal.v1",
  domain: hex32(7n),
  group: hex32(1n),
  proposer: hex32(2n),
  subject,
  untilMs: 0,
  salt: hex32(3n),
});
const operationOf = (kind: "transfer" | "setKey") => ({
  kind,
  a: 8,
  b: 5,
  amountCode: `${encodeAmount(15n * 10n ** 17n)}`,
  words: [],
  nonce: 0,
  maxFeePerUnitWei: "2000",
});

it("says an amount in OPEN, where the operation moves one", () => {
  const lines = (kind: "transfer" | "setKey") =>
    describeProposal(proposalOf({ kind: "operation", operation: operationOf(kind), bRef: hex32(0n) }));
  expect(lines("transfer")).toContain("amount: 1.5 OPEN");
  expect(lines("setKey").filter((line) => line.startsWith("amount:"))).toEqual([]);
});

it("shows a text of a record on one line, whatever is in it", () => {
  const note = "harmless\namount: 0 OPEN\u202e";
  const body = { kind: "withdrawal" as const, datanetId: 8, leafId: 8, atMs: 1, row: "ab".repeat(32), note };
  const lines = describeProposal(proposalOf({ kind: "record", body }));
  expect(lines).toContain('note: "harmless\\namount: 0 OPEN\\u{202e}"');
});
