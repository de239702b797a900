import type { CollectReviewedReturnType } from "@openledger/client/datanets/reviewed-version";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { useState } from "preact/hooks";
import { useAction } from "../../bridge/use-action.ts";
import { Button } from "../../design/button.tsx";
import type { TabProps } from "../../hosted/tab-props.ts";
import { showCount } from "../../words/format.ts";
import { ProblemNotice } from "../../words/problem.tsx";
import { Bars } from "../rows/bars.tsx";
import { collectNext, publishNext } from "./version-work.ts";

/** The next version, as the records make it: what is in it, what stays out and why, then one signature. */
export function VersionPublish(props: TabProps & { client: LedgerClient }) {
  const { client, facts, onChange, place } = props;
  const [next, setNext] = useState<CollectReviewedReturnType | null>(null);
  const [said, setSaid] = useState("");
  const [isPublished, setPublished] = useState(false);
  const { isBusy, problem, run } = useAction();
  const work = { ...place, from: facts.id, onProgress: setSaid };
  const collect = () =>
    run(async () => {
      setPublished(false);
      setNext(await collectNext(client, work));
      setSaid("");
    });
  const publish = () =>
    run(async () => {
      await publishNext(client, work, next!);
      setSaid("");
      setNext(null);
      setPublished(true);
      onChange();
    });
  const reasons = new Map<string, number>();
  for (const { why } of next?.leftOut ?? []) reasons.set(why, (reasons.get(why) ?? 0) + 1);
  return (
    <section class="card stack" aria-label="Next version">
      <h2>Next version</h2>
      <p class="soft small">
        This page fetches what was committed and signed, checks it, and makes the version that the card's
        rules make of it. Anybody who does the same gets the same version.
      </p>
      {next === null ? (
        <div class="row">
          <Button isMain={!isPublished} isBusy={isBusy} onClick={() => void collect()}>
            {isBusy ? "Working …" : "Put the next version together"}
          </Button>
          {isPublished && <strong role="status">Published.</strong>}
        </div>
      ) : (
        <>
          <div class="columns columns-small">
            <div>
              <p class="figure">{showCount(next.version.rowCount)}</p>
              <p class="soft small">
                rows, of {showCount(next.version.payees.length)} pairs of contributor and validator
              </p>
            </div>
            <div>
              <p class="figure">{showCount(next.leftOut.length)}</p>
              <p class="soft small">rows stay out</p>
            </div>
          </div>
          {reasons.size > 0 && (
            <Bars
              title="Why rows stay out"
              bars={[...reasons].sort(([, a], [, b]) => b - a).map(([label, value]) => ({ label, value }))}
            />
          )}
          <div class="row">
            <Button
              isMain
              isBusy={isBusy}
              isDisabled={next.version.rowCount === 0}
              onClick={() => void publish()}
            >
              {`Sign version ${facts.ledger.version + 1}`}
            </Button>
            <Button isDisabled={isBusy} onClick={() => setNext(null)}>
              Not now
            </Button>
          </div>
        </>
      )}
      {said !== "" && (
        <p class="soft small" role="status">
          {said} …
        </p>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
    </section>
  );
}
