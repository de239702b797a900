/** Proposals and charters in lines of text, in full: what members read before they agree, in commands and pages. */
import { decodeAmount } from "@openledger/circuits/ledger/amount-float";
import { KIND_RULES } from "@openledger/circuits/protocol";
import { formatOpen } from "../sequencer/open-amount.ts";
import { type Charter, dealersOf } from "./group-charter.ts";
import { type GroupProposal, type ProposalSubject, proposalLeaf } from "./group-proposal.ts";

/** Everything that the group signs, a line for each field. */
export function describeProposal(proposal: GroupProposal): string[] {
  const { subject, untilMs } = proposal;
  const shown = subject.kind === "operation" ? subject.operation : subject.body;
  return [
    `${subject.kind} for leaf ${proposalLeaf(proposal)}, until ${new Date(untilMs).toISOString()}`,
    ...amountOf(subject),
    ...Object.entries(shown).map(([field, value]) => `${field}: ${quote(value)}`),
  ];
}

/** The amount that an operation moves, as people read it; its code is among the fields. */
function amountOf(subject: ProposalSubject): string[] {
  if (subject.kind !== "operation") return [];
  const { amountCode, kind } = subject.operation;
  const doesMove = KIND_RULES.some(({ movesAmount, name }) => name === kind && movesAmount);
  return doesMove ? [`amount: ${formatOpen(decodeAmount(BigInt(amountCode)))} OPEN`] : [];
}

/** What a charter makes, and of what. */
export function describeCharter(charter: Charter): string[] {
  const { members, name, previous, threshold, untilMs } = charter;
  return [
    `${name}: ${threshold} of ${members.length} sign, until ${new Date(untilMs).toISOString()}`,
    ...members.map(({ keyX, leafId }) => `member: leaf ${leafId}, key ${keyX}`),
    ...(previous === null
      ? []
      : [`replaces ${previous.session}, by ${dealersOf(charter).length} of ${previous.members.length}`]),
  ];
}

/** A value on one line, as it is: a text of it looks like no line of ours, and turns no direction of writing. */
const quote = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (sign) => `\\u{${sign.codePointAt(0)!.toString(16)}}`,
  );
