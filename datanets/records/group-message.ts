/**
 * Messages of a group's members to each other (client/groups), as mailboxes carry them: signed with the members' ledger keys, for one
 * session and one step of it. Members check every one; a host that is a mailbox checks them to know whose quota they use.
 */
import { toHexSignature } from "@openledger/circuits/wire/hex-signature";
import { hex32 } from "@openledger/foundation/hex";
import { z } from "zod";
import { checkSignatures, signatureSchema, taggedMessage } from "./record.ts";

/** Steps of a setup (invite, open, shares, confirm), and of a signature (propose, commit, signers, part). */
const STEPS = [
  "invite",
  "open",
  "shares",
  "confirm",
  "complaint",
  "propose",
  "commit",
  "signers",
  "part",
] as const;
export type GroupStep = (typeof STEPS)[number];

type Word = `0x${string}`;
/** A field element or a hash: 0x-hex of 32 bytes. */
export const word = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/)
  .transform((text) => text as Word);

export const groupMessageSchema = z.strictObject({
  /** Name of the setup or of the proposal. */
  session: word,
  step: z.enum(STEPS),
  /** The member's ledger key. */
  from: word,
  body: z.unknown(),
  signature: signatureSchema,
});
export type GroupMessage = z.output<typeof groupMessageSchema>;

/** Maximum size of a message: more than any of a session of 16 members has. */
export const MAX_GROUP_MESSAGE_BYTES = 65_536;
/** Maximum duration of a session, in milliseconds: what a charter or proposal says beyond it is refused. */
export const MAX_SESSION_MS = 7 * 86_400_000;

const messageOf = (domain: bigint, { body, from, session, step }: Omit<GroupMessage, "signature">): bigint =>
  taggedMessage("OpenLedger group message v1", domain, { session, step, from, body });

export function signMessage(
  domain: bigint,
  key: { readonly keyX: bigint; sign(message: bigint): Parameters<typeof toHexSignature>[0] },
  content: Pick<GroupMessage, "session" | "step" | "body">,
): GroupMessage {
  const unsigned = { ...content, from: hex32(key.keyX) };
  return { ...unsigned, signature: toHexSignature(key.sign(messageOf(domain, unsigned))) };
}

/** The values that are messages with the signature of the key that they name. */
export function checkMessages(domain: bigint, values: readonly unknown[]): GroupMessage[] {
  const read = values.flatMap((value) => {
    const parsed = groupMessageSchema.safeParse(value);
    if (!parsed.success) return [];
    try {
      return [{ message: parsed.data, signed: messageOf(domain, parsed.data) }];
    } catch {
      return []; // a body without a canonical form
    }
  });
  const verdicts = checkSignatures(
    read.map(({ message: { from, signature } }) => ({ keyX: from, signature })),
    read.map(({ signed }) => signed),
  );
  return read.filter((_, i) => verdicts[i]).map(({ message }) => message);
}
