/** Steps above the factory's pages: a timeline before there is a job, links to the parts of a job after. */
import type { FactoryJob } from "@openledger/models/factory/factory-api";
import type { ComponentChildren } from "preact";
import { Timeline, type TimelineStep } from "../../design/timeline.tsx";
import { JOB_PARTS, type JobPart, jobHref, NEW_HREF, useHref } from "../factory-links.ts";

const NAMES: Readonly<Record<JobPart, string>> = {
  watch: "Training",
  compare: "Compare",
  register: "Register",
  chat: "Chat",
  export: "Export",
  lineage: "Lineage",
};

const link = (href: string, text: string): ComponentChildren => <a href={href}>{text}</a>;

/** Steps before there is a job: rows, the model that they become, settings. */
export function ChoiceSteps({ at, datasetId }: { at: 0 | 1 | 2; datasetId?: string }) {
  const names = ["Rows", "Model", "Settings"];
  const hrefs = [NEW_HREF, datasetId === undefined ? null : useHref(datasetId), null];
  const steps = names.map((name, i): TimelineStep => {
    const href = hrefs[i];
    const isDone = i < at;
    return {
      name,
      label: isDone && href != null ? link(href, name) : name,
      state: isDone ? "done" : i === at ? "current" : "ahead",
    };
  });
  const rest = ["Training", "Compare", "Register", "Chat"].map(
    (name): TimelineStep => ({ name, label: name, state: "ahead" }),
  );
  return <Timeline label="From rows to model" steps={[...steps, ...rest]} />;
}

/** Parts of a job, those that are there as links. */
export function JobNav({ job, part }: { job: FactoryJob; part: JobPart }) {
  return (
    <nav class="tabs job-nav" aria-label="Parts of the job">
      {JOB_PARTS.filter((one) => one === "watch" || one === "lineage" || job.state === "done").map((one) => (
        <a key={one} href={jobHref(job.id, one)} aria-current={one === part ? "page" : undefined}>
          {NAMES[one]}
        </a>
      ))}
    </nav>
  );
}
