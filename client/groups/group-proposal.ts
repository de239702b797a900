/**
 * Proposals to sign with a group's key: an operation or a record, in full. Each member's software computes the message from what is
 * shown, and compares it with the ledger: nobody signs a hash that somebody else has made.
 */
import type { Message } from "@openledger/circuits/field/curve/eddsa";
import { checkForm, operationMessage, type UnsignedOperation } from "@openledger/circuits/ledger/operation";
import { KIND_RULES } from "@openledger/circuits/protocol";
import { checkMessages, word } from "@openledger/datanets/records/group-message";
import { recordMessage, recordSchema, taggedMessage } from "@openledger/datanets/records/record";
import { hex32 } from "@openledger/foundation/hex";
import type { Hex } from "viem";
import { z } from "zod";
import { groupInvalid } from "./frost-suite.ts";
import { charterSession, drawSalt, type GroupMember, membersOf } from "./group-charter.ts";
import type { GroupMailbox } from "./group-messages.ts";

const decimal = z.string().regex(/^(0|[1-9][0-9]{0,29})$/);
const leafId = z
  .int()
  .min(0)
  .max(2 ** 24 - 1);

const operationSchema = z.strictObject({
  kind: z.enum(KIND_RULES.filter(({ isSigned }) => isSigned).map(({ name }) => name)),
  a: leafId,
  b: leafId,
  amountCode: decimal,
  words: z.array(word).max(16),
  nonce: z.int().min(0),
  maxFeePerUnitWei: decimal,
});

const subjectSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("operation"),
    operation: operationSchema,
    /** Reference to leaf B, which each member compares with the ledger. */
    bRef: word,
  }),
  z.strictObject({ kind: z.literal("record"), body: recordSchema }),
]);
export type ProposalSubject = z.output<typeof subjectSchema>;

const proposalSchema = z.strictObject({
  format: z.literal("openledger.group-proposal.v1"),
  domain: word,
  /** Name of the setup that made the group's present set of shares. */
  group: word,
  /** The member who proposes, and who names the signers among those who are there. */
  proposer: word,
  subject: subjectSchema,
  /** Time at which the session ends, in Unix milliseconds. */
  untilMs: z.int().min(0),
  /** Random: a second try is another session, with other nonces. */
  salt: word,
});
export type GroupProposal = z.output<typeof proposalSchema>;

/** Name of a proposal's session: it stands for the whole proposal. */
export const proposalSession = (proposal: GroupProposal): Hex =>
  hex32(taggedMessage("OpenLedger group proposal v1", BigInt(proposal.domain), proposal));

export function makeProposal(
  { group, keyX }: GroupMember,
  { subject, untilMs }: Pick<GroupProposal, "subject" | "untilMs">,
): GroupProposal {
  const { charter } = group;
  return {
    format: "openledger.group-proposal.v1",
    domain: charter.domain,
    group: charterSession(charter),
    proposer: keyX,
    subject,
    untilMs,
    salt: drawSalt(),
  };
}

/** Checks a proposal to this member's group. @throws CLI_GROUP_INVALID */
export function readProposal({ group: { charter } }: GroupMember, value: unknown): GroupProposal {
  const parsed = proposalSchema.safeParse(value);
  if (!parsed.success) throw groupInvalid("proposal-malformed", z.prettifyError(parsed.error));
  const { data: proposal } = parsed;
  if (proposal.domain !== charter.domain || proposal.group !== charterSession(charter))
    throw groupInvalid(
      "other-group",
      "the proposal is to another group, or to a set of it that was replaced",
    );
  if (!membersOf(charter).includes(proposal.proposer))
    throw groupInvalid("no-member", "who proposes is no member of the group");
  proposalMessage(proposal);
  return proposal;
}

/** Finds a session's proposal, signed by the member that it names. @throws CLI_GROUP_INVALID if there is none */
export async function findGroupProposal(
  member: GroupMember,
  mailbox: GroupMailbox,
  session: Hex,
): Promise<GroupProposal> {
  const domain = BigInt(member.group.charter.domain);
  for (const { body, from, step, session: named } of checkMessages(domain, await mailbox.read(session))) {
    if (step !== "propose" || named !== session) continue;
    const proposal = proposalSchema.safeParse(body);
    if (proposal.success && proposal.data.proposer === from && proposalSession(proposal.data) === session)
      return readProposal(member, body);
  }
  throw groupInvalid("no-proposal", `there is no proposal ${session}`);
}

/** The operation of a proposal. @throws OP_MALFORMED, OP_UNKNOWN_KIND */
export function proposedOperation({
  operation,
}: Extract<ProposalSubject, { kind: "operation" }>): UnsignedOperation {
  const read = {
    kind: KIND_RULES.find(({ name }) => name === operation.kind)!.kind,
    a: operation.a,
    b: operation.b,
    amountCode: BigInt(operation.amountCode),
    words: operation.words.map(BigInt),
    nonce: BigInt(operation.nonce),
    maxFeePerUnitWei: BigInt(operation.maxFeePerUnitWei),
  };
  checkForm(read);
  return read;
}

export function operationSubject(operation: UnsignedOperation, bRef: bigint): ProposalSubject {
  const { a, amountCode, b, kind, maxFeePerUnitWei, nonce, words } = operation;
  const { name } = KIND_RULES.find((rule) => rule.kind === kind)!;
  return subjectSchema.parse({
    kind: "operation",
    operation: {
      kind: name,
      a,
      b,
      amountCode: `${amountCode}`,
      words: words.map(hex32),
      nonce: Number(nonce),
      maxFeePerUnitWei: `${maxFeePerUnitWei}`,
    },
    bRef: hex32(bRef),
  });
}

/** Message that the group signs for a proposal, computed from what the proposal shows. @throws OP_MALFORMED */
export function proposalMessage({ domain: text, subject }: GroupProposal): Message {
  const domain = BigInt(text);
  return subject.kind === "record"
    ? recordMessage(domain, subject.body)
    : operationMessage(proposedOperation(subject), { domain, bRef: BigInt(subject.bRef) });
}

/** The leaf that the group signs for. */
export const proposalLeaf = ({ subject }: GroupProposal): number =>
  subject.kind === "record" ? subject.body.leafId : subject.operation.a;
