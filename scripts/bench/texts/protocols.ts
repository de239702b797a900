/**
 * `npm run bench -- attribution --only texts --protocol fixed-run`: how well scores predict retraining by two protocols, on the same
 * rows and queries. Halves in new orders ask what rows are worth on average over runs; one fixed run in which some rows weigh 0, as
 * MAGIC has it (Ilyas and Engstrom 2025, arXiv 2504.16430), asks what they did in this one.
 */
import {
  type Estimate,
  groupAttributions,
  linearDatamodelingScore,
} from "@openledger/attribution/testing/quality-metrics";
import { attribute, scoresBy } from "./attributed.ts";
import { cachedMetagradients } from "./metagradient-cache.ts";
import { fixedRunWithout, halfOf, type Retraining, retrained } from "./retraining.ts";
import { openWorld, type TextSetting, type TextWorld } from "./setting.ts";
import { shareWork } from "./work-shares.ts";

export interface ProtocolOptions extends TextSetting {
  /** Retrained sets of each column. */
  readonly sets: number;
  /** Parts of the rows that weigh 0 in the fixed run. */
  readonly shares: readonly number[];
  /** Processes that retrain at once. */
  readonly threads: number;
}

/** Queries of one pass back: what an interrupted bench loses. */
const QUERIES_AT_ONCE = 5;
const DERIVATIVES = ["exact", "widened"] as const;
/** Names of the columns, beside those of shares. */
const NEW_ORDERS = "halves, new orders";

/** Prints methods × protocols. @returns LDS by column and method, and what metagradients cost */
export async function compareProtocols(options: ProtocolOptions, log: (line: string) => void) {
  const { sets, shares, threads, ...setting } = options;
  const { columnCount, queryCount, rowCount } = setting;
  const each = (of: (index: number) => Retraining) => Array.from({ length: sets }, (_, i) => of(i));
  const columns: Record<string, Retraining[]> = { [NEW_ORDERS]: each((i) => halfOf(rowCount, i, 0)) };
  for (const share of shares)
    columns[`fixed run, ${100 * share} % left out`] = each((i) => fixedRunWithout(rowCount, share, i));
  const ranges = Array.from({ length: Math.ceil(queryCount / QUERIES_AT_ONCE) }, (_, k) => {
    const from = k * QUERIES_AT_ONCE;
    return { from, end: Math.min(queryCount, from + QUERIES_AT_ONCE) };
  });
  const passes = DERIVATIVES.map((derivative) => ranges.map((range) => ({ ...range, derivative })));
  await shareWork(setting, [...passes.flat(), ...Object.values(columns).reverse().flat()], threads, log);

  const world = await openWorld(setting);
  const metagradients: Record<string, Float64Array> = {};
  let [cpuSeconds, megabytes] = [0, 0];
  for (const [k, derivative] of DERIVATIVES.entries()) {
    const parts: Awaited<ReturnType<typeof cachedMetagradients>>[] = [];
    for (const pass of passes[k]!) parts.push(await cachedMetagradients(world, pass));
    const slopes = parts.flatMap((part) => [...part.slopes]);
    metagradients[`metagradient, ${derivative}`] = Float64Array.from(slopes, (slope) => -slope);
    cpuSeconds = parts.reduce((sum, part) => sum + part.cpuSeconds, 0);
    megabytes = Math.max(...parts.map(({ byteCount }) => byteCount)) / 1e6;
  }
  const attributed = await attribute(world);
  const { run, tangents } = attributed.seconds;
  log(
    `the run took ${run.toFixed(1)} CPU-s, the middle run with tangents ${tangents.toFixed(1)}, metagradients of ${queryCount} queries ${cpuSeconds.toFixed(0)} and ${megabytes.toFixed(0)} MB a process`,
  );
  const tangent = scoresBy("tangent", columnCount, attributed);
  const methods: Record<string, Float64Array> = {
    ...metagradients,
    tangents: tangent.proven,
    "tangents, as paid": tangent.paid,
    "EK-FAC": scoresBy("ekfac", columnCount, attributed).proven,
    "Grad-Dot": scoresBy("gradDot", columnCount, attributed).proven,
  };
  const lds: Record<string, Record<string, Estimate>> = {};
  for (const [name, retrainings] of Object.entries(columns))
    lds[name] = await judged(world, retrainings, methods);
  printTable(lds, Object.keys(methods), log);
  const values = Object.entries(lds).map(([name, row]) => [
    name,
    Object.fromEntries(Object.entries(row).map(([method, { value }]) => [method, value])),
  ]);
  return { lds: Object.fromEntries(values), metagradient: { cpuSeconds, megabytes }, run, tangents };
}

async function judged(
  world: TextWorld,
  retrainings: readonly Retraining[],
  methods: Readonly<Record<string, Float64Array>>,
): Promise<Record<string, Estimate>> {
  const outputs: Float64Array[] = [];
  for (const one of retrainings) outputs.push((await retrained(world, one)).map((loss) => -loss));
  const weighing = retrainings.map(({ indices, weightless = [] }) =>
    Int32Array.from(indices.filter((i) => !weightless.includes(i))),
  );
  const scored = Object.entries(methods).map(([method, scores]) => {
    const predicted = groupAttributions(scores, world.rows.length, weighing);
    return [method, linearDatamodelingScore(predicted, outputs, "protocols")];
  });
  return Object.fromEntries(scored);
}

function printTable(
  lds: Readonly<Record<string, Readonly<Record<string, Estimate>>>>,
  methods: readonly string[],
  log: (line: string) => void,
): void {
  const line = (cells: readonly string[]) => log(`| ${cells.join(" | ")} |`);
  line(["LDS", ...Object.keys(lds)]);
  line(["---", ...Object.keys(lds).map(() => "---")]);
  for (const method of methods)
    line([
      method,
      ...Object.values(lds).map((of) => {
        const { high, low, value } = of[method]!;
        return `${value.toFixed(3)} (${low.toFixed(3)} … ${high.toFixed(3)})`;
      }),
    ]);
}
