/**
 * Dashboard of a sorting model's training on a job's page: accuracy on unseen rows by the rows learned from, the confusion matrix,
 * and the rows that are answered otherwise than labelled.
 */
import { rowNumber } from "@openledger/foundation/row-number";
import { percentOf, sayCurve } from "@openledger/models/factory/accuracy-words";
import type { FactoryAccuracy, FactoryJob, JobEvent } from "@openledger/models/factory/factory-api";
import type { ComponentChildren } from "preact";
import { Chart } from "../../charts/chart.tsx";
import { type Column, DataTable } from "../../design/data-table.tsx";
import { showCount, showCounted } from "../../words/format.ts";
import { Term } from "../../words/term.tsx";

type Of<Kind> = Extract<JobEvent, { kind: Kind }>;

interface SortDashboardProps {
  readonly job: FactoryJob;
  readonly events: readonly JobEvent[];
  readonly doing: string | null;
  readonly actions: ComponentChildren;
}

/** Progress of a training in folds, and what it shows so far. */
export function SortDashboard({ actions, doing, events, job }: SortDashboardProps) {
  const judged = events.filter((event): event is Of<"judged"> => event.kind === "judged");
  const mistakes = events.findLast((event): event is Of<"mistakes"> => event.kind === "mistakes");
  const accuracy = job.result?.accuracy ?? null;
  return (
    <>
      <section class="card stack" aria-label="Progress">
        <div class="row">
          <h2>
            Step {showCount(job.step)} of {showCount(job.steps)}
          </h2>
          <span class="push" />
          {actions}
        </div>
        <progress class="run-bar" max={job.steps} value={job.step} aria-label="Steps done" />
        {doing !== null && (
          <p class="soft" role="status">
            {doing}
          </p>
        )}
      </section>
      <section class="card">
        <Chart
          title="Accuracy on unseen rows"
          about={sayCurve(judged, job.state === "done")}
          xs={judged.map(({ trainedRowCount }) => trainedRowCount)}
          series={[
            {
              label: "Accuracy",
              values: judged.map(({ judgedCount, rightCount }) => rightCount / judgedCount),
            },
          ]}
          isCloseUp
          showX={(x) => showCounted(x, "row")}
          showY={percentOf}
        />
      </section>
      {accuracy !== null && <Confusion accuracy={accuracy} />}
      {mistakes !== undefined && <Mistakes mistakes={mistakes} wrongCount={wrongCountOf(judged)} />}
    </>
  );
}

function Confusion({ accuracy: { confusion, labels } }: { accuracy: FactoryAccuracy }) {
  interface Line {
    readonly label: string;
    readonly counts: readonly number[];
  }
  const columns: Column<Line>[] = [
    { label: "True label", cell: ({ label }) => <strong>{label}</strong> },
    ...labels.map(
      (label, j): Column<Line> => ({
        label,
        isNumber: true,
        cell: ({ counts, label: own }) => (own === label ? <strong>{counts[j]}</strong> : counts[j] || "–"),
      }),
    ),
    {
      label: "Correct",
      isNumber: true,
      cell: ({ counts, label }) => {
        const all = counts.reduce((sum, count) => sum + count, 0);
        return all === 0 ? "–" : percentOf(counts[labels.indexOf(label)]! / all);
      },
    },
  ];
  return (
    <section class="card stack" aria-label="Confusion matrix">
      <h2>
        <Term name="confusion matrix">Confusion matrix</Term>
      </h2>
      <p class="soft small">Rows are true labels, columns are predicted labels.</p>
      <div class="wide-table">
        <DataTable
          caption="True labels and predicted labels"
          columns={columns}
          rows={confusion.map((counts, i) => ({ label: labels[i]!, counts }))}
          keyOf={({ label }) => label}
          empty="No row was judged."
        />
      </div>
    </section>
  );
}

type Mistake = Of<"mistakes">["rows"][number];

/** Rows that the last judgement found wrong: more than are listed. */
function wrongCountOf(judged: readonly Of<"judged">[]): number {
  const last = judged.at(-1);
  return last === undefined ? 0 : last.judgedCount - last.rightCount;
}

function Mistakes({ mistakes: { rows }, wrongCount }: { mistakes: Of<"mistakes">; wrongCount: number }) {
  const columns: Column<Mistake>[] = [
    { label: "Row", cell: ({ row }) => showCount(rowNumber(row)) },
    { label: "Content", cell: ({ excerpt }) => <span class="run-excerpt">{excerpt || "a picture"}</span> },
    { label: "True label", cell: ({ label }) => label },
    { label: "Predicted label", cell: ({ answered }) => answered },
  ];
  return (
    <section class="card stack" aria-label="Mistakes">
      <h2>Misclassified rows</h2>
      <p class="soft small">
        They are hard, or their labels are wrong. Check them before you register the model.
      </p>
      <DataTable
        caption="Misclassified rows"
        columns={columns}
        rows={rows}
        keyOf={({ row }) => row}
        empty="None."
      />
      {wrongCount > rows.length && (
        <p class="soft small">
          The first {showCount(rows.length)} of {showCount(wrongCount)}.
        </p>
      )}
    </section>
  );
}
