/**
 * Documents of a group: the charter that a setup begins with, and the group that it makes. Both are public, and each member checks
 * them by themselves; a member's share is the one secret. Members are named by their ledger keys, as 0x-hex.
 */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { checkMessages, word } from "@openledger/datanets/records/group-message";
import { taggedMessage } from "@openledger/datanets/records/record";
import { hex32 } from "@openledger/foundation/hex";
import { Secret } from "@openledger/foundation/secret";
import type { Hex } from "viem";
import { z } from "zod";
import { isShareOf, keysOf } from "./dealing.ts";
import {
  checkBounds,
  type GroupKeys,
  groupInvalid,
  groupKey,
  MAX_MEMBERS,
  type MemberNumber,
  memberNumber,
  toKeyX,
} from "./frost-suite.ts";

/** A point's one encoding, 32 bytes. */
export const pointSchema = z.string().regex(/^[0-9a-f]{64}$/);
const leafId = z
  .int()
  .min(0)
  .max(2 ** 24 - 1);
const keys = z.array(word).max(MAX_MEMBERS);

/** A set of shares that another one replaces. */
const previousSchema = z.strictObject({
  /** Name of the setup that made it. */
  session: word,
  commitments: z.array(pointSchema).min(1).max(MAX_MEMBERS),
  members: keys,
  /** The members who deal their shares out: as many as signed for the old set. */
  dealers: keys,
});

export const charterSchema = z.strictObject({
  format: z.literal("openledger.group.v1"),
  /** Domain of the rollup. */
  domain: word,
  name: z.string().regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,59}$/u),
  /** Members who sign together. */
  threshold: z.int(),
  members: z.array(z.strictObject({ leafId, keyX: word })).max(MAX_MEMBERS),
  /** Time at which an unfinished setup ends, in Unix milliseconds. */
  untilMs: z.int().min(0),
  /** Random, so that two setups never have one name. */
  salt: word,
  /** The set that this one replaces; null for a new group. */
  previous: previousSchema.nullable(),
});
export type Charter = z.output<typeof charterSchema>;

const confirmationSchema = z.strictObject({ from: word, signature: z.unknown() });
export const groupSchema = z.strictObject({
  charter: charterSchema,
  /** Commitments to the polynomial whose value at 0 is the group's secret. */
  commitments: z.array(pointSchema).max(MAX_MEMBERS),
  /** Hash of all messages of the setup: every member has signed the same one. */
  transcript: word,
  confirmations: z.array(confirmationSchema).max(MAX_MEMBERS),
});
export type GroupDocument = z.output<typeof groupSchema>;

/** A group as one of its members has it. */
export interface GroupMember {
  readonly group: GroupDocument;
  readonly keys: GroupKeys;
  /** The member's ledger key. */
  readonly keyX: Hex;
  /** Scalar as hex, 32 bytes little-endian. */
  readonly share: Secret<string>;
}

/** Name of a setup: it stands for the whole charter. */
export const charterSession = (charter: Charter): Hex =>
  hex32(taggedMessage("OpenLedger group charter v1", BigInt(charter.domain), charter));

export const membersOf = (charter: Charter): Hex[] => charter.members.map(({ keyX }) => keyX);

/** The members' numbers in the set of shares that a charter's setup makes. */
export const numbersOf = (charter: Charter): MemberNumber[] =>
  membersOf(charter).map((keyX) => memberNumber(charterSession(charter), keyX));

/** The members who deal: all of a new group; those that the charter names where a set is replaced. */
export const dealersOf = (charter: Charter): Hex[] => charter.previous?.dealers ?? membersOf(charter);

/**
 * Reads a charter and checks all that can be checked without the ledger. The caller checks that the leaves have these keys.
 * @throws CLI_GROUP_INVALID
 */
export function readCharter(domain: bigint, value: unknown): Charter {
  const parsed = charterSchema.safeParse(value);
  if (!parsed.success) throw groupInvalid("charter-malformed", z.prettifyError(parsed.error));
  const { data: charter } = parsed;
  const { members, previous, threshold } = charter;
  if (BigInt(charter.domain) !== domain)
    throw groupInvalid("other-rollup", "the charter is for another rollup");
  checkBounds(threshold, members.length);
  if (hasTwice(members.map(({ keyX }) => keyX)) || hasTwice(members.map((member) => member.leafId)))
    throw groupInvalid("member-twice", "the charter names a member twice");
  if (previous !== null) checkPrevious(previous);
  return charter;
}

