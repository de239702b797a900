/**
 * Figure of a model (attribution/model/model-figure.ts) that its leaf has signed. Who registers the model signs it; its server shows it,
 * so a reader checks that it is of this model and by its key: a server may show another model's, an older one's or one that it has altered.
 */
import { figureSchema, sumsOf } from "@openledger/attribution/model/model-figure";
import type { Signature } from "@openledger/circuits/field/curve/eddsa";
import { toHexSignature } from "@openledger/circuits/wire/hex-signature";
import { hex32 } from "@openledger/foundation/hex";
import { z } from "zod";
import { checkSignatures, idOfMessage, signatureSchema, taggedMessage } from "./record.ts";

/** File of the signed figure in a model's folder, beside the unsigned one. */
export const SIGNED_FIGURE_FILE = "signed-figure.json";
/** Maximum bytes of it: fifty labels of sixty characters. */
export const MAX_FIGURE_BYTES = 65_536;

const hex = z.string().regex(/^0x[0-9a-f]{64}$/);

const bodySchema = z.strictObject({
  /** The model's leaf, which signs. */
  modelId: z
    .int()
    .min(0)
    .max(2 ** 24 - 1),
  /** Hash of the model's statics. */
  modelRoot: hex,
  /** Version of the model's first Datanet that it was trained on, and the root of that version's rows. */
  version: z.int().min(1).max(0xffff_ffff),
  versionRoot: hex,
  figure: figureSchema,
});
export type FigureBody = z.output<typeof bodySchema>;

export const signedFigureSchema = z.strictObject({
  body: bodySchema,
  /** Key that signed, as x-coordinate. */
  keyX: z
    .string()
    .regex(/^0x[0-9a-fA-F]{1,64}$/)
    .transform((text) => hex32(BigInt(text))),
  signature: signatureSchema,
});
export type SignedFigure = z.output<typeof signedFigureSchema>;

const messageOf = (domain: bigint, body: FigureBody): bigint =>
  taggedMessage("OpenLedger model figure v1", domain, body);

/** Id of a figure: whoever recomputes it names it (`verified` of record.ts). */
export const figureId = (domain: bigint, body: FigureBody): `0x${string}` =>
  idOfMessage(messageOf(domain, body));

export function signFigureBody(
  domain: bigint,
  body: FigureBody,
  key: { readonly keyX: bigint; sign(message: bigint): Signature },
): SignedFigure {
  return { body, keyX: hex32(key.keyX), signature: toHexSignature(key.sign(messageOf(domain, body))) };
}

/** True if the key that it names has signed it. The caller checks whose key it is. */
const isFigureSigned = (domain: bigint, signed: SignedFigure): boolean =>
  checkSignatures([signed], [messageOf(domain, signed.body)])[0]!;

/** Model that a figure has to be of. */
export interface FiguredModel {
  readonly modelId: number;
  /** Hash of the model's statics, by the ledger. */
  readonly modelRoot: string;
  readonly version: number;
  /** Rows of the version, or more, of several Datanets. */
  readonly rowCount: number;
  /** The key that the model's leaf has now, in 0x-hex of 32 bytes. */
  readonly keyX: string;
}

/** Why a figure that a server shows counts for nothing. */
export type FigureFault =
  /** No record of this form: also one without a signature. */
  | "unsigned"
  | "other-model"
  /** It is of the same leaf's number, and of other statics or another version. */
  | "other-version"
  /** The key that it names has not signed these numbers. */
  | "altered"
  /** Signed, but by another key than the model's leaf has now. */
  | "other-key"
  /** It is of more rows than the version has. */
  | "too-many-rows";

/** Sentence's part about each fault: "its server shows …". */
export const FAULT_WORDS: Readonly<Record<FigureFault, string>> = {
  unsigned: "a figure that nobody has signed",
  "other-model": "the figure of another model",
  "other-version": "a figure of another version",
  altered: "a figure whose numbers the model's leaf has not signed",
  "other-key": "a figure that another key than the leaf's present one has signed",
  "too-many-rows": "a figure of more rows than the version has",
};

export type JudgedFigure =
  | { readonly signed: SignedFigure; readonly fault: null }
  | { readonly signed: null; readonly fault: FigureFault };

/** Judges what a server shows as a model's figure. Needs `initPoseidon`. */
export function judgeFigure(domain: bigint, shown: unknown, model: FiguredModel): JudgedFigure {
  const refused = (fault: FigureFault): JudgedFigure => ({ signed: null, fault });
  const parsed = signedFigureSchema.safeParse(shown);
  if (!parsed.success) return refused("unsigned");
  const signed = parsed.data;
  const { body, keyX } = signed;
  if (body.modelId !== model.modelId) return refused("other-model");
  if (body.modelRoot !== model.modelRoot || body.version !== model.version) return refused("other-version");
  if (!isFigureSigned(domain, signed)) return refused("altered");
  if (keyX !== model.keyX) return refused("other-key");
  return sumsOf(body.figure).rowCount > model.rowCount ? refused("too-many-rows") : { signed, fault: null };
}
