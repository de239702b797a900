/**
 * Parts of the sequencer's answers (docs/reference/api.md) that several of its readers take: clients and pages, Datanet hosts, full
 * nodes, checks of evidence. Small enough for a page.
 */
import * as z from "zod/mini";

type Hex = `0x${string}`;

const count = z.int().check(z.nonnegative());
const hexText = (bytes: number) =>
  z.pipe(
    z.string().check(z.regex(new RegExp(`^0x[0-9a-fA-F]{${2 * bytes}}$`))),
    z.transform((text) => text.toLowerCase() as Hex),
  );

const facts = { operationHash: hexText(32), opIndex: count, deadlineSeconds: count };
/** Bytes of an ECDSA signature with its recovery bit. */
const SIGNATURE_BYTES = 65;

/** Maximum characters of a signature's text before it is judged. */
const MAX_SIGNATURE_CHARACTERS = 1_024;
/**
 * Signature as the sequencer wrote it. Its form is judged with it (`checkPreconfirmation`): a reader that lowered its letters would take
 * other bytes than those that a contract recovers a signer from.
 */
const signatureText = z.pipe(
  z.string().check(z.maxLength(MAX_SIGNATURE_CHARACTERS), z.regex(/^0x[0-9a-fA-F]*$/)),
  z.transform((text) => text as Hex),
);

/** Promise of an operation's position in the ledger's order. */
export const preconfirmation = z.object({ ...facts, signature: signatureText });

/** The same in a log: the signature is null where the sequencer signs nothing, since it may have promised the position before. */
export const loggedPreconfirmation = z.object({ ...facts, signature: z.nullable(hexText(SIGNATURE_BYTES)) });

/** A page of a leaf's operations, newest first, in the form in which its reader takes an operation. */
export const operationsPage = <Operation extends z.ZodMiniType>(operation: Operation) =>
  z.object({
    operations: z.array(operation),
    /** Name of the last operation here, for the next page; null at the end of what the sequencer has. */
    nextBefore: z.nullable(z.union([hexText(32), count])),
    /** True where nothing of the leaf is older than these; false where there may be more, here or pruned. */
    isComplete: z.boolean(),
    /** Time before which all was executed that is pruned, in Unix milliseconds; null where nothing is. */
    prunedBeforeMs: z.nullable(z.number()),
  });

/** Notice of the operator to every reader of the pages, with the time until which it applies; null for none. */
export const operatorNotice = z.nullable(
  z.object({
    title: z.string().check(z.minLength(1), z.maxLength(100)),
    text: z.string().check(z.maxLength(400)),
    untilMs: z.number(),
  }),
);
