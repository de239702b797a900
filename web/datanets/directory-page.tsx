/**
 * Page "#/datanets": a person searches the Datanets of all hosts of this site by words and tags, and opens one or creates one.
 */
import { useEffect, useState } from "preact/hooks";
import { Badge } from "../design/badge.tsx";
import { Field } from "../design/field.tsx";
import { Notice } from "../design/notice.tsx";
import { findEverywhere, type ListedDatanet } from "../hosts/hosts.ts";
import type { Visitor } from "../hosts/keys/visitor.ts";
import { datanetHref } from "../hosts/tab-props.ts";
import { useLoad } from "../hosts/use-load.ts";
import type { PageProps } from "../ledger/page.ts";
import { useFilter } from "../routes.ts";
import { RowText } from "../rows/row-text.tsx";
import { showAge, showCount } from "../words/format.ts";
import { ProblemNotice } from "../words/problem.tsx";

/** Long enough that no question is sent for every letter. */
const TYPING_MS = 200;

/** Every Datanet that this site's hosts know, found by words. */
export function DirectoryPage({ live, site, visitor }: PageProps & { visitor: Visitor }) {
  const [text, setText] = useFilter("q");
  const [question, setQuestion] = useState(text.trim());
  const [tag, setTag] = useFilter("tag");
  useEffect(() => {
    const timer = setTimeout(() => setQuestion(text.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const filter = { ...(question === "" ? {} : { text: question }), ...(tag === "" ? {} : { tag }) };
  const { problem, value } = useLoad(JSON.stringify(filter), () =>
    findEverywhere(site, visitor.reader, filter),
  );
  const tags = [...new Set(value?.datanets.flatMap(({ facts }) => facts.tags) ?? [])].slice(0, 12);
  return (
    <>
      <section class="stack">
        <div class="row">
          <h1>Datanets</h1>
          <span class="push" />
          {site.datanetHosts.length > 0 && (
            <a class="button button-main" href="#/datanets/new">
              New Datanet
            </a>
          )}
        </div>
        <p class="lead">
          Data sets that people build and own together. When rows help to answer a question, their
          contributors are paid.
        </p>
      </section>
      {site.datanetHosts.length === 0 ? (
        <Notice tone="info" title="No Datanet host is configured for these pages.">
          <p>
            The operator of this server configures hosts with <code>SEQUENCER_PAGES_DATANET_HOSTS</code>. The
            command line works with any host: <code>openledger datanet find --host URL</code>.
          </p>
        </Notice>
      ) : (
        <section class="stack" aria-label="Directory">
          <div class="datanet-search">
            <Field
              label="Search"
              value={text}
              onInput={setText}
              placeholder="Words of the name, description, field or tags"
            />
            {(tags.length > 0 || tag !== "") && (
              <fieldset class="chips">
                <legend class="visually-hidden">Tags</legend>
                {tags.map((one) => (
                  <button
                    key={one}
                    type="button"
                    class="chip"
                    aria-pressed={one === tag}
                    onClick={() => setTag(one === tag ? "" : one)}
                  >
                    {one}
                  </button>
                ))}
              </fieldset>
            )}
          </div>
          {problem !== null && <ProblemNotice problem={problem} />}
          {value?.problems.map((one) => (
            <ProblemNotice key={one.details ?? one.message} problem={one} />
          ))}
          {value === undefined && problem === null && <p class="soft">Loading …</p>}
          {value !== undefined && (
            <p class="soft small" role="status">
              {value.datanets.length === 0
                ? "No Datanet matches. Try fewer words or another tag."
                : `${showCount(value.datanets.length)} ${value.datanets.length === 1 ? "Datanet" : "Datanets"}`}
            </p>
          )}
          <ul class="datanet-list">
            {value?.datanets.map((one) => (
              <ListedCard key={one.facts.id} listed={one} nowMs={live.nowMs.value} />
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function ListedCard({ listed, nowMs }: { listed: ListedDatanet; nowMs: number }) {
  const { facts, hostUrls } = listed;
  const { access, here } = facts;
  const waiting = access.oldestUnansweredAtMs;
  return (
    <li class="card datanet-item">
      <div class="row">
        <h2>
          <a href={datanetHref(facts.id)}>
            <RowText text={facts.name} isOneLine />
          </a>
        </h2>
        <span class="push" />
        {access.kind === "permissioned" && <Badge tone="wait">on request</Badge>}
        {!facts.isCardCurrent && <Badge tone="bad">card differs from the ledger</Badge>}
      </div>
      <p class="soft datanet-about">
        <RowText text={facts.description} />
      </p>
      <p class="datanet-facts small">
        <span>
          <strong>{showCount(here.rowCount)}</strong> {here.rowCount === 1 ? "row" : "rows"}
        </span>
        <span>
          {facts.rowCount === 0 ? (
            "none published yet"
          ) : (
            <>
              <strong>{showCount(facts.rowCount)}</strong> in version {facts.version}
            </>
          )}
        </span>
        <span>{facts.field}</span>
        <span>{facts.licence}</span>
        {facts.labels.length > 0 && <span>{showLabels(facts.labels)}</span>}
        {hostUrls.length > 1 && <span>on {hostUrls.length} hosts</span>}
        {access.unansweredCount > 0 && (
          <span>
            {access.unansweredCount} {access.unansweredCount === 1 ? "request" : "requests"} unanswered
            {waiting !== null && `, the oldest from ${showAge(waiting, nowMs)}`}
          </span>
        )}
      </p>
    </li>
  );
}

/** Labels named in an entry. */
const MAX_LABELS = 4;

function showLabels(labels: readonly string[]): string {
  const shown = labels.slice(0, MAX_LABELS).join(" · ");
  return labels.length > MAX_LABELS ? `${shown} · ${labels.length - MAX_LABELS} more` : shown;
}