function checkPrevious({ commitments, dealers, members }: NonNullable<Charter["previous"]>): void {
  checkBounds(commitments.length, members.length);
  if (hasTwice(members) || hasTwice(dealers))
    throw groupInvalid("member-twice", "the old set names a member twice");
  if (dealers.length !== commitments.length || dealers.some((dealer) => !members.includes(dealer)))
    throw groupInvalid("dealers", `${commitments.length} members of the old set deal, and nobody else`);
}

/** Keys of the set that a charter replaces. @throws CLI_GROUP_INVALID */
export function previousKeys({ commitments, members, session }: NonNullable<Charter["previous"]>): GroupKeys {
  return keysOf(
    commitments,
    members.map((keyX) => memberNumber(session, keyX)),
  );
}

/**
 * Reads a group, and checks that every member has signed the same transcript and commitments.
 * @throws CLI_GROUP_INVALID
 */
export function readGroup(domain: bigint, value: unknown): { group: GroupDocument; keys: GroupKeys } {
  const parsed = groupSchema.safeParse(value);
  if (!parsed.success) throw groupInvalid("group-malformed", z.prettifyError(parsed.error));
  const { data: group } = parsed;
  const { commitments, transcript } = group;
  const charter = readCharter(domain, group.charter);
  if (commitments.length !== charter.threshold)
    throw groupInvalid("group-malformed", "a group has as many commitments as members who sign");
  if (charter.previous !== null && charter.previous.commitments[0] !== commitments[0])
    throw groupInvalid("key-changed", "the group has another key than the set that it replaces");
  const session = charterSession(charter);
  const messages = group.confirmations.map(({ from, signature }) => ({
    session,
    step: "confirm" as const,
    from,
    body: { transcript, commitments },
    signature,
  }));
  const confirmed = new Set(checkMessages(domain, messages).map(({ from }) => from));
  if (membersOf(charter).some((member) => !confirmed.has(member)))
    throw groupInvalid("unconfirmed", "not every member has confirmed the group");
  return { group, keys: keysOf(commitments, numbersOf(charter)) };
}

/** A member's file: the group with the member's share of its key. Who has k of them has the key. */
const memberSchema = z.strictObject({ group: z.unknown(), keyX: word, share: pointSchema });

export const writeMember = ({ group, keyX, share }: GroupMember): z.input<typeof memberSchema> => ({
  group,
  keyX,
  share: share.reveal(),
});

/** Reads a member's file, and checks that the share is the member's. @throws CLI_GROUP_INVALID */
export function readMember(domain: bigint, value: unknown): GroupMember {
  const parsed = memberSchema.safeParse(value);
  // Not zod's words: they might show the share.
  if (!parsed.success) throw groupInvalid("member-malformed", "the file is no member's share of a group");
  const { keyX, share } = parsed.data;
  const { group, keys } = readGroup(domain, parsed.data.group);
  const member = { group, keys, keyX, share: new Secret(share) };
  const number = numberOf(member);
  if (!isShareOf(group.commitments, { number, share: hexToBytes(share) }))
    throw groupInvalid("share-wrong", "the share is not this member's of this group");
  return member;
}

/** The member's number in their group's set of shares. @throws CLI_GROUP_INVALID */
export function numberOf({ group, keyX }: Pick<GroupMember, "group" | "keyX">): MemberNumber {
  if (!membersOf(group.charter).includes(keyX))
    throw groupInvalid("no-member", `${keyX} is no member of the group`);
  return memberNumber(charterSession(group.charter), keyX);
}

/** The group's ledger key. */
export const groupKeyX = (keys: GroupKeys): Hex => toKeyX(groupKey(keys));

/**
 * The part of a charter that names the set to replace. Its dealers are as many as sign for it.
 * @throws CLI_GROUP_INVALID
 */
export function previousOf(group: GroupDocument, dealers: readonly Hex[]): NonNullable<Charter["previous"]> {
  const previous = {
    session: charterSession(group.charter),
    commitments: group.commitments,
    members: membersOf(group.charter),
    dealers: [...dealers],
  };
  checkPrevious(previous);
  return previous;
}

/** 32 random bytes. */
export const drawSalt = (): Hex => `0x${bytesToHex(crypto.getRandomValues(new Uint8Array(32)))}`;

const hasTwice = (values: readonly unknown[]): boolean => new Set(values).size !== values.length;
