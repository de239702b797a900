/**
 * Tab "Label" of a Datanet's page: a labeller gets one row at a time and answers by keys. Labels are signed, wait 15 s in the
 * page for an undo, then go to the host.
 */
import { getStanding, nextRows } from "@openledger/client/datanets/label-turns";
import type { LabelTurn } from "@openledger/client/datanets/row-schemas";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Button } from "../../design/button.tsx";
import { KeyHint } from "../../hosts/keys/key-hint.tsx";
import { NeedsKey } from "../../hosts/keys/needs-key.tsx";
import { keyOfLocation, useKeys } from "../../hosts/keys/use-keys.ts";
import { sayAll } from "../../hosts/say.ts";
import { datanetHref, reviewerOf, type TabProps } from "../../hosts/tab-props.ts";
import { useLoad } from "../../hosts/use-load.ts";
import { rollupKey, rollupOf } from "../../ledger/rollup-storage.ts";
import { RowContent } from "../../rows/row-content.tsx";
import { RowText } from "../../rows/row-text.tsx";
import { showCount, showTime } from "../../words/format.ts";
import { LeafLink } from "../../words/links.tsx";
import { type Problem, ProblemNotice, problemOf } from "../../words/problem.tsx";
import { Progress, Suggestion } from "./label-beside.tsx";
import { FLAG_NAMES, type HeldLabel, LabelOutbox } from "./label-outbox.ts";
import { FETCHED_ROWS, type QueueRow, RowQueue } from "./row-queue.ts";

/** Maximum digests in the host's list of skipped rows. */
const MAX_SKIPPED = 50;
/** Time to take a label back, from the newest label on; then all that wait go to the host. */
const UNDO_MS = 15_000;

/** Storage key: "yes" if this browser shows a model's suggestions, until they are hidden again. */
const SUGGESTING = "openledger.labels.suggestions";

type Flag = (typeof FLAG_NAMES)[number];

/** The queue of one labeller, worked by keys alone. */
export function LabelTab(props: TabProps) {
  if (props.facts.card.labels.length === 0)
    return (
      <section class="card narrow">
        <p class="soft">The card of this Datanet defines no labels.</p>
      </section>
    );
  return (
    <NeedsKey {...props} toDo="label">
      {(client) => <Allowed {...props} client={client} />}
    </NeedsKey>
  );
}

function Allowed(props: TabProps & { client: LedgerClient }) {
  const { client, place } = props;
  const standing = useLoad(`${client.leafId}`, () => getStanding(client, place));
  if (standing.problem !== null) return <ProblemNotice problem={standing.problem} />;
  if (standing.value === undefined) return <p class="soft">Loading …</p>;
  if (!standing.value.mayLabel)
    return (
      <section class="card stack narrow">
        <h2>You are not a labeller of this Datanet</h2>
        <p class="soft">
          Its card lists the accounts that may label, and {client.leafId} is not one of them. Contact its
          owner: <RowText text={props.facts.card.contact} isOneLine />
        </p>
      </section>
    );
  return <Queue {...props} />;
}

