/**
 * Records that people sign with their ledger keys about a Datanet's rows and models: labels, settled disputes,
 * approvals, terms of commits, rows left out and why, objections, withdrawals, requests for access and their answers,
 * recomputations, reports. A record is a canonical JSON text with a signature over its hash, so anyone who has it can check it without the host
 * (docs/explanation/datanets.md, "Records").
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { hexToBytes } from "@noble/hashes/utils.js";
import { type Signature, verifySignatures } from "@openledger/circuits/field/curve/eddsa";
import { digestToField } from "@openledger/circuits/ledger/version-rows";
import { fromHexSignature, toHexSignature } from "@openledger/circuits/wire/hex-signature";
import { isStorableText } from "@openledger/foundation/database/storable-text";
import { hex32 } from "@openledger/foundation/hex";
import { isWellFormed } from "@openledger/foundation/utf8";
import { z } from "zod";
import { canonicalJson } from "../terms/canonical-json.ts";
import { MAX_LICENCE_LENGTH } from "../terms/spdx-expression.ts";
import { termsFileSchema } from "../terms/terms-file.ts";

const leafId = z
  .int()
  .min(0)
  .max(2 ** 24 - 1);
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const hex = z.string().regex(/^0x[0-9a-f]{64}$/);
const note = z.string().max(4_000).refine(isWellFormed, "has half of a surrogate pair");
const label = z.string().min(1).max(60).refine(isStorableText, "has a NUL or half of a surrogate pair");
const timeMs = z.int().min(0).max(8_640_000_000_000_000);

const common = {
  /** The Datanet's leaf. */
  datanetId: leafId,
  /** Leaf whose key signs: an account, or the Datanet itself. */
  leafId,
  /** Time of the signature, in Unix milliseconds. Of two records about one subject the later one holds. */
  atMs: timeMs,
};

/** Sentence that a contributor signs about a commit. Another sentence is another kind of record. */
export const TERMS_SENTENCE = "I may give these rows, and I give them under these terms.";

export const FLAGS = ["unclear", "personal", "offensive", "broken", "copy", "wrong-language"] as const;
export const LEFT_OUT_WHY = [
  "copy",
  "near-duplicate",
  "wrong-label",
  "outlier",
  "empty",
  "truncated",
  "malformed",
  "personal",
  "off-topic",
  "other",
] as const;

/** Each kind's fields; `row` is the SHA-256 of a row's bytes, `commit` the root of a commit. */
export const recordSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("label"),
    ...common,
    row: digest,
    label,
    flags: z.array(z.enum(FLAGS)).max(FLAGS.length),
    note,
    /** Present if the labeller saw a model's suggestion before they labelled. Absent: they did not. */
    sawSuggestion: z.literal(true).optional(),
  }),
  /** Suggestion of a model for a row, brought by a reviewer for labellers to look at. It decides nothing. */
  z.strictObject({
    kind: z.literal("suggestion"),
    ...common,
    row: digest,
    label,
    /** Model, in words or by its hash. */
    model: z.string().min(1).max(200).refine(isWellFormed, "has half of a surrogate pair"),
  }),
  /** A row whose label a reviewer knows: labellers meet it in the queue as any other. */
  z.strictObject({ kind: z.literal("gold"), ...common, row: digest, label }),
  /** Decision of a reviewer on a row: its label, or null to leave it out. */
  z.strictObject({ kind: z.literal("settle"), ...common, row: digest, label: label.nullable(), note }),
  z.strictObject({
    kind: z.literal("leaveOut"),
    ...common,
    row: digest,
    isLeftOut: z.boolean(),
    why: z.enum(LEFT_OUT_WHY),
    note,
  }),
  z.strictObject({ kind: z.literal("objection"), ...common, row: digest, note: note.min(1) }),
  /** The contributor of a row withdraws it from the Datanet, for good. */
  z.strictObject({ kind: z.literal("withdrawal"), ...common, row: digest, note }),
  z.strictObject({
    kind: z.literal("verdict"),
    ...common,
    commit: hex,
    verdict: z.enum(["approve", "reject"]),
    note,
  }),
  /** The contributor of a commit gives its rows under the terms of a card. Of two the later one holds. */
  z.strictObject({
    kind: z.literal("terms"),
    ...common,
    commit: hex,
    /** Hash of the card, which the Datanet's key has signed on the ledger. */
    policy: hex,
    /** The card's licence, an SPDX expression. */
    licence: z
      .string()
      .min(1)
      .max(MAX_LICENCE_LENGTH)
      .refine(isStorableText, "has a NUL or half of a surrogate pair"),
    /** The terms file that the licence names by its hash. Absent: it names none. */
    file: termsFileSchema.optional(),
    sentence: z.literal(TERMS_SENTENCE),
  }),
  z.strictObject({ kind: z.literal("accessRequest"), ...common, purpose: note.min(1) }),
  /** Consent of an account that boards show what it earns from the Datanet's models; false takes it back. */
  z.strictObject({ kind: z.literal("showEarnings"), ...common, isShown: z.boolean() }),
  /** Answer to a request for access, signed by the Datanet's own key. `request` is the id of the record that it answers. */
  z.strictObject({
    kind: z.literal("accessAnswer"),
    ...common,
    request: hex,
    answer: z.enum(["grant", "refuse"]),
    untilMs: timeMs,
    note,
  }),
  /** The leaf has trained a model again, or computed a settlement of it again, and compared every byte. */
  z.strictObject({
    kind: z.literal("verified"),
    ...common,
    modelId: leafId,
    /** Hash of the model's statics, which commit to its features, columns, payees and binding. */
    modelRoot: hex,
    /** Version of the Datanet that the model was trained on, and the root of that version's rows. */
    version: z.int().min(1).max(0xffff_ffff),
    versionRoot: hex,
    /** The epoch whose settlement was computed again; null: the model itself. */
    epoch: z.int().min(1).max(0xffff_ffff).nullable(),
    /** The first difference; null: the same bytes. */
    difference: z
      .strictObject({
        file: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._ -]{0,59}$/),
        /** Place in the file; null if the file has none, or differs as a whole. */
        row: z.int().min(0).nullable(),
      })
      .nullable(),
    /**
     * The signed figure of unseen rows that was recomputed with the model (signed-figure.ts), by its id; with a difference in
     * figure.json the one that is wrong. Absent: the model's server showed none, or a settlement was recomputed.
     */
    figure: hex.optional(),
  }),
  /** The leaf has computed the report of bias of a version (report/report.ts), alone or with that of a model. */
  z.strictObject({
    kind: z.literal("report"),
    ...common,
    version: z.int().min(1).max(0xffff_ffff),
    versionRoot: hex,
    /** Model of the report, with the hash of its statics; null: the report is of the version alone. */
    model: z.strictObject({ id: leafId, root: hex }).nullable(),
    /** SHA-256 of the report's text. */
    report: digest,
  }),
]);
export type RecordBody = z.output<typeof recordSchema>;
export type RecordKind = RecordBody["kind"];
export type BodyOf<Kind extends RecordKind> = Extract<RecordBody, { kind: Kind }>;
export type VerifiedBody = BodyOf<"verified">;
export type ReportBody = BodyOf<"report">;

