/**
 * Page "#/factory/…": draws the page of the factory that the rest of the address names, from the choice of rows to the parts of
 * a job.
 */
import "./factory.css";
import type { ComponentChildren } from "preact";
import type { PageProps } from "../ledger/page.ts";
import { DatanetPage } from "./datanet-page.tsx";
import { FactoryGate } from "./factory-gate.tsx";
import { FACTORY_HREF, JOB_PARTS, type JobPart } from "./factory-links.ts";
import type { FactorySession } from "./factory-session.ts";
import { DataChoice } from "./form/data-choice.tsx";
import { FormPage } from "./form/form-page.tsx";
import { UseChoice } from "./form/use-choice.tsx";
import { HomePage } from "./home-page.tsx";
import { JobPage } from "./jobs/job-page.tsx";

/** Router of the factory's pages. */
export function FactoryPage(props: PageProps) {
  const [section] = props.rest;
  if (section === undefined) return <HomePage {...props} />;
  return (
    <FactoryGate {...props}>
      {(factorySession) => atFactory(props, factorySession) ?? <NotFound />}
    </FactoryGate>
  );
}

/** Returns null for an address that is none of the factory's. */
function atFactory(props: PageProps, factorySession: FactorySession): ComponentChildren {
  const [section, id, kind, first, second] = props.rest;
  if (section === "job" && id !== undefined) {
    const part = (kind ?? "watch") as JobPart;
    return JOB_PARTS.includes(part) ? (
      <JobPage {...props} factorySession={factorySession} jobId={id} part={part} />
    ) : null;
  }
  if (section !== "new") return null;
  if (id === undefined) return <DataChoice {...props} factorySession={factorySession} />;
  if (id === "rows" && kind !== undefined) return ofRows(props, factorySession, kind, [first, second]);
  const hostUrl = props.site.datanetHosts[Number(kind)];
  if (id !== "datanet" || hostUrl === undefined || first === undefined) return null;
  return (
    <DatanetPage {...props} factorySession={factorySession} hostUrl={hostUrl} datanetId={Number(first)} />
  );
}

/** Pages of a data set: what it can become, and the settings. */
function ofRows(
  props: PageProps,
  factorySession: FactorySession,
  datasetId: string,
  [use, baseId]: readonly (string | undefined)[],
): ComponentChildren {
  const common = { factorySession, datasetId };
  if (use === undefined) return <UseChoice {...props} {...common} />;
  if (use === "sort") return <FormPage {...common} baseId={null} />;
  return use === "on" && baseId !== undefined ? <FormPage {...common} baseId={baseId} /> : null;
}

function NotFound() {
  return (
    <section class="stack">
      <h1>Page not found</h1>
      <p>
        <a href={FACTORY_HREF}>Back to the factory</a>
      </p>
    </section>
  );
}
