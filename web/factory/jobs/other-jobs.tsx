/** Table of a job's page that compares it with the account's other jobs of the same rows, by their figures on unseen rows. */
import type { FactoryJob } from "@openledger/models/factory/factory-api";
import { figureOf, kindOf } from "@openledger/models/factory/job-words";
import { type Column, DataTable } from "../../design/data-table.tsx";
import { showDuration } from "../../words/format.ts";
import { jobHref, useHref } from "../factory-links.ts";
import { useFactory } from "../use-factory.ts";
import type { JobPartProps } from "./job-part.ts";

/** Jobs on the same rows, this one first. */
export function OtherJobs({ factorySession, job }: JobPartProps) {
  const { value } = useFactory(`jobs beside ${job.id}`, () => factorySession.factory.jobs());
  const same = (value ?? []).filter((one) => one.datasetId === job.datasetId && one.state === "done");
  const rows = same.toSorted((a, b) => Number(b.id === job.id) - Number(a.id === job.id));
  const columns: Column<FactoryJob>[] = [
    {
      label: "Model",
      cell: ({ form, id }) =>
        id === job.id ? <strong>{form.name}</strong> : <a href={jobHref(id)}>{form.name}</a>,
    },
    { label: "Kind", cell: kindOf },
    { label: "Settings", cell: settingsOf },
    { label: "On unseen rows", isNumber: true, cell: (one) => figureOf(one) ?? "–" },
    {
      label: "Time",
      isNumber: true,
      cell: ({ result }) => (result === null ? "–" : showDuration(1_000 * result.seconds)),
    },
  ];
  return (
    <section class="card stack" aria-label="Other jobs">
      <h2>Your models trained on these rows</h2>
      <DataTable
        caption="Jobs of the same rows"
        columns={columns}
        rows={rows}
        keyOf={({ id }) => id}
        empty="Only this one so far."
      />
      <p>
        <a href={useHref(job.datasetId)}>Train another model on these rows</a>
      </p>
    </section>
  );
}

function settingsOf({ form }: FactoryJob): string {
  if (form.use === "write") return `${form.rounds} rounds, rank ${form.rank}, rate ${form.rate}`;
  return `${form.folds} folds, smoothing ${form.decay ?? "automatic"}`;
}
