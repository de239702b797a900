import { describe, expect, it } from "vitest";
import { isFinalizable, isOver, type Journey, journeySchema, stepsOf } from "./journey.ts";

const withdrawal: Journey = {
  id: "a",
  kind: "withdraw",
  amountWei: 5n,
  startedAtMs: 1,
  reachedAtMs: { signed: 1, accepted: 2 },
  expectedAtMs: { closed: 9 },
};
const states = (journey: Journey) => stepsOf(journey).map(({ state }) => state);
const upTo = (...milestones: string[]): Journey => ({
  ...withdrawal,
  reachedAtMs: Object.fromEntries(milestones.map((milestone, i) => [milestone, i])),
});

describe("the steps of a journey", () => {
  it("have one that is current, the first that is missing", () => {
    expect(states(withdrawal)).toEqual(["done", "done", "current", "ahead", "ahead", "ahead", "ahead"]);
  });

  it("let a withdrawal be paid out from the moment that L1 has it, and end it only when it is final, too", () => {
    const posted = upTo("signed", "accepted", "closed", "proven", "posted");
    expect([isFinalizable(withdrawal), isFinalizable(posted), isOver(posted)]).toEqual([false, true, false]);
    expect(states(posted).slice(-2)).toEqual(["current", "current"]);
    const paidOut = upTo("signed", "accepted", "closed", "proven", "posted", "paidOut");
    expect([isFinalizable(paidOut), isOver(paidOut)]).toEqual([false, false]);
    const final = upTo("signed", "accepted", "closed", "proven", "posted", "final");
    expect([isFinalizable(final), isOver(final)]).toEqual([true, false]);
    expect(isOver({ ...paidOut, reachedAtMs: { ...paidOut.reachedAtMs, final: 9 } })).toBe(true);
  });

  it("stop where it failed", () => {
    const failed = { ...withdrawal, problem: { code: "CLI_OPERATION_DROPPED", message: "dropped" } };
    expect(states(failed).slice(0, 4)).toEqual(["done", "done", "failed", "ahead"]);
    expect(isOver(failed)).toBe(true);
  });
});

describe("a journey in the browser's storage", () => {
  const text = (journey: object) =>
    JSON.stringify(journey, (_key, value) => (typeof value === "bigint" ? value.toString() : value));

  it("keeps what a contract wallet was asked for, and no address that is none", () => {
    const account = "0x00000000000000000000000000000000000000c1";
    const effect = {
      contract: "rollup",
      event: "QueueEntryAdded",
      args: { sender: account, amountWei: "5" },
    };
    const proposal = { account, hash: "0x17", isTransaction: false, fromBlock: 7, effect };
    const question = { ...withdrawal, kind: "forcedWithdraw", proposal };
    expect(journeySchema.parse(JSON.parse(text(question)))).toEqual(question);
    const wrong = { ...question, proposal: { ...proposal, account: "0x17" } };
    expect(journeySchema.safeParse(JSON.parse(text(wrong))).success).toBe(false);
  });

  it("comes back as it was, with money as bigint", () => {
    const kept: Journey = { ...withdrawal, hash: "0xab", batchNumber: 3, l1Verdict: "agrees" };
    expect(journeySchema.parse(JSON.parse(text(kept)))).toEqual(kept);
  });

  it.each([
    { ...withdrawal, amountWei: "1.5" },
    { ...withdrawal, kind: "theft" },
    { ...withdrawal, hash: "<img>" },
    { ...withdrawal, reachedAtMs: { paid: 3 } },
  ])("is left out where somebody has changed it: %#", (changed) => {
    expect(journeySchema.safeParse(JSON.parse(text(changed))).success).toBe(false);
  });
});
