/**
 * Section "Next version" of the versions tab, for the Datanet's owner: builds the next version by the card's rules, shows what
 * is in it and what is not, and publishes it by one signature.
 */
import { presentPayees } from "@openledger/circuits/ledger/payee-shards";
import { labelledCount } from "@openledger/client/actions/data/stored-labels";
import { DISPUTED, WAITS_FOR_LABELS } from "@openledger/client/datanets/reviewed-version";
import type { HostCommitView } from "@openledger/client/datanets/row-schemas";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../../design/button.tsx";
import { datanetHref, type TabProps } from "../../hosts/tab-props.ts";
import { DroppedNotice, UnsignedCheck } from "../../hosts/unsigned-records.tsx";
import { useAction } from "../../ledger/use-action.ts";
import { useLatest } from "../../ledger/use-latest.ts";
import { showCount, showCounted } from "../../words/format.ts";
import { ProblemNotice } from "../../words/problem.tsx";
import { Bars } from "../rows/bars.tsx";
import { MissingCheck, PassedOverNotice } from "./passed-over.tsx";
import { collectNext, type NextVersion, publishNext } from "./version-work.ts";

/** Maximum rows of a version that is prepared without a request of the owner: every row is fetched. */
const PREPARED_ROWS = 20_000;

interface VersionPublishProps extends TabProps {
  readonly client: LedgerClient;
  readonly commits: readonly HostCommitView[];
}

/**
 * The next version, as the records make it: what is in it, what stays out and why, then one signature. Prepared by itself
 * from approved contributions, and again when what was signed changes.
 */