function Queue(props: TabProps & { client: LedgerClient }) {
  const { client, facts, onChange, place } = props;
  const { labels } = facts.card;
  /** Labels of this labeller, those that the host does not have yet included; null until the host has counted. */
  const [ownCount, setOwnCount] = useState<number | null>(null);
  const [flags, setFlags] = useState<readonly Flag[]>([]);
  const [note, setNote] = useState("");
  const [isFlagging, setFlagging] = useState(false);
  const [isSuggesting, setSuggesting] = useState(() => localStorage.getItem(SUGGESTING) === "yes");
  const [status, setStatus] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const noteBox = useRef<HTMLTextAreaElement>(null);
  const suggested = useRef(new Map<string, string>());
  const skipped = useRef(new Set<string>());
  const outbox = useMemo(() => makeOutbox(client, place, { onChange, onProblem: setProblem }), [client]);
  const hasCounted = useRef(false);
  const queue = useMemo(
    () =>
      new RowQueue(async (onPage) => {
        // Labels that wait since the last visit go first, so that nothing is counted twice.
        if (!hasCounted.current) await outbox.flush();
        // Only the row on the screen and the next are reserved: others get the rest.
        const turn = await nextRows(client, {
          ...place,
          limit: 1,
          unsent: [...new Set([...outbox.held.value.map(({ row }) => row), ...onPage])],
          skipped: [...skipped.current].slice(-MAX_SKIPPED),
        });
        if (!hasCounted.current) setOwnCount(turn.labelledCount);
        hasCounted.current = true;
        return turn;
      }),
    [outbox],
  );
  const { elsewhere, isEmpty, isRepeated, rows, ...question } = queue.state.value;
  const held = outbox.held.value;
  const row = rows[0];
  /** Row on the screen: the last one, until the next one is there. */
  const shown = useRef<QueueRow | undefined>(undefined);
  shown.current = row ?? (isEmpty ? undefined : shown.current);
  const fetched = row === undefined ? [shown.current] : rows.slice(0, FETCHED_ROWS);
  // A next row that is late is nobody's trouble before its turn.
  const shownProblem = problem ?? (row === undefined || !isRepeated ? question.problem : null);

  useEffect(() => {
    queue.fill();
    return () => queue.stop();
  }, [queue]);
  useEffect(() => {
    const flush = () => void outbox.flush().catch((error: unknown) => setProblem(problemOf(error)));
    const onHide = () => document.visibilityState === "hidden" && flush();
    const timer = setInterval(() => {
      const oldest = outbox.held.value[0];
      if (oldest !== undefined && Date.now() - outbox.held.value.at(-1)!.atMs > UNDO_MS) flush();
    }, 1_000);
    document.addEventListener("visibilitychange", onHide);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", onHide);
      flush();
    };
  }, [outbox]);

  /** Records what is said of the row on the screen, then takes it off. Nothing if the page was not drawn since the last one. */
  const answer = (record: (row: QueueRow) => void) => {
    if (row === undefined || queue.state.value.rows[0] !== row) return;
    record(row);
    queue.next();
    setFlags([]);
    setNote("");
    setFlagging(false);
  };
  const give = (label: string) =>
    answer(({ digest, excerpt }) => {
      const seen = suggested.current.has(digest) ? ({ sawSuggestion: true } as const) : {};
      outbox
        .give({ row: digest, label, flags: [...flags], note, atMs: Date.now(), excerpt, ...seen })
        .catch((error: unknown) => setProblem(problemOf(error)));
      setOwnCount((count) => (count ?? 0) + 1);
      setStatus(`labelled ${label}`);
    });
  const skip = () =>
    answer(({ digest }) => {
      skipped.current.add(digest);
      setStatus("skipped");
    });
  const undo = () => {
    const last = outbox.undo();
    if (last === null) return setStatus("nothing to undo: all your labels are sent");
    setOwnCount((count) => Math.max(0, (count ?? 0) - 1));
    const { excerpt, flags, note, row } = last;
    queue.putBack({ digest: row, excerpt, values: null, bytes: 0, isCut: false, isWellFormed: true });
    setFlags(flags);
    setNote(note);
    setStatus("undone");
  };
  const toggleSuggestions = () => {
    localStorage.setItem(SUGGESTING, isSuggesting ? "no" : "yes");
    setSuggesting(!isSuggesting);
  };
  const toggle = (flag: Flag) =>
    setFlags((now) => (now.includes(flag) ? now.filter((one) => one !== flag) : [...now, flag]));
  useKeys((key) => {
    if (isFlagging) {
      const flag = FLAG_NAMES[Number(key) - 1];
      if (flag !== undefined) toggle(flag);
      else if (key === "f" || key === "Escape" || key === "Enter") setFlagging(false);
      else return false;
      return true;
    }
    const position = labels.findIndex((_, i) => keyOfLocation(i) === key);
    if (position >= 0) give(labels[position]!.name);
    else if (key === "s") skip();
    else if (key === "u" || key === "Backspace") undo();
    else if (key === "f") setFlagging(true);
    else if (key === "n") noteBox.current?.focus();
    else if (key === "p") toggleSuggestions();
    else if (key === "Enter" && row !== undefined && suggested.current.has(row.digest))
      give(suggested.current.get(row.digest)!);
    else return false;
    return true;
  });

  return (
    <div class="label-panel">
      <section class="card stack label-row" aria-label="Row to label" aria-busy={row === undefined}>
        {shownProblem !== null && <ProblemNotice problem={shownProblem} />}
        {row === undefined && question.problem !== null && (
          <div class="row">
            {isRepeated && <p class="soft">The next row could not be loaded. This page keeps trying.</p>}
            <Button onClick={() => queue.again()}>{isRepeated ? "Try now" : "Try again"}</Button>
          </div>
        )}
        {shown.current === undefined ? (
          isEmpty ? (
            <Done
              {...props}
              elsewhere={elsewhere}
              held={held}
              isOwnLabelled={facts.card.labelling.ownRows === "allowed"}
              publishHref={reviewerOf(props) === null ? null : datanetHref(facts.id, "versions")}
              skippedCount={skipped.current.size}
              onSend={() => void outbox.flush().catch((error: unknown) => setProblem(problemOf(error)))}
              onAgain={() => {
                skipped.current.clear();
                queue.again();
              }}
            />
          ) : (
            question.problem === null && <p class="soft">Loading your next row …</p>
          )
        ) : (
          <>
            {fetched.map(
              (one, i) =>
                one !== undefined && (
                  <div key={one.digest} hidden={i > 0}>
                    <RowContent {...props} row={one} />
                  </div>
                ),
            )}
            {isSuggesting && row !== undefined && (
              <Suggestion
                key={`suggested ${row.digest}`}
                {...props}
                digest={row.digest}
                onSeen={(label) => suggested.current.set(row.digest, label)}
              />
            )}
            <fieldset class="label-choices">
              <legend class="visually-hidden">Label</legend>
              {labels.map(({ description, name }, i) => (
                <button
                  key={name}
                  type="button"
                  class="label-choice"
                  title={description}
                  onClick={() => give(name)}
                >
                  {keyOfLocation(i) !== null && <KeyHint name={keyOfLocation(i)!} />}
                  <RowText text={name} isOneLine />
                </button>
              ))}
            </fieldset>
            {(isFlagging || flags.length > 0) && (
              <fieldset class="chips">
                <legend class="small soft">Flags</legend>
                {FLAG_NAMES.map((flag, i) => (
                  <button
                    key={flag}
                    type="button"
                    class="chip"
                    aria-pressed={flags.includes(flag)}
                    onClick={() => toggle(flag)}
                  >
                    {isFlagging && <KeyHint name={String(i + 1)} />} {flag}
                  </button>
                ))}
              </fieldset>
            )}
            <div class="field">
              <label for="label-note">Note</label>
              <div class="field-box">
                <textarea
                  ref={noteBox}
                  id="label-note"
                  rows={1}
                  value={note}
                  placeholder="For the reviewer. Press Escape to return to the labels"
                  onInput={(event) => setNote(event.currentTarget.value)}
                  onKeyDown={(event) => {
                    if (event.key !== "Escape" && !(event.key === "Enter" && !event.shiftKey)) return;
                    event.preventDefault();
                    event.currentTarget.blur();
                  }}
                />
              </div>
              <p class="soft small">
                {facts.card.access === "public"
                  ? "Everyone can read your note once the row has its labels."
                  : "Who may read these rows can read your note once the row has its labels."}
              </p>
            </div>
            <div class="row">
              <Button isSmall onClick={skip}>
                <KeyHint name="s" /> Skip
              </Button>
              <Button isSmall onClick={() => setFlagging(!isFlagging)}>
                <KeyHint name="f" /> Flag
              </Button>
              <Button isSmall onClick={() => noteBox.current?.focus()}>
                <KeyHint name="n" /> Note
              </Button>
              <Button isSmall onClick={toggleSuggestions}>
                <KeyHint name="p" /> {isSuggesting ? "Hide" : "Show"} a model's suggestions
              </Button>
            </div>
          </>
        )}
      </section>
      <div class="stack">
        <Progress {...props} ownCount={ownCount} held={held} status={status} onUndo={undo} />
        {facts.card.instructions !== "" && (
          <section class="card stack-s">
            <h2>Instructions</h2>
            <p class="small">
              <RowText text={facts.card.instructions} />
            </p>
          </section>
        )}
      </div>
    </div>
  );
}