const element = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/)
  .transform((text) => hex32(BigInt(text)));
export const signatureSchema = z.strictObject({ r8x: element, r8y: element, s: element });

export const signedRecordSchema = z.strictObject({
  body: recordSchema,
  /** Key that signed, as x-coordinate: the leaf's at that time, not always today's. */
  keyX: element,
  signature: signatureSchema,
});
/** Numbers of the signature are 0x-hex of 32 bytes. */
export type SignedRecord = z.output<typeof signedRecordSchema>;

const DOMAIN_BYTES = 32;

/**
 * SHA-256(tag, domain of the rollup as 32 bytes, canonical JSON as UTF-8) mod r. It is no Poseidon hash, so it signs no
 * operation. @param tag ends in a version, as "OpenLedger datanet record v1"
 */
export function taggedMessage(tag: string, domain: bigint, value: unknown): bigint {
  const encoder = new TextEncoder();
  const hash = sha256.create();
  hash.update(encoder.encode(tag));
  hash.update(hexToBytes(domain.toString(16).padStart(2 * DOMAIN_BYTES, "0")));
  hash.update(encoder.encode(canonicalJson(value)));
  return digestToField(hash.digest());
}

/** Message that a record's key signs. */
export function recordMessage(domain: bigint, body: RecordBody): bigint {
  return taggedMessage("OpenLedger datanet record v1", domain, body);
}

/** Id of the record with a message. */
export const idOfMessage = (message: bigint): `0x${string}` => hex32(message);

export const recordId = (domain: bigint, body: RecordBody): `0x${string}` =>
  idOfMessage(recordMessage(domain, body));

export function signRecord(
  domain: bigint,
  body: RecordBody,
  key: { readonly keyX: bigint; sign(message: bigint): Signature },
): SignedRecord {
  const signature = key.sign(recordMessage(domain, body));
  return { body, keyX: hex32(key.keyX), signature: toHexSignature(signature) };
}

/** Returns, for each record, true if the key that it names has signed it. The caller checks whose key it is. */
export const checkRecords = (domain: bigint, records: readonly SignedRecord[]): boolean[] =>
  checkSignatures(
    records,
    records.map(({ body }) => recordMessage(domain, body)),
  );

/** Returns, for each signature, true if the key that it names has signed the message at its place. */
export function checkSignatures(
  signed: readonly Pick<SignedRecord, "keyX" | "signature">[],
  messages: readonly bigint[],
): boolean[] {
  return verifySignatures(
    signed.map(({ keyX, signature }, i) => ({
      keyX: BigInt(keyX),
      message: messages[i]!,
      signature: fromHexSignature(signature),
    })),
  );
}

/** Subject of a record. Of two records by one leaf about one subject the later one holds. */
export function recordSubject(body: RecordBody): string {
  return `${body.kind}/${body.leafId}/${aboutOf(body)}`;
}

/** Subject of a record, without its author and statement. */
export function aboutOf(body: RecordBody): string {
  if ("row" in body) return body.row;
  if ("commit" in body) return body.commit;
  if ("request" in body) return body.request;
  if (body.kind === "verified") return `${body.modelId}/${body.epoch ?? ""}`;
  return body.kind === "report" ? aboutReport(body) : "";
}

/** Subject of the records about a version's reports. */
export const aboutReport = ({ model, version }: Pick<ReportBody, "model" | "version">): string =>
  `${version}/${model?.id ?? ""}`;
