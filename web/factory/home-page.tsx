/** Page "#/factory": a visitor begins a new model, and finds the jobs of their account. */
import type { FactoryJob } from "@openledger/models/factory/factory-api";
import { figureOf, kindOf } from "@openledger/models/factory/job-words";
import { Badge } from "../design/badge.tsx";
import { type Column, DataTable } from "../design/data-table.tsx";
import type { PageProps } from "../ledger/page.ts";
import { showAge, showCount } from "../words/format.ts";
import { ProblemNotice } from "../words/problem.tsx";
import { FactoryGate } from "./factory-gate.tsx";
import { jobHref, NEW_HREF } from "./factory-links.ts";
import type { FactorySession } from "./factory-session.ts";
import { jobBadge } from "./jobs/job-badge.ts";
import { useFactory } from "./use-factory.ts";

/** Interval between two requests for the list of jobs. */
const POLL_MS = 3_000;

/** First page of the factory. */
export function HomePage(props: PageProps) {
  const isFactory = props.site.factoryUrl !== null;
  return (
    <>
      <section class="stack">
        <h1>Factory</h1>
        <p class="lead">
          Train your own model on the rows of a Datanet: a classifier, a predictor or a language model. No
          code, no command line.
        </p>
      </section>
      {isFactory && (
        <div class="choices">
          <a class="choice" href={NEW_HREF}>
            <h2>Train on a Datanet</h2>
            <p class="soft">
              A registered model is paid for its answers and pays the people whose rows helped.
            </p>
            <span class="button button-main">New model</span>
          </a>
        </div>
      )}
      <FactoryGate {...props}>{(factorySession) => <Jobs factorySession={factorySession} />}</FactoryGate>
    </>
  );
}

function Jobs({ factorySession }: { factorySession: FactorySession }) {
  const { problem, value } = useFactory("jobs", () => factorySession.factory.jobs(), POLL_MS);
  const columns: Column<FactoryJob>[] = [
    { label: "Model", cell: ({ form, id }) => <a href={jobHref(id)}>{form.name}</a> },
    {
      label: "State",
      cell: (job) => <Badge tone={jobBadge(job).tone}>{jobBadge(job).text}</Badge>,
    },
    { label: "Kind", cell: kindOf },
    { label: "On unseen rows", cell: (job) => figureOf(job) ?? "–" },
    {
      label: "Steps",
      isNumber: true,
      cell: ({ step, steps }) => `${showCount(step)} of ${showCount(steps)}`,
    },
    { label: "Started", isNumber: true, cell: ({ createdAtMs }) => showAge(createdAtMs, Date.now()) },
  ];
  return (
    <section class="card stack">
      <h2>Your models</h2>
      {problem !== null && <ProblemNotice problem={problem} />}
      {value === undefined ? (
        problem === null && <p class="soft">Loading …</p>
      ) : (
        <DataTable
          caption="Jobs"
          columns={columns}
          rows={value}
          keyOf={({ id }) => id}
          empty="None yet. Training the first takes about a minute."
        />
      )}
    </section>
  );
}