function makeOutbox(
  client: LedgerClient,
  location: TabProps["place"],
  /** `onChange`: the host has more labels. */
  { onChange, onProblem }: Pick<TabProps, "onChange"> & { onProblem: (problem: Problem | null) => void },
): LabelOutbox {
  const name = `${rollupKey("labels", rollupOf(client))}.${location.datanetId}.${client.leafId}`;
  return new LabelOutbox(name, async (labels) => {
    let isClean = true;
    for (const { atMs, flags, label, note, row, sawSuggestion } of labels) {
      const seen = sawSuggestion === undefined ? {} : { sawSuggestion };
      const record = { kind: "label", row, label, flags, note, ...seen } as const;
      try {
        // At the time when it was given: sent twice, it is one record.
        await sayAll(client, { ...location, from: client.leafId!, records: [record], atMs });
      } catch (error) {
        const problem = problemOf(error);
        onProblem(problem);
        isClean = false;
        // The host has refused it for good: keeping it would hold up all others.
        if (problem.code !== "DNT_RECORD_NOT_ALLOWED" && problem.code !== "DNT_RECORD_OUTDATED") throw error;
      }
    }
    if (isClean) onProblem(null);
    onChange();
  });
}

interface DoneProps extends Pick<TabProps, "live"> {
  /** Rows that other labellers have now. */
  readonly elsewhere: LabelTurn["held"];
  readonly held: readonly HeldLabel[];
  /** True if contributors label their own rows, too. */
  readonly isOwnLabelled: boolean;
  /** Place where this account approves and publishes; null if it does not. */
  readonly publishHref: string | null;
  readonly skippedCount: number;
  readonly onSend: () => void;
  readonly onAgain: () => void;
}

