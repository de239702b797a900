/**
 * Page "#/adapters": a person searches the adapters of all answer servers, chooses one and asks it. Answers of registered
 * adapters are paid, those of others are free.
 */
import { ModelQuestion } from "../ask/ask-page.tsx";
import {
  type Adapter,
  type Adapters,
  adapterHref,
  findAdapters,
  madeOf,
  searchAdapters,
} from "../ask/listed-adapters.ts";
import { findAdapter } from "../ask/served-models.ts";
import { Badge } from "../design/badge.tsx";
import { type Column, DataTable } from "../design/data-table.tsx";
import { Field } from "../design/field.tsx";
import { Notice } from "../design/notice.tsx";
import type { PageProps } from "../ledger/page.ts";
import type { Site } from "../ledger/site.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { useFilter } from "../routes.ts";
import { showCount } from "../words/format.ts";
import { LeafLink, LeafName } from "../words/links.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { Term } from "../words/term.tsx";
import { FreeQuestion } from "./free-question.tsx";

/**
 * Page of one among thousands of adapters on one base: it is chosen and asked, and its answer is watched as it comes.
 */
export function AdaptersPage(props: PageProps) {
  const { live, rest, site } = props;
  const { problem, value } = useAnswer(live, "adapters", () => findAdapters(site));
  const [server, name] = rest;
  const chosen = value?.adapters.find((one) => String(one.server) === server && one.name === name);
  return (
    <>
      <section class="stack">
        {name !== undefined && (
          <p>
            <a href="#/adapters">All adapters</a>
          </p>
        )}
        <h1>{name === undefined ? "Choose an adapter" : name}</h1>
        {name === undefined && (
          <p class="lead">
            One server runs one <Term name="base (of an adapter)">base</Term> and many adapters, each tuned on
            different rows. The answer streams in, with the parts that occur verbatim in rows and the people
            it pays.
          </p>
        )}
      </section>
      {problem !== null && <ProblemNotice problem={problem} />}
      {value === undefined ? (
        problem === null && <p class="soft">Loading adapters …</p>
      ) : name === undefined ? (
        <AdapterList {...value} isAny={site.answerServers.length > 0} site={site} />
      ) : chosen === undefined ? (
        <Notice tone="info" title="No server has an adapter with this name.">
          <p>
            <a href="#/adapters">Choose another adapter</a>, or try again in a moment.
          </p>
        </Notice>
      ) : (
        <Chosen {...props} adapter={chosen} />
      )}
    </>
  );
}

const START = "openledger models serve FOLDER --base FOLDER";

/** Maximum rows of the list; another search finds other adapters. */
const SHOWN = 20;

const MADE_OF: Column<Adapter> = { label: "Trained on", cell: (adapter) => madeOf(adapter) };
const COLUMNS: readonly Column<Adapter>[] = [
  { label: "Adapter", cell: (adapter) => <a href={adapterHref(adapter)}>{adapter.name}</a> },
  MADE_OF,
  {
    label: "An answer",
    cell: ({ registered }) =>
      registered === null ? <Badge tone="plain">free</Badge> : <Badge tone="good">pays its rows</Badge>,
  },
];

function AdapterList({ adapters, isAny, problems, site }: Adapters & { isAny: boolean; site: Site }) {
  const [text, setText] = useFilter("q");
  if (adapters.length === 0)
    return (
      <section class="card stack narrow">
        <h2>{isAny ? "No adapters yet" : "No answer server is configured for these pages"}</h2>
        <p class="soft">
          {!isAny
            ? "The operator of this site has not configured one."
            : problems.length > 0
              ? "No answer server responds. This command starts one:"
              : "Registered models that are served here appear in this list. Train and register one in the factory, or start a server with your own adapters."}
        </p>
        <code>{START}</code>
        {site.factoryUrl !== null && (
          <div class="row">
            <a class="button" href="#/factory">
              Train an adapter
            </a>
          </div>
        )}
      </section>
    );
  const found = searchAdapters(adapters, text);
  const isSold = adapters.some(({ registered }) => registered !== null);
  return (
    <section class="card stack" aria-label="Adapters">
      <Field
        label="Search"
        value={text}
        onInput={setText}
        placeholder="Part of a name, or: Datanet 12"
        help={`${showCount(found.length)} of ${showCount(adapters.length)}${
          found.length > SHOWN ? `; the first ${SHOWN} are shown` : ""
        }`}
      />
      <DataTable
        caption="Adapters"
        columns={COLUMNS.filter((column) => column !== MADE_OF || isSold)}
        rows={found}
        maxRows={SHOWN}
        keyOf={adapterHref}
        empty="No adapter matches."
      />
    </section>
  );
}

function Chosen(props: PageProps & { adapter: Adapter }) {
  const { adapter, live, site } = props;
  const { registered, serverUrl } = adapter;
  const { problem, value } = useAnswer(live, `adapter ${adapterHref(adapter)}`, async () =>
    registered === null ? null : findAdapter(site, serverUrl, registered.modelId),
  );
  if (registered === null) return <FreeQuestion adapter={adapter} />;
  return (
    <>
      <p class="soft">
        Trained on Datanet{" "}
        <a href={`#/datanets/${registered.datanetId}`}>
          <LeafName id={registered.datanetId} />
        </a>
        , version {registered.version}; registered as model <LeafLink id={registered.modelId} />.
      </p>
      {problem !== null && <ProblemNotice problem={problem} />}
      {value === undefined || value === null ? (
        problem === null && <p class="soft">Loading its price …</p>
      ) : (
        <ModelQuestion {...props} model={value} />
      )}
    </>
  );
}
