/** Card of a Datanet for tests. */
import { CARD_FORMAT, type Card } from "../card/card.ts";

/** A card of short texts in two classes; tests change what they are about. */
export function sampleCard(changes: Partial<Card> = {}): Card {
  return {
    format: CARD_FORMAT,
    name: "Sentences about weather",
    description: "Short sentences, each about good or bad weather.",
    field: "weather",
    tags: ["short", "english"],
    licence: "CC-BY-4.0",
    languages: ["en"],
    contact: "weather@example.org",
    row: { kind: "text", fields: [], maxBytes: 1_000 },
    labels: [
      { name: "good", description: "One would go out." },
      { name: "bad", description: "One would stay in." },
    ],
    instructions: "Say whether one would go out.",
    examples: [{ input: "The sun shines.", label: "good", why: "Nobody gets wet." }],
    access: "public",
    labelling: { annotatorsPerRow: 2, accept: "all", labellers: "anyone", reviewers: [] },
    rewards: {
      validator: "drawn",
      nearDuplicates: "leave-out",
      textSimilarityPermille: 700,
      imageSimilarityPermille: 950,
      clipQuantilePermille: 990,
      basePermille: 0,
    },
    ...changes,
    // As every new permissioned Datanet: tests of earlier ones name their row.
    ...(changes.access === "permissioned" && changes.row === undefined ? { row: SALTED_ROW } : {}),
  };
}

const SALTED_ROW: Card["row"] = { kind: "text", fields: [], maxBytes: 1_000, digests: "salted" };

const SUBJECTS = ["The sun", "The rain", "A cloud", "The wind", "Some snow", "The fog", "A storm", "The sky"];
const VERBS = ["warms", "wets", "darkens", "crosses", "covers", "leaves", "reaches", "spares"];

/** Sentences, all different. */
export function sampleRows(count: number, first = 0): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const n = first + i;
    const text = `${SUBJECTS[n % 8]} ${VERBS[(n >> 3) % 8]} village ${n}, says reader ${n % 97} of paper ${n % 13}.`;
    return new TextEncoder().encode(text);
  });
}
