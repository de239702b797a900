/**
 * Tab "Review" of a Datanet's page: rows whose labels differ, one at a time. A reviewer settles each by a key: a label, or out;
 * each verdict is a signed record.
 */
import { findRows, getHostedRow } from "@openledger/client/datanets/browse-rows";
import type { HostedRow } from "@openledger/client/datanets/row-schemas";
import { useEffect, useRef, useState } from "preact/hooks";
import { Button } from "../../design/button.tsx";
import { KeyHint } from "../../hosts/keys/key-hint.tsx";
import { NeedsKey } from "../../hosts/keys/needs-key.tsx";
import { keyOfLocation, useKeys } from "../../hosts/keys/use-keys.ts";
import { NeedsAccess } from "../../hosts/needs-access.tsx";
import { sayAll } from "../../hosts/say.ts";
import { datanetHref, readableLocation, reviewerOf, type TabProps } from "../../hosts/tab-props.ts";
import { useLoad } from "../../hosts/use-load.ts";
import { useTurns } from "../../hosts/use-turns.ts";
import { RowContent } from "../../rows/row-content.tsx";
import { RowLabels } from "../../rows/row-labels.tsx";
import { RowText } from "../../rows/row-text.tsx";
import { showCount } from "../../words/format.ts";
import { ProblemNotice } from "../../words/problem.tsx";

/** Disputed rows of one request to the host. */
const FETCHED_ROWS = 50;

/** Rows whose labellers differ: their labels side by side, settled by one key. */
export function ReviewTab(props: TabProps) {
  return (
    <NeedsAccess {...props}>
      <NeedsKey {...props} toDo="review">
        {() => <Disputes {...props} />}
      </NeedsKey>
    </NeedsAccess>
  );
}

interface Settled {
  readonly row: HostedRow;
  readonly label: string | null;
}

