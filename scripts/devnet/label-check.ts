import { logisticModel } from "../../attribution/logistic-model.ts";
import { decodeRow, inputRows, labelsOf } from "../../attribution/row-content.ts";
import { commitRows } from "./mails.ts";
import { COMMIT_COUNT, contributorOf, type DevnetPlan } from "./plan.ts";

/** What a validator finds when he looks at a commit. */
export interface LabelCheck {
  readonly index: number;
  readonly rowCount: number;
  /** Rows whose label is not what a model of the other contributors' rows says. */
  readonly contradictedCount: number;
  readonly isRefused: boolean;
}

/** A commit with more contradicted labels than this is refused. Guess: right labels are contradicted in a seventh of cases. */
const MOST_CONTRADICTED = 0.75;
const DECAY = 0.001;
const TOLERANCE = 1e-4;

/**
 * How the devnet's validators approve: they vouch for a commit unless a model trained on what everybody else has
 * contributed contradicts three quarters of its labels. Attribution alone would not do: a row with a wrong label has a large
 * influence, and earns by every answer that it happens to support.
 */
export function checkLabels(plan: DevnetPlan): LabelCheck[] {
  const options = { kind: "email", bucketCount: plan.bucketCount } as const;
  const commits = Array.from({ length: COMMIT_COUNT }, (_, index) => ({
    name: contributorOf(index),
    rows: commitRows(plan, index).map((content) => decodeRow("email", content)),
  }));
  const examples = (rows: (typeof commits)[number]["rows"]) => ({
    inputs: inputRows(
      options,
      rows.map(({ input }) => input),
    ),
    labels: Int32Array.from(rows, ({ label }) => label),
  });
  const model = logisticModel({
    inputCount: plan.bucketCount,
    classCount: labelsOf("email").length,
    decay: DECAY,
    tolerance: TOLERANCE,
  });
  const parametersWithout = new Map<string, Float64Array>();
  for (const name of new Set(commits.map((commit) => commit.name))) {
    const others = commits.filter((commit) => commit.name !== name).flatMap(({ rows }) => rows);
    parametersWithout.set(name, model.train(examples(others)));
  }
  return commits.map(({ name, rows }, index) => {
    const given = examples(rows);
    const said = model.predict(parametersWithout.get(name)!, given);
    const contradictedCount = rows.filter(({ label }, i) => label !== said[i]).length;
    const isRefused = contradictedCount > MOST_CONTRADICTED * rows.length;
    return { index, rowCount: rows.length, contradictedCount, isRefused };
  });
}
