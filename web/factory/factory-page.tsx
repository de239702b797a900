/**
 * Page "#/factory/…": finds the factory's page that the rest of the address names, from the choice of a base to the parts of a
 * job.
 */
import "./factory.css";
import type { ComponentChildren } from "preact";
import type { PageProps } from "../ledger/page.ts";
import { DatanetPage } from "./datanet-page.tsx";
import { FactoryGate } from "./factory-gate.tsx";
import { FACTORY_HREF, JOB_PARTS, type JobPart } from "./factory-links.ts";
import type { FactorySession } from "./factory-session.ts";
import { BaseChoice } from "./form/base-choice.tsx";
import { DataChoice } from "./form/data-choice.tsx";
import { FormPage } from "./form/form-page.tsx";
import { HomePage } from "./home-page.tsx";
import { JobPage } from "./jobs/job-page.tsx";

/** The ModelFactory: from a base and rows to a model of one's own. The address says how far one is. */
export function FactoryPage(props: PageProps) {
  const [place] = props.rest;
  if (place === undefined) return <HomePage {...props} />;
  return (
    <FactoryGate {...props}>
      {(factorySession) => atFactory(props, factorySession) ?? <NoPlace />}
    </FactoryGate>
  );
}

/** null if the address is none of the factory's. */
function atFactory(props: PageProps, factorySession: FactorySession): ComponentChildren {
  const [place, id, kind, first, second] = props.rest;
  if (place === "job" && id !== undefined) {
    const part = (kind ?? "watch") as JobPart;
    return JOB_PARTS.includes(part) ? (
      <JobPage {...props} factorySession={factorySession} jobId={id} part={part} />
    ) : null;
  }
  if (place !== "new") return null;
  if (id === undefined) return <BaseChoice factorySession={factorySession} />;
  if (kind === undefined) return <DataChoice {...props} factorySession={factorySession} baseId={id} />;
  if (kind === "rows" && first !== undefined)
    return <FormPage factorySession={factorySession} baseId={id} datasetId={first} />;
  const hostUrl = props.site.datanetHosts[Number(first)];
  if (kind !== "datanet" || hostUrl === undefined || second === undefined) return null;
  return (
    <DatanetPage
      {...props}
      factorySession={factorySession}
      baseId={id}
      hostUrl={hostUrl}
      datanetId={Number(second)}
    />
  );
}

function NoPlace() {
  return (
    <section class="stack">
      <h1>There is no such page in the factory</h1>
      <p>
        <a href={FACTORY_HREF}>Back to the factory</a>
      </p>
    </section>
  );
}
