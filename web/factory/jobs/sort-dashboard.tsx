/**
 * Dashboard of a sorting model's training on a job's page: accuracy on unseen rows by the rows learned from, the confusion matrix,
 * and the rows that are answered otherwise than labelled.
 */
import { fetchRowContents } from "@openledger/client/datanets/browse-rows";
import { getHostedDatanet } from "@openledger/client/datanets/datanet-card";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { rowNumber } from "@openledger/foundation/row-number";
import { percentOf, sayCurve } from "@openledger/models/factory/accuracy-words";
import type { DatasetVersion, FactoryAccuracy, JobEvent } from "@openledger/models/factory/factory-api";
import type { ComponentChildren } from "preact";
import { Chart } from "../../charts/chart.tsx";
import { type Column, DataTable } from "../../design/data-table.tsx";
import { datanetHref } from "../../hosts/tab-props.ts";
import { useLoad } from "../../hosts/use-load.ts";
import { pictureAddress } from "../../rows/picture-address.ts";
import { showCount, showCounted } from "../../words/format.ts";
import { Term } from "../../words/term.tsx";
import { useFactory } from "../use-factory.ts";
import type { JobPartProps } from "./job-part.ts";

type Of<Kind> = Extract<JobEvent, { kind: Kind }>;

interface SortDashboardProps extends Pick<JobPartProps, "factorySession" | "job"> {
  readonly events: readonly JobEvent[];
  readonly doing: string | null;
  readonly actions: ComponentChildren;
}

/** Progress of a training in folds, and what it shows so far. */
export function SortDashboard({ actions, doing, events, factorySession, job }: SortDashboardProps) {
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
      {mistakes !== undefined && (
        <Mistakes
          factorySession={factorySession}
          job={job}
          mistakes={mistakes}
          wrongCount={wrongCountOf(judged)}
        />
      )}
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
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls is reached by keys */}
      <section class="wide-table" tabIndex={0} aria-label="Confusion matrix, scrolls sideways">
        <DataTable
          caption="True labels and predicted labels"
          columns={columns}
          rows={confusion.map((counts, i) => ({ label: labels[i]!, counts }))}
          keyOf={({ label }) => label}
          empty="No row was judged."
        />
      </section>
    </section>
  );
}

/** Picture of a row as its Datanet's host gives it, checked against its name. */
function RowPicture({
  client,
  digest,
  version: { hostUrl, id },
}: {
  client: LedgerClient;
  digest: string;
  version: DatasetVersion;
}) {
  const { value } = useLoad(`${id} ${digest}`, async () => {
    const location = { hostUrl, datanetId: id };
    const { card } = await getHostedDatanet(client, location);
    const maxRowBytes = card.row.maxBytes;
    return pictureAddress(
      (await fetchRowContents(client, { ...location, digests: [digest], maxRowBytes }))[0]!,
    );
  });
  if (value == null) return <span class="run-excerpt">a picture</span>;
  return <img class="asked-picture" src={value} alt="The row" />;
}

type Mistake = Of<"mistakes">["rows"][number];

/** Rows that the last judgement found wrong: more than are listed. */
function wrongCountOf(judged: readonly Of<"judged">[]): number {
  const last = judged.at(-1);
  return last === undefined ? 0 : last.judgedCount - last.rightCount;
}

interface MistakesProps extends Pick<JobPartProps, "factorySession" | "job"> {
  readonly mistakes: Of<"mistakes">;
  readonly wrongCount: number;
}

function Mistakes({ factorySession, job, mistakes: { rows }, wrongCount }: MistakesProps) {
  const dataset = useFactory(job.datasetId, () => factorySession.factory.dataset(job.datasetId)).value;
  const versions = dataset === undefined ? [] : [dataset.datanet, ...dataset.further];
  const versionOf = ({ datanet = 0, digest }: Mistake) =>
    digest === undefined ? null : (versions[datanet] ?? null);
  const columns: Column<Mistake>[] = [
    {
      label: "Row",
      cell: (one) => {
        const version = versionOf(one);
        const number = showCount(rowNumber(one.row));
        return version === null ? (
          number
        ) : (
          <a href={datanetHref(version.id, `row/${one.digest}`)}>{number}</a>
        );
      },
    },
    {
      label: "Content",
      cell: (one) => {
        const version = versionOf(one);
        if (one.excerpt !== "") return <span class="run-excerpt">{one.excerpt}</span>;
        if (version?.isPublic !== true) return <span class="run-excerpt">a picture</span>;
        return <RowPicture client={factorySession.client} digest={one.digest!} version={version} />;
      },
    },
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
