/**
 * So much of PromQL as the alert rules use, on samples of real metrics: for tests that see each alert fire. Prometheus' own
 * promtool is a Go program of 130 MB; its parser comes as an npm package. Definitions: prometheus.io/docs/prometheus/latest/querying.
 */
import { parser } from "@prometheus-io/lezer-promql";
import type { Registry } from "prom-client";

type Labels = Readonly<Record<string, string>>;
interface Point {
  readonly seconds: number;
  readonly value: number;
}
interface Series {
  readonly labels: Labels;
  readonly points: Point[];
}
interface Sample {
  readonly labels: Labels;
  readonly value: number;
}
type Node = ReturnType<ReturnType<typeof parser.parse>["topNode"]["getChild"]>;
type Tree = NonNullable<Node>;

/** Prometheus' default: older samples are not shown. */
const LOOKBACK_SECONDS = 300;
const NAME = "__name__";

/** What Prometheus would have scraped. */
export class ScrapedMetrics {
  readonly #series = new Map<string, Series>();
  seconds = 0;

  /** @param registry null: the process does not answer */
  async scrape(registry: Registry | null, labels: Labels): Promise<void> {
    this.#add({ [NAME]: "up", ...labels }, registry === null ? 0 : 1);
    for (const metric of (await registry?.getMetricsAsJSON()) ?? []) {
      for (const { labels: own = {}, value, ...rest } of metric.values) {
        const name = (rest as { metricName?: string }).metricName ?? metric.name;
        const text = Object.entries(own).map(([key, label]) => [key, String(label)]);
        this.#add({ [NAME]: name, ...labels, ...Object.fromEntries(text) }, value);
      }
    }
  }

  #add(labels: Labels, value: number): void {
    const key = keyOf(labels);
    const series = this.#series.get(key) ?? { labels, points: [] };
    series.points.push({ seconds: this.seconds, value });
    this.#series.set(key, series);
  }

  select(matches: (labels: Labels) => boolean): Series[] {
    return [...this.#series.values()].filter(({ labels }) => matches(labels));
  }
}

const keyOf = (labels: Labels): string =>
  Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flat()
    .join("\u0000");
const withoutName = ({ [NAME]: _name, ...labels }: Record<string, string>): Labels => labels;
const pick = (labels: Labels, names: readonly string[]): Labels =>
  Object.fromEntries(Object.entries(labels).filter(([name]) => names.includes(name)));

/** The samples of an expression now; a number for a scalar. @throws Error where it uses what is not here */
export function evaluate(expression: string, scraped: ScrapedMetrics): readonly Sample[] | number {
  const text = ({ from, to }: Tree) => expression.slice(from, to);
  const children = (node: Tree): Tree[] => {
    const found: Tree[] = [];
    for (let child = node.firstChild; child !== null; child = child.nextSibling) found.push(child);
    return found;
  };
  const unknown = (node: Tree) => new Error(`${node.name} ${text(node)} is not known here`);

  const visit = (node: Tree): readonly Sample[] | number => {
    switch (node.name) {
      case "PromQL":
      case "ParenExpr":
        return visit(children(node).find(({ name }) => name !== "(" && name !== ")")!);
      case "NumberDurationLiteral":
        return Number(text(node));
      case "VectorSelector":
        return select(node).flatMap(({ labels, points }) => {
          const last = points.at(-1)!;
          return scraped.seconds - last.seconds > LOOKBACK_SECONDS ? [] : [{ labels, value: last.value }];
        });
      case "FunctionCall":
        return call(node);
      case "AggregateExpr":
        return sum(node);
      case "BinaryExpr":
        return binary(node);
      default:
        throw unknown(node);
    }
  };

  const vector = (node: Tree): readonly Sample[] => {
    const value = visit(node);
    if (typeof value === "number") throw unknown(node);
    return value;
  };

  const select = (node: Tree): Series[] => {
    const name = text(node.getChild("Identifier")!);
    const matchers = children(node.getChild("LabelMatchers") ?? node).filter(
      (child) => child.name === "UnquotedLabelMatcher",
    );
    const tests = matchers.map((matcher) => {
      const label = text(matcher.getChild("LabelName")!);
      const operator = text(matcher.getChild("MatchOp")!);
      const wanted = JSON.parse(text(matcher.getChild("StringLiteral")!)) as string;
      const isRegex = operator.includes("~");
      const pattern = isRegex ? new RegExp(`^(?:${wanted})$`) : null;
      const isWanted = operator === "=" || operator === "=~";
      return (labels: Labels) => {
        const value = labels[label] ?? "";
        return (pattern === null ? value === wanted : pattern.test(value)) === isWanted;
      };
    });
    return scraped.select((labels) => labels[NAME] === name && tests.every((test) => test(labels)));
  };

  const range = (node: Tree): { windowSeconds: number; series: Series[] } => {
    const windowSeconds = secondsOf(text(node.getChild("DurationExpr")!));
    const from = scraped.seconds - windowSeconds;
    const series = select(node.getChild("VectorSelector")!).map(({ labels, points }) => ({
      labels,
      points: points.filter(({ seconds }) => seconds > from),
    }));
    return { windowSeconds, series };
  };

  const call = (node: Tree): readonly Sample[] | number => {
    const name = text(node.getChild("FunctionIdentifier")!);
    if (name === "time") return scraped.seconds;
    const args = children(node.getChild("FunctionCallBody")!).filter(({ name: kind }) => /^[A-Z]/.test(kind));
    if (name === "histogram_quantile") return quantiles(visit(args[0]!) as number, vector(args[1]!));
    const { series, windowSeconds } = range(args[0]!);
    return series.flatMap(({ labels, points }) => {
      const value = overTime(name, points, windowSeconds);
      return value === null ? [] : [{ labels: withoutName(labels), value }];
    });
  };

  const overTime = (name: string, points: readonly Point[], windowSeconds: number): number | null => {
    const values = points.map(({ value }) => value);
    if (values.length === 0) return null;
    if (name === "max_over_time") return Math.max(...values);
    if (name === "changes") return values.filter((value, i) => i > 0 && value !== values[i - 1]).length;
    if (name === "increase") return increase(points, windowSeconds, scraped.seconds);
    if (name !== "rate") throw new Error(`${name} is not known here`);
    const grown = increase(points, windowSeconds, scraped.seconds);
    return grown === null ? null : grown / windowSeconds;
  };

  const sum = (node: Tree): readonly Sample[] => {
    if (text(node.getChild("AggregateOp")!) !== "sum") throw unknown(node);
    const names = groupingOf(node.getChild("AggregateModifier"));
    const body = children(node.getChild("FunctionCallBody")!).find(({ name }) => /^[A-Z]/.test(name))!;
    const sums = new Map<string, Sample>();
    for (const { labels, value } of vector(body)) {
      const kept = pick(labels, names);
      sums.set(keyOf(kept), { labels: kept, value: value + (sums.get(keyOf(kept))?.value ?? 0) });
    }
    return [...sums.values()];
  };

  const groupingOf = (node: Node): string[] =>
    children(node?.getChild("GroupingLabels") ?? parser.parse("").topNode)
      .filter(({ name }) => name === "LabelName")
      .map(text);

  const binary = (node: Tree): readonly Sample[] | number => {
    const parts = children(node);
    const [left, operator] = [visit(parts[0]!), parts[1]!.name];
    const right = visit(parts.at(-1)!);
    const on = node.getChild("MatchingModifierClause");
    const keyFor = (labels: Labels) =>
      keyOf(on === null ? withoutName(labels) : pick(labels, groupingOf(on)));
    if (operator === "And") {
      const present = new Set((right as readonly Sample[]).map(({ labels }) => keyFor(labels)));
      return (left as readonly Sample[]).filter(({ labels }) => present.has(keyFor(labels)));
    }
    if (operator === "Sub" && typeof left === "number" && typeof right !== "number")
      return right.map(({ labels, value }) => ({ labels: withoutName(labels), value: left - value }));
    const compare = COMPARISONS[operator];
    if (compare === undefined || typeof left === "number") throw unknown(node);
    const others =
      typeof right === "number" ? null : new Map(right.map((one) => [keyFor(one.labels), one.value]));
    return left.filter(({ labels, value }) => {
      const other = others === null ? (right as number) : others.get(keyFor(labels));
      return other !== undefined && compare(value, other);
    });
  };

  return visit(parser.parse(expression).topNode);
}

