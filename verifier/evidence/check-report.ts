/** Report of `openledger verify preconfirmations`: exit status, JSON, and lines for people. */
import { kindRule } from "@openledger/circuits/protocol";
import {
  type CheckedPreconfirmation,
  isOperatorsTransaction,
  type PostedFacts,
  type PreconfirmationCheck,
} from "./preconfirmation-check.ts";
import { encodeEvidence, type PreconfirmationEvidence } from "./preconfirmation-evidence.ts";

/** Exit statuses for programs; 1 and 2 are failures and wrong usage, as for every command. */
export const EXIT_STATUS = { consistent: 0, "not-posted": 3, broken: 4 } as const;
export type Outcome = keyof typeof EXIT_STATUS;

export function outcomeOf(checked: readonly CheckedPreconfirmation[]): Outcome {
  const has = (verdict: Outcome) => checked.some((one) => one.verdict.verdict === verdict);
  if (has("broken")) return "broken";
  return has("not-posted") ? "not-posted" : "consistent";
}

/** JSON form of a checked preconfirmation; the preconfirmation is as in its file. */
export function checkedView({ evidence, verdict }: CheckedPreconfirmation): object {
  const view = (one: PreconfirmationEvidence): unknown => JSON.parse(encodeEvidence(one));
  return verdict.verdict === "broken" && verdict.reason === "two-preconfirmations"
    ? { preconfirmation: view(evidence), ...verdict, other: view(verdict.other) }
    : { preconfirmation: view(evidence), ...verdict };
}

const time = (seconds: number) => new Date(seconds * 1_000).toISOString();

/** Lines for people: the signed promise, L1's operation and its sender, and the consequence. */
export function checkedLines(
  { evidence, verdict }: CheckedPreconfirmation,
  check: PreconfirmationCheck,
): string[] {
  const { opIndex } = evidence.preconfirmation;
  switch (verdict.verdict) {
    case "consistent":
      return [`operation ${opIndex}: consistent; ${postedText(verdict.posted)}`];
    case "not-posted":
      return [
        `operation ${opIndex}: not on L1 yet; promised by ${time(evidence.preconfirmation.deadlineSeconds)}, L1's time is ${time(verdict.l1TimeSeconds)}`,
      ];
    case "broken":
      return [
        `operation ${opIndex}: BROKEN (${verdict.reason})`,
        ...preconfirmationLines("signed fact 1", evidence, check),
        ...secondFact(verdict, check),
      ];
    default:
      return verdict satisfies never;
  }
}

function secondFact(
  verdict: Extract<CheckedPreconfirmation["verdict"], { verdict: "broken" }>,
  check: PreconfirmationCheck,
): string[] {
  if (verdict.reason === "two-preconfirmations")
    return preconfirmationLines("signed fact 2", verdict.other, check);
  const moved =
    verdict.elsewhere === null
      ? "  the promised operation is not on L1"
      : `  the promised operation is elsewhere: ${postedText(verdict.elsewhere)}`;
  if (verdict.reason === "overdue") {
    const { l1TimeSeconds } = verdict;
    return [
      `  fact 2: L1's block ${check.blockNumber} is of ${time(l1TimeSeconds)}, and L1 has no such operation`,
      moved,
    ];
  }
  const { posted } = verdict;
  const sender = isOperatorsTransaction(posted, check.context)
    ? "the operator's key"
    : "through another account";
  const fact = `  signed fact 2: ${postedText(posted)}`;
  const signer = `    signed by ${posted.transactionFrom} (${sender}), taken at ${time(posted.blockTimeSeconds)}`;
  return verdict.reason === "late" ? [fact, signer] : [fact, signer, moved];
}

function preconfirmationLines(
  title: string,
  { opening, preconfirmation }: PreconfirmationEvidence,
  check: PreconfirmationCheck,
): string[] {
  const { deadlineSeconds, operationHash, opIndex, signature } = preconfirmation;
  return [
    `  ${title}: the preconfirmation promises operation ${operationHash} as number ${opIndex} by ${time(deadlineSeconds)}`,
    ...(opening === null ? [] : [`    ${operationText(opening.operation)}`]),
    `    signed by ${check.context.sequencerAddress}, whom the contract calls sequencer: ${signature}`,
  ];
}

type Shown = { kind: string; a: number; b: number; amountCode: bigint; words: readonly bigint[] };

const fieldsText = ({ a, amountCode, b, kind, words }: Shown, nonce: bigint | number) =>
  `${kind} of leaf ${a} to leaf ${b}, amount code ${amountCode}, nonce ${nonce}` +
  (words.length === 0 ? "" : `, words ${words.map((word) => `0x${word.toString(16)}`).join(" ")}`);

const operationText = (operation: NonNullable<PreconfirmationEvidence["opening"]>["operation"]) =>
  fieldsText({ ...operation, kind: kindRule(operation.kind)!.name }, operation.nonce);

const postedText = (posted: PostedFacts) =>
  `batch ${posted.batchNumber} on L1 has as number ${posted.opIndex}: ${fieldsText(posted, posted.nonce)}; transaction ${posted.transactionHash} in block ${posted.blockNumber}`;