export function VersionPublish(props: VersionPublishProps) {
  const { client, commits, facts, onChange, place, site } = props;
  const [next, setNext] = useState<NextVersion | null>(null);
  const [progress, setProgress] = useState("");
  /** Rows of the version that was published here; null for none. */
  const [publishedCount, setPublishedCount] = useState<number | null>(null);
  const [withoutUnsigned, setWithoutUnsigned] = useState(false);
  const [withoutMissing, setWithoutMissing] = useState(false);
  const isPublished = publishedCount !== null;
  const begin = useLatest();
  const { isBusy, problem, run } = useAction();
  const approved = commits.filter(({ verdict }) => verdict?.verdict === "approve");
  const waitingCount = commits.filter(({ verdict }) => verdict === null).length;
  const isReady = approved.length > 0 && facts.here.rowCount <= PREPARED_ROWS;
  const work = { ...place, from: facts.id, onProgress: setProgress };
  const collect = () =>
    run(async () => {
      setPublishedCount(null);
      const isLatest = begin();
      const how = { withoutMissing, withoutUnsigned, mirrorUrls: site.datanetHosts };
      const made = await collectNext(client, { ...work, ...how });
      // Something was signed meanwhile: what is made after that counts.
      if (isLatest()) setNext(made);
      setProgress("");
    });
  const about = `${facts.here.recordCount} ${facts.ledger.version} ${approved.map(({ rowsRoot }) => rowsRoot).join()}`;
  useEffect(() => {
    setNext(null);
    if (isReady && !isPublished) void collect();
  }, [about, isReady, withoutMissing, withoutUnsigned]);
  const publish = () =>
    run(async () => {
      try {
        await publishNext(client, work, next!);
        setNext(null);
        setPublishedCount(next!.version.rowCount);
      } finally {
        setProgress("");
        // Also where the ledger has it, and the host does not: the page then says so.
        onChange();
      }
    });
  const reasons = new Map<string, number>();
  for (const { why } of next?.leftOut ?? []) reasons.set(why, (reasons.get(why) ?? 0) + 1);
  const waitingRowCount = reasons.get(WAITS_FOR_LABELS) ?? 0;
  const disputedCount = reasons.get(DISPUTED) ?? 0;
  return (
    <section class="card stack" aria-label="Next version">
      <h2>Next version</h2>
      <p class="soft small">
        Your browser fetches and checks all commits and signed records, then builds the version by the card's
        rules. Anyone who repeats this gets the same version.
      </p>
      {waitingCount > 0 && (
        <p class="soft small">
          {showCount(waitingCount)} {waitingCount === 1 ? "contribution waits" : "contributions wait"} for a
          decision above. Only approved contributions go into a version.
        </p>
      )}
      {next === null ? (
        <div class="row">
          <Button isMain={!isPublished} isBusy={isBusy} onClick={() => void collect()}>
            {isBusy ? "Working …" : "Prepare the next version"}
          </Button>
          {isPublished && (
            <span role="status">
              <strong>Published.</strong> {showCounted(publishedCount, "row")}: check or download{" "}
              {publishedCount === 1 ? "it" : "them"} below
              {site.factoryUrl !== null && (
                <>
                  , or <a href="#/factory/new">make a model of {publishedCount === 1 ? "it" : "them"}</a>
                </>
              )}
              .
            </span>
          )}
        </div>
      ) : (
        <>
          <div class="columns columns-small">
            <div>
              <p class="figure">{showCount(next.version.rowCount)}</p>
              <p class="soft small">
                rows, from {countPeople(presentPayees(next.version.payees).map(([, payee]) => payee))}
              </p>
            </div>
            {facts.card.labels.length > 0 && (
              <div>
                <p class="figure">{showCount(labelledCount(next.labels!))}</p>
                <p class="soft small">of them with an accepted label</p>
              </div>
            )}
            <div>
              <p class="figure">{showCount(next.leftOut.length)}</p>
              <p class="soft small">rows excluded</p>
            </div>
          </div>
          {reasons.size > 0 && (
            <Bars
              title="Why rows are excluded"
              bars={[...reasons].sort(([, a], [, b]) => b - a).map(([label, value]) => ({ label, value }))}
            />
          )}
          <PassedOverNotice passedOver={next.passedOver} />
          <DroppedNotice dropped={next.dropped} />
          {waitingRowCount > 0 && (
            <p class="soft small">
              {showCounted(waitingRowCount, "row")} {waitingRowCount === 1 ? "waits" : "wait"} for labels.
              This page updates as labels arrive; rows still missing come with a later version.
            </p>
          )}
          {disputedCount > 0 && (
            <p class="soft small">
              {showCounted(disputedCount, "row")} {disputedCount === 1 ? "has" : "have"} labels that differ:{" "}
              <a href={datanetHref(facts.id, "review")}>settle {disputedCount === 1 ? "it" : "them"}</a>{" "}
              before you sign, or leave {disputedCount === 1 ? "it" : "them"} to a later version.
            </p>
          )}
          <div class="row">
            <Button
              isMain
              isBusy={isBusy}
              isDisabled={next.version.rowCount === 0 || next.isPublished}
              onClick={() => void publish()}
            >
              {next.leftOut.length === 0 || next.version.rowCount === 0
                ? `Sign version ${facts.ledger.version + 1}`
                : `Sign version ${facts.ledger.version + 1} without ${showCounted(next.leftOut.length, "row")}`}
            </Button>
            <Button isDisabled={isBusy} onClick={() => void collect()}>
              Check again
            </Button>
          </div>
          {(next.version.rowCount === 0 || next.isPublished) && (
            <p class="soft small">
              {next.isPublished
                ? `It has the same rows as version ${facts.ledger.version}, of the same people.`
                : facts.card.labels.length === 0
                  ? "It has no rows: approve a contribution above."
                  : "It has no rows: approve a contribution above, and have its rows labelled."}
            </p>
          )}
        </>
      )}
      {progress !== "" && (
        <p class="soft small" role="status">
          {progress} …
        </p>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
      <UnsignedCheck problem={problem} isChecked={withoutUnsigned} onCheck={setWithoutUnsigned} />
      <MissingCheck problem={problem} isChecked={withoutMissing} onCheck={setWithoutMissing} />
    </section>
  );
}

/** "1 contributor, checked by 3 people" */
function countPeople(payees: readonly { readonly contributorId: number; readonly validatorId: number }[]) {
  const contributors = new Set(payees.map(({ contributorId }) => contributorId)).size;
  const validators = new Set(payees.map(({ validatorId }) => validatorId)).size;
  return `${showCount(contributors)} ${contributors === 1 ? "contributor" : "contributors"}, checked by ${showCount(validators)} ${validators === 1 ? "person" : "people"}`;
}
