/** Page "#/factory/new": a model builder chooses the rows of a new job, of a Datanet. */
import { findDatanets } from "@openledger/client/datanets/datanet-card";
import type { DatanetDirectory } from "@openledger/client/datanets/host-schemas";
import { Badge } from "../../design/badge.tsx";
import type { PageProps } from "../../ledger/page.ts";
import { useAnswer } from "../../ledger/use-answer.ts";
import { showCounted } from "../../words/format.ts";
import { type Problem, ProblemNotice, problemOf } from "../../words/problem.tsx";
import { Term } from "../../words/term.tsx";
import { datanetHref } from "../factory-links.ts";
import type { FactorySession } from "../factory-session.ts";
import { ChoiceSteps } from "../jobs/run-steps.tsx";
import { becomes } from "./use-words.ts";

type Listed = DatanetDirectory["datanets"][number] & { readonly host: number };

interface DataChoiceProps extends PageProps {
  readonly factorySession: FactorySession;
}

/** The first choice: which rows. What they can become follows from their kind. */
export function DataChoice({ factorySession, live, site }: DataChoiceProps) {
  const { problem, value } = useAnswer(live, "directory", () =>
    directoryOf(factorySession, site.datanetHosts),
  );
  return (
    <>
      <ChoiceSteps at={0} />
      <section class="stack">
        <h1>Choose a Datanet</h1>
        <p class="lead">
          A <Term name="Datanet" /> contains rows that people wrote and checked. A model trained on it pays
          them for each answer, row by row.
        </p>
      </section>
      {problem !== null && <ProblemNotice problem={problem} />}
      {value?.problems.map((one) => (
        <ProblemNotice key={one.details ?? one.message} problem={one} />
      ))}
      {value === undefined && problem === null && <p class="soft">Loading Datanets …</p>}
      <div class="choices">
        {value?.datanets.map((one) => (
          <DatanetCard key={`${one.host} ${one.id}`} datanet={one} />
        ))}
      </div>
      {value !== undefined && value.datanets.length === 0 && (
        <p class="soft">
          {site.datanetHosts.length === 0
            ? "No Datanet host is set up for these pages."
            : "No Datanet has a version with rows yet."}
        </p>
      )}
      <section class="card stack-s">
        <h2>Rows of your own</h2>
        <p class="soft">
          <a href="#/datanets/new">Create a Datanet</a> and contribute them. If it is permissioned, only those
          whom you grant it read the rows. For rows that nobody else may see, run your own factory.
        </p>
      </section>
    </>
  );
}

async function directoryOf(
  { client }: FactorySession,
  hosts: readonly string[],
): Promise<{ datanets: readonly Listed[]; problems: readonly Problem[] }> {
  const found = await Promise.allSettled(hosts.map((hostUrl) => findDatanets(client, { hostUrl })));
  return {
    datanets: found.flatMap((one, host) =>
      one.status === "fulfilled"
        ? one.value.datanets.filter(({ rowCount }) => rowCount > 0).map((datanet) => ({ ...datanet, host }))
        : [],
    ),
    problems: found.flatMap((one) => (one.status === "rejected" ? [problemOf(one.reason)] : [])),
  };
}

/** Characters of a description. */
const SHOWN_CHARACTERS = 180;

function DatanetCard({ datanet }: { datanet: Listed }) {
  const { access, description, field, host, id, labels, licence, name, rowCount, rowKind, version } = datanet;
  return (
    <a class="choice" href={datanetHref(host, id)}>
      <div class="row">
        <h2>{name}</h2>
        <span class="push" />
        {access.kind === "public" ? (
          <Badge tone="good">open to all</Badge>
        ) : (
          <Badge tone="wait">ask the owner</Badge>
        )}
      </div>
      <p class="soft">
        {description.length > SHOWN_CHARACTERS ? `${description.slice(0, SHOWN_CHARACTERS)}…` : description}
      </p>
      <p>{becomes(rowKind, labels)}</p>
      <p class="small soft">
        {showCounted(rowCount, "row")} · version {version} · {field} · {licence}
      </p>
      <span class="button">Choose</span>
    </a>
  );
}