function Done({
  elsewhere,
  held,
  isOwnLabelled,
  live,
  onAgain,
  onSend,
  publishHref,
  skippedCount,
}: DoneProps) {
  return (
    <div class="stack">
      <h2>Nothing left for you to label</h2>
      <p class="soft">
        {held.length > 0 ? (
          `You can still undo ${held.length === 1 ? "your last label, which goes" : `your last ${held.length} labels, which go`} to the host in a few seconds.`
        ) : elsewhere === null ? (
          `Every row${isOwnLabelled ? "" : " from other people"} has your label or enough labels.`
        ) : (
          <Elsewhere held={elsewhere} nowMs={live.nowMs.value} />
        )}
      </p>
      <div class="row">
        {held.length > 0 && (
          <Button isMain onClick={onSend}>
            Send {held.length === 1 ? "it" : "them"} now
          </Button>
        )}
        <Button onClick={onAgain}>
          {skippedCount > 0
            ? `Show ${skippedCount === 1 ? "the skipped row" : `the ${skippedCount} skipped rows`} again`
            : "Check again"}
        </Button>
        {publishHref !== null && <a href={publishHref}>Approve contributions and publish</a>}
      </div>
    </div>
  );
}

function Elsewhere({ held, nowMs }: { held: NonNullable<LabelTurn["held"]>; nowMs: number }) {
  const { leafIds, rowCount, untilMs } = held;
  return (
    <>
      {showCount(rowCount)} {rowCount === 1 ? "row is" : "rows are"} held by{" "}
      {leafIds.map((id, i) => (
        <span key={id}>
          {i > 0 && ", "}
          <LeafLink id={id} />
        </span>
      ))}{" "}
      now. {untilMs > nowMs ? `The next is free at ${showTime(untilMs)} at the latest.` : "Check again."}
    </>
  );
}