function Disputes(props: TabProps) {
  const { facts, onChange, place, visitor } = props;
  const { labels } = facts.card;
  const [settled, setSettled] = useState<readonly Settled[]>([]);
  const [reopened, setReopened] = useState<readonly HostedRow[]>([]);
  const [at, setAt] = useState(0);
  const [note, setNote] = useState("");
  const noteBox = useRef<HTMLTextAreaElement>(null);
  const turns = useTurns();
  const from = reviewerOf(props);
  const found = useLoad(`${facts.here.recordCount}`, () =>
    findRows(visitor.reader, { ...readableLocation(props), state: "disputed", limit: FETCHED_ROWS }),
  );
  const gone = new Set(settled.map(({ row }) => row.digest));
  const known = new Set(reopened.map(({ digest }) => digest));
  const rows = [
    ...reopened,
    ...(found.value?.rows ?? []).filter(({ digest }) => !gone.has(digest) && !known.has(digest)),
  ];
  const place0 = Math.min(at, Math.max(0, rows.length - 1));
  const row = rows[place0];
  useEffect(() => setNote(""), [row?.digest]);

  const settle = (label: string | null) => {
    if (row === undefined || from === null) return;
    const record = { kind: "settle", row: row.digest, label, note } as const;
    setReopened((now) => now.filter(({ digest }) => digest !== row.digest));
    setSettled((now) => [...now, { row, label }]);
    turns.run(
      async () => {
        await sayAll(visitor.client!, { ...place, from, records: [record] });
        onChange();
      },
      () => {
        setSettled((now) => now.filter((one) => one.row !== row));
        setReopened((now) => [row, ...now]);
      },
    );
  };
  useKeys((key) => {
    const choice = labels.findIndex((_, i) => keyOfLocation(i) === key);
    if (choice >= 0) settle(labels[choice]!.name);
    else if (key === "x") settle(null);
    else if (key === "j" || key === "ArrowRight") setAt(Math.min(place0 + 1, Math.max(0, rows.length - 1)));
    else if (key === "k" || key === "ArrowLeft") setAt(Math.max(0, place0 - 1));
    else if (key === "n") noteBox.current?.focus();
    else return false;
    return true;
  });

  if (found.problem !== null) return <ProblemNotice problem={found.problem} />;
  if (found.value === undefined) return <p class="soft">Loading …</p>;
  const isListed = ({ row: { digest } }: Settled) => found.value!.rows.some((one) => one.digest === digest);
  const leftCount = Math.max(rows.length, found.value.total - settled.filter(isListed).length);
  return (
    <div class="label-panel">
      <section class="card stack label-row" aria-label="Disputed row">
        {row === undefined ? (
          <>
            <h2>No open disputes</h2>
            <p class="soft">
              Rows appear here when their labellers disagree. Contributions are approved under{" "}
              <a href={datanetHref(facts.id, "versions")}>Versions</a>.
            </p>
          </>
        ) : (
          <>
            <div class="row">
              <h2>
                Dispute {showCount(place0 + 1)} of {showCount(leftCount)}
                {!found.value.isTotalExact && "+"}
              </h2>
              <span class="push" />
              <Button isSmall onClick={() => setAt(Math.max(0, place0 - 1))}>
                <KeyHint name="k" /> Back
              </Button>
              <Button isSmall onClick={() => setAt(Math.min(place0 + 1, rows.length - 1))}>
                <KeyHint name="j" /> Next
              </Button>
            </div>
            <RowContent {...props} row={row} />
            <DisputedRow {...props} digest={row.digest} />
            {from === null ? (
              <p class="soft">
                The card names who settles disputes:{" "}
                {facts.card.labelling.reviewers.join(", ") || "its owner"}. You can only view them.
              </p>
            ) : (
              <>
                <fieldset class="label-choices">
                  <legend class="visually-hidden">Settle as</legend>
                  {labels.map(({ name }, i) => (
                    <button key={name} type="button" class="label-choice" onClick={() => settle(name)}>
                      {keyOfLocation(i) !== null && <KeyHint name={keyOfLocation(i)!} />}
                      <RowText text={name} isOneLine />
                    </button>
                  ))}
                  <button type="button" class="label-choice label-out" onClick={() => settle(null)}>
                    <KeyHint name="x" /> Leave it out
                  </button>
                </fieldset>
                <div class="field">
                  <label for="review-note">Reason</label>
                  <div class="field-box">
                    <textarea
                      ref={noteBox}
                      id="review-note"
                      rows={1}
                      value={note}
                      placeholder="Public. Press n to write, Escape to finish"
                      onInput={(event) => setNote(event.currentTarget.value)}
                      onKeyDown={(event) => {
                        if (event.key !== "Escape") return;
                        event.preventDefault();
                        event.currentTarget.blur();
                      }}
                    />
                  </div>
                </div>
              </>
            )}
          </>
        )}
        {turns.problem !== null && <ProblemNotice problem={turns.problem} />}
      </section>
      <section class="card stack" aria-label="Settled here">
        <h2>Settled here</h2>
        {settled.length === 0 && (
          <p class="soft small">Disputes that you settled. You can change each decision.</p>
        )}
        <ul class="settled-list">
          {[...settled].reverse().map(({ label, row: one }) => (
            <li key={one.digest}>
              <RowText text={one.excerpt} isOneLine />
              <span class="soft small">{label ?? "left out"}</span>
              <Button
                isSmall
                onClick={() => {
                  setSettled((now) => now.filter(({ row: { digest } }) => digest !== one.digest));
                  setReopened((now) => [one, ...now]);
                  setAt(0);
                }}
              >
                Again
              </Button>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}

function DisputedRow(props: TabProps & { digest: string }) {
  const { digest, facts, visitor } = props;
  const { problem, value } = useLoad(`${digest}/${facts.here.recordCount}`, () =>
    getHostedRow(visitor.reader, { ...readableLocation(props), digest }),
  );
  if (problem !== null) return <ProblemNotice problem={problem} />;
  return value === undefined || value.digest !== digest ? (
    <p class="soft">Loading the labels …</p>
  ) : (
    <RowLabels row={value} />
  );
}