const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  Eql: (a, b) => a === b,
  Gtr: (a, b) => a > b,
  Lss: (a, b) => a < b,
};

export function secondsOf(duration: string): number {
  const unit = { s: 1, m: 60, h: 3_600 }[duration.at(-1)!];
  if (unit === undefined) throw new Error(`${duration} is no duration`);
  return Number(duration.slice(0, -1)) * unit;
}

/**
 * As Prometheus extrapolates (promql/functions.go, extrapolatedRate): a series that begins within the window is not taken to
 * have been 0 before. So a counter that appears with its first count has not grown, and an alert on it stays silent.
 */
function increase(points: readonly Point[], windowSeconds: number, nowSeconds: number): number | null {
  if (points.length < 2) return null;
  const [first, last] = [points[0]!, points.at(-1)!];
  let grown = last.value - first.value;
  for (const [i, { value }] of points.entries())
    if (i > 0 && value < points[i - 1]!.value) grown += points[i - 1]!.value;
  const sampledSeconds = last.seconds - first.seconds;
  const averageSeconds = sampledSeconds / (points.length - 1);
  const limit = averageSeconds * 1.1;
  let toStart = first.seconds - (nowSeconds - windowSeconds);
  let toEnd = nowSeconds - last.seconds;
  if (toStart >= limit) toStart = averageSeconds / 2;
  // It cannot have been below 0.
  if (grown > 0 && first.value >= 0) toStart = Math.min(toStart, sampledSeconds * (first.value / grown));
  if (toEnd >= limit) toEnd = averageSeconds / 2;
  return grown * ((sampledSeconds + toStart + toEnd) / sampledSeconds);
}

function quantiles(quantile: number, buckets: readonly Sample[]): Sample[] {
  const groups = new Map<string, { labels: Labels; bounds: [le: number, count: number][] }>();
  for (const { labels, value } of buckets) {
    const { le, ...rest } = labels as Record<string, string>;
    const group = groups.get(keyOf(rest)) ?? { labels: rest, bounds: [] };
    group.bounds.push([le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le), value]);
    groups.set(keyOf(rest), group);
  }
  return [...groups.values()].flatMap(({ bounds, labels }) => {
    bounds.sort(([a], [b]) => a - b);
    const total = bounds.at(-1)![1];
    if (!(total > 0)) return [];
    const rank = quantile * total;
    const at = bounds.findIndex(([, count]) => count >= rank);
    if (at === bounds.length - 1) return [{ labels, value: bounds.at(-2)![0] }];
    const [lower, before] = at === 0 ? [0, 0] : bounds[at - 1]!;
    const [upper, count] = bounds[at]!;
    return [{ labels, value: lower + (upper - lower) * ((rank - before) / (count - before)) }];
  });
}
