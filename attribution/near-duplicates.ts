import { type NearDuplicate, ROW_RULES } from "./row-rules.ts";
import { ImageIndex, type ImageShape } from "./similar-images.ts";
import { TextIndex } from "./similar-texts.ts";

/** Rows in the order of contribution. */
export type ComparableRows = {
  /** Contents without their labels: texts as UTF-8, images as grey levels, a byte a pixel. */
  readonly contents: readonly Uint8Array[];
  /** Only rows of equal labels are compared: the same content with another label is a dispute, not a copy. */
  readonly labels: ArrayLike<number>;
  /** Default: as ROW_RULES says. */
  readonly threshold?: number;
} & ({ readonly kind: "text" } | ({ readonly kind: "image" } & ImageShape));

/**
 * The rows that are nearly an earlier one, with the most similar row before them that is no near-duplicate itself.
 * So a cluster is a row and all that are similar *to it*: long chains of small steps do not join up. Every pair is
 * found; no hash function has to be kept from the copyist. Ascending by `later`.
 */
export function nearDuplicates(rows: ComparableRows): NearDuplicate[] {
  const out: NearDuplicate[] = [];
  const placesByLabel = new Map<number, number[]>();
  for (const place of rows.contents.keys()) {
    const label = rows.labels[place]!;
    const places = placesByLabel.get(label);
    if (places === undefined) placesByLabel.set(label, [place]);
    else places.push(place);
  }
  for (const places of placesByLabel.values()) {
    const index = indexOf(
      rows,
      places.map((place) => rows.contents[place]!),
    );
    for (const [k, later] of places.entries()) {
      const found = index.mostSimilar(k);
      if (found === undefined) index.add(k);
      else out.push({ later, earlier: places[found.earlier]!, similarity: found.similarity });
    }
  }
  return out.sort((a, b) => a.later - b.later);
}

function indexOf(rows: ComparableRows, contents: readonly Uint8Array[]): TextIndex | ImageIndex {
  switch (rows.kind) {
    case "text":
      return new TextIndex(contents, rows.threshold ?? ROW_RULES.textSimilarity);
    case "image":
      return new ImageIndex(contents, rows, rows.threshold ?? ROW_RULES.imageSimilarity);
    default:
      return rows satisfies never;
  }
}
