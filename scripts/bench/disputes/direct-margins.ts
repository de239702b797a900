/** How far an honest direct posting is from every tolerance, and what the tolerances leave to a liar. */

import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { directTraining } from "@openledger/attribution/model/direct-training";
import {
  type DirectCase,
  registeredDirect,
} from "@openledger/challenger/internal/postings/testing/direct-case";
import { readNumbers, vectorProduct } from "@openledger/challenger/internal/statements/direct-arithmetic";
import { type DirectFault, findDirectFaults } from "@openledger/challenger/internal/statements/direct-faults";
import {
  directPosting,
  mapPlaces,
  timesRow,
} from "@openledger/challenger/internal/statements/direct-posting";
import { readInt64s } from "@openledger/challenger/internal/statements/leaf-bytes";
import { countRow, residualOf } from "@openledger/challenger/internal/statements/row-arithmetic";

/** Rows of the product Q · H that are computed exactly. */
const EXACT_ROWS = 24;
const QUERIES = 200;
const [ENTRY, INVERSE, CURVATURE] = [2 ** -8, 2 ** -28, 2 ** -38];

export async function measureMargins(made: DirectCase) {
  const { honest } = made;
  const { columnCount: width, rowCount } = honest.statement;
  const places = mapPlaces(width);
  const rowOf = (first: number, a: number) => readInt64s(honest.leaves.map[first + a]!, width)!;
  const random = new SeededRandom("margins");
  let inverseError = 0;
  for (let i = 0; i < EXACT_ROWS; i++) {
    const a = i === 0 ? width - 1 : random.nextBelow(width);
    const inverse = rowOf(places.inverse, a);
    for (let b = 0; b < width; b++) {
      const gap = vectorProduct(inverse, rowOf(places.curvature, b)) - (a === b ? 1n << 80n : 0n);
      inverseError = Math.max(inverseError, Math.abs(Number(gap)) / 2 ** 80);
    }
  }
  const values = realEntries(made);
  // An owner whose machine rounds otherwise: every parameter is off by some last bits when B is made.
  const other = await perturbed(made);
  const own = made.model.features.values;
  const [beyondHalf, othersBeyondHalf] = [own, other.values].map((entries) =>
    values.reduce((most, value, i) => Math.max(most, Math.abs(value - entries[i]!) - 0.5), -1),
  );
  const rowSums = Float64Array.from({ length: rowCount }, (_, k) =>
    values.subarray(k * width, (k + 1) * width).reduce((sum, value) => sum + Math.abs(value), 0),
  );
  let inverseSum = 0;
  for (let a = 0; a < width; a++) {
    const sum = rowOf(places.inverse, a).reduce((total, value) => total + (value < 0n ? -value : value), 0n);
    inverseSum = Math.max(inverseSum, Number(sum) / 2 ** 40);
  }
  const longest = rowSums.reduce((most, sum) => Math.max(most, sum));
  const slack = ENTRY + INVERSE * longest + CURVATURE * inverseSum * longest;
  return {
    inverseError: log2(inverseError),
    entryBeyondHalf: log2(beyondHalf!),
    othersEntryBeyondHalf: log2(othersBeyondHalf!),
    othersEntriesThatDiffer: own.reduce((count, entry, i) => count + Number(entry !== other.values[i]), 0),
    othersFaults: other.faults,
    largestRowSum: Math.round(longest),
    largestInverseRowSum: Math.round(inverseSum),
    liarsUnitsAnEntry: slack,
    ...liarsGain(values, own, slack, { width, rowCount, made }),
  };
}

