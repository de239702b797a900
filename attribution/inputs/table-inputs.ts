/**
 * A table's rows as counts. A number has three counts, at the knots beside it (knots.ts). A category or a truth value has three counts in
 * the bucket that its field's name and its value are hashed to. The words of a text count once each, hashed with the
 * field's name. A missing number has a bucket of its own, another missing value a hash of its own.
 *
 * Three is the largest count of a bucket. So a field of one value weighs as much as three words: a model's weights may make up for a field
 * among few words, but beside hundreds of them every field would be noise. Texts share the counts that the fields of one value leave.
 */
import { mix32 } from "../maths/seeded-random.ts";
import type { FieldValue } from "../rows/table-rows.ts";
import { bucketOf, distinctTerms } from "../rows/text-terms.ts";
import { hashOf } from "../rows/words.ts";
import { MAX_COUNT } from "./input-counter.ts";
import { countsAt } from "./knots.ts";
import { isIgnored, numberBuckets, type TableInputs } from "./model-inputs.ts";

interface TableRoom {
  readonly buckets: number;
  readonly maxTerms: number;
}

/** @param values in the order of the fields */
export function countTable(
  values: readonly FieldValue[],
  inputs: TableInputs,
  { buckets, maxTerms }: TableRoom,
): Uint8Array {
  const counts = new Uint8Array(buckets);
  const ofNumbers = numberBuckets(inputs);
  const hashedBucket = (term: number) => ofNumbers + bucketOf(term, buckets - ofNumbers);
  const add = (bucket: number, count: number) => {
    const added = Math.min(count, MAX_COUNT - counts[bucket]!);
    counts[bucket] = counts[bucket]! + added;
    total += added;
  };
  let total = 0;
  let first = 0;
  const texts: { name: string; text: string }[] = [];
  for (const [i, field] of inputs.fields.entries()) {
    if (isIgnored(field)) continue;
    const value = values[i]!;
    if (field.type === "number") {
      const { knots } = field;
      const position =
        value === null ? [{ knot: knots.length, count: MAX_COUNT }] : countsAt(value as number, knots);
      for (const { count, knot } of position) add(first + knot, count);
      first += knots.length + 1;
    } else if (field.type === "text" && value !== null)
      texts.push({ name: field.name, text: value as string });
    else add(hashedBucket(valueTerm(field.name, value)), MAX_COUNT);
  }
  const encoder = new TextEncoder();
  for (const [i, { name, text }] of texts.entries()) {
    // Each has an equal part of what is left, so that a long text takes nothing from the next one.
    const max = total + Math.floor((maxTerms - total) / (texts.length - i));
    const seed = nameHash(name);
    for (const term of distinctTerms(encoder.encode(text))) {
      if (total === max) break;
      add(hashedBucket(mix32(seed, term)), 1);
    }
  }
  // A row of one text without words is no prompt without a count.
  if (total === 0) add(hashedBucket(0), 1);
  return counts;
}

/** Zero bytes stand between a name and a value: neither a name nor a value runs into the other. */
const nameHash = (name: string): number => hashOf(`${name}\0`);
const valueTerm = (name: string, value: FieldValue): number =>
  hashOf(value === null ? `${name}\0\0` : `${name}\0${String(value)}`);
