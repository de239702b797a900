/**
 * Section of the versions tab about rows that were withdrawn since the present version: the owner publishes the next one, and the
 * models that were trained on the rows are named.
 */
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import { getModel } from "@openledger/client/sequencer/model-reads";
import { Badge } from "../../design/badge.tsx";
import { datanetHref, isOwnKey, type TabProps } from "../../hosts/tab-props.ts";
import { DroppedNotice } from "../../hosts/unsigned-records.tsx";
import { useWithdrawn } from "../../hosts/withdrawn-rows.ts";
import { useAnswer } from "../../ledger/use-answer.ts";
import { showAge, showCount, showCounted } from "../../words/format.ts";
import { LeafLink } from "../../words/links.tsx";
import { ProblemNotice } from "../../words/problem.tsx";

/** The newest models that are looked through. */
const MODELS_SHOWN = 30;
/** Rows of the list; their count is shown whole. */
const SHOWN_ROWS = 20;

/** Rows of the present version that their contributors have withdrawn, and models whose versions have such rows. */
export function VersionWithdrawn(props: TabProps) {
  const { facts, live, site } = props;
  const models = useAnswer(live, `models of version ${facts.id}`, async () => {
    const found = await findLeaves(site.sequencer, { datanetId: facts.id });
    const ids = found.map(({ id }) => id).sort((a, b) => b - a);
    const read = await Promise.all(ids.slice(0, MODELS_SHOWN).map((id) => getModel(site.sequencer, id)));
    // The ledger names no version of a further Datanet.
    return read.filter(({ model }) => model.datanetId === facts.id);
  });
  const { version } = facts.ledger;
  const versions = [...new Set([version, ...(models.value ?? []).map(({ model }) => model.version)])];
  const { problem, value } = useWithdrawn(props, { datanetId: facts.id, versions });
  if (problem !== null) return <ProblemNotice problem={problem} />;
  const rows = value?.byVersion.get(version) ?? [];
  const trained = (models.value ?? []).flatMap(({ id, model }) => {
    const count = value?.byVersion.get(model.version)?.length ?? 0;
    return count === 0 ? [] : [{ id, version: model.version, count }];
  });
  const dropped = value?.dropped ?? [];
  if (rows.length === 0 && trained.length === 0 && dropped.length === 0) return null;
  return (
    <section class="card stack" aria-label="Withdrawn rows">
      <h2>Withdrawn rows</h2>
      <DroppedNotice dropped={dropped} />
      {rows.length > 0 && (
        <>
          <p>
            <strong>
              {showCounted(rows.length, "row")} {rows.length === 1 ? "was" : "were"} withdrawn since version{" "}
              {version}
              {isOwnKey(props) ? ": publish the next version, which leaves " : ". The next version leaves "}
              {rows.length === 1 ? "it" : "them"} out.
            </strong>
          </p>
          <ul>
            {rows.slice(0, SHOWN_ROWS).map(({ atMs, contributorId, digest, index, note }) => (
              <li key={digest}>
                <a href={datanetHref(facts.id, `row/${digest}`)}>row {showCount(index + 1)}</a> by{" "}
                <LeafLink id={contributorId} />, {showAge(atMs, live.nowMs.value)}
                {note !== "" && `: ${note}`}
              </li>
            ))}
          </ul>
          {rows.length > SHOWN_ROWS && (
            <p class="soft small">and {showCount(rows.length - SHOWN_ROWS)} more</p>
          )}
        </>
      )}
      {trained.length > 0 && (
        <>
          <h3>Models that were trained on withdrawn rows</h3>
          <ul>
            {trained.map(({ count, id, version: own }) => (
              <li key={id}>
                <LeafLink id={id} /> on version {own}{" "}
                <Badge tone="wait">{showCounted(count, "withdrawn row")}</Badge>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