/** B before it is rounded, from the posted integers: N × W. */
function realEntries({ contents, honest }: DirectCase): Float64Array {
  const { bucketCount, columnCount: width, rowCount } = honest.statement;
  const { inverse } = mapPlaces(width);
  const turned = new Float64Array(width * width);
  for (let a = 0; a < width; a++)
    for (const [b, value] of readInt64s(honest.leaves.map[inverse + a]!, width)!.entries())
      turned[b * width + a] = Number(value) / 2 ** 40;
  const weights = readInt64s(honest.leaves.weights[0]!, width)!;
  const unit = Number(readNumbers(honest.leaves.map[0]!).unit) / 2 ** 40;
  const out = new Float64Array(rowCount * width);
  for (const [k, content] of contents.entries()) {
    const row = countRow(content, bucketCount);
    const leaf = honest.leaves.facts[k]!;
    const factor = Number(new DataView(leaf.buffer, leaf.byteOffset).getBigUint64(0)) / 2 ** 40;
    const pulled = (-unit * factor * Number(residualOf(row, weights))) / 2 ** 40;
    out.set(
      timesRow(row, turned, width).map((value) => value * pulled),
      k * width,
    );
  }
  return out;
}

/** B of parameters that are off by up to 2^−50 of themselves, and what the finder says of it beside the honest leaves. */
async function perturbed({ contents, model, rows, trained }: DirectCase) {
  const random = new SeededRandom("another machine");
  const parameters = model.parameters.map((x) => x * (1 + (random.nextFraction() - 0.5) * 2 ** -49));
  const features = await directTraining.features({ ...model, parameters } as never, rows, {});
  const posted = directPosting(registeredDirect({ ...trained, features }), contents, 11);
  const found: DirectFault[] = [...findDirectFaults(posted, rows)];
  return { values: features.values, faults: found.length };
}

/**
 * What a row's share of payouts grows by at most, relative, if all of its entries that lie within `slack` of another
 * rounding are turned in favour of the mean of queries.
 */
function liarsGain(
  values: Float64Array,
  own: Int16Array,
  slack: number,
  { width, rowCount, made }: { width: number; rowCount: number; made: DirectCase },
) {
  const queries = made.contents.slice(0, QUERIES).map((content) => {
    const row = countRow(content, width - 1);
    const query = new Float64Array(width);
    for (const [bucket, count] of row.counts) query[bucket] = count;
    query[width - 1] = Math.sqrt(row.terms);
    const side = row.label === 0 ? 1 : -1;
    return query.map((x) => (x * side) / Math.sqrt(row.terms || 1));
  });
  const shares = new Float64Array(rowCount);
  const scoreOf = (k: number, query: Float64Array) => {
    let sum = 0;
    for (let a = 0; a < width; a++) sum += own[k * width + a]! * query[a]!;
    return sum;
  };
  const totals = queries.map((query) => {
    let total = 0;
    for (let k = 0; k < rowCount; k++) total += Math.max(0, scoreOf(k, query));
    return total;
  });
  for (const [i, query] of queries.entries())
    for (let k = 0; k < rowCount; k++)
      shares[k]! += Math.max(0, scoreOf(k, query)) / totals[i]! / queries.length;
  const mean = new Float64Array(width);
  for (const query of queries) for (let a = 0; a < width; a++) mean[a]! += query[a]! / queries.length;
  let turned = 0;
  let largest = 0;
  for (let k = 0; k < rowCount; k++) {
    let gained = 0;
    const better = new Map<number, number>();
    for (let a = 0; a < width; a++) {
      const gap = values[k * width + a]! - own[k * width + a]!;
      if (Math.abs(gap) < 0.5 - slack) continue;
      turned++;
      if (Math.sign(gap) === Math.sign(mean[a]!)) better.set(a, Math.sign(gap));
    }
    for (const [i, query] of queries.entries()) {
      let more = 0;
      for (const [a, step] of better) more += step * query[a]!;
      const score = scoreOf(k, query);
      gained += (Math.max(0, score + more) - Math.max(0, score)) / totals[i]! / queries.length;
    }
    largest = Math.max(largest, gained);
  }
  return {
    partOfEntriesHeCanTurn: turned / values.length,
    /** Of all payouts, by one row at most, beside the mean share of a row. */
    largestGainOfARow: largest,
    meanShare: 1 / rowCount,
  };
}

const log2 = (value: number): string => (value <= 0 ? "none" : `2^${Math.log2(value).toFixed(1)}`);
