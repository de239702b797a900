import { useState } from "preact/hooks";
import { listLeftOut } from "../../client/datanets/browse-rows.ts";
import type { LeftOutRow } from "../../client/datanets/row-schemas.ts";
import { useAction } from "../bridge/use-action.ts";
import { Badge } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { showCount } from "../words/format.ts";
import { LeafLink } from "../words/links.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { type Doubt, findDoubtful, type Looked, MAX_LOOKED_ROWS } from "./find-doubtful.ts";
import { KeyHint } from "./key-hint.tsx";
import { NeedsAccess } from "./needs-access.tsx";
import { RowText } from "./row-text.tsx";
import { sayAll } from "./say.ts";
import { datanetHref, readablePlace, reviewerOf, type TabProps } from "./tab-props.ts";
import { useKeys } from "./use-keys.ts";
import { useLoaded } from "./use-loaded.ts";

/** Doubtful rows side by side with what they are doubted for, one key each; and everything that is left out. */
export function CleanTab(props: TabProps) {
  return (
    <NeedsAccess {...props}>
      <Cleaning {...props} />
    </NeedsAccess>
  );
}

function Cleaning(props: TabProps) {
  const { facts, visitor } = props;
  const [looked, setLooked] = useState<Looked | null>(null);
  const [progress, setProgress] = useState<readonly [number, number] | null>(null);
  const { isBusy, problem, run } = useAction();
  const look = () =>
    run(async () => {
      const { labels, rewards, row } = facts.card;
      const rules = { labels, rewards, row };
      setLooked(
        await findDoubtful(visitor.reader, readablePlace(props), rules, (...now) => setProgress(now)),
      );
      setProgress(null);
    });
  return (
    <div class="stack">
      {looked === null ? (
        <section class="card stack narrow" aria-label="Look through the rows">
          <h2>Look through the rows</h2>
          <p class="soft">
            Your browser fetches the rows, checks them, and looks for near-duplicates, empty and truncated
            rows, rows of another kind, secrets and personal numbers. Each is shown beside what it resembles;
            you decide.
          </p>
          <Button isMain isBusy={isBusy} onClick={() => void look()}>
            {isBusy ? "Looking …" : "Look"}
          </Button>
          {progress !== null && (
            <progress
              class="label-progress"
              value={progress[0]}
              max={progress[1]}
              aria-label="Rows looked at"
            />
          )}
          {facts.here.rowCount > MAX_LOOKED_ROWS && (
            <p class="soft small">
              The first {showCount(MAX_LOOKED_ROWS)} rows; the command line looks at all: openledger datanet
              check.
            </p>
          )}
          {problem !== null && <ProblemNotice problem={problem} />}
        </section>
      ) : (
        <Doubts {...props} looked={looked} onAgain={() => void look()} />
      )}
      <LeftOut {...props} />
    </div>
  );
}

function Doubts(props: TabProps & { looked: Looked; onAgain: () => void }) {
  const { looked, onAgain, onChange, place, visitor } = props;
  const { doubts } = looked;
  const [decided, setDecided] = useState<readonly { doubt: Doubt; isLeftOut: boolean }[]>([]);
  const [kind, setKind] = useState<string | null>(null);
  const { isBusy, problem, run } = useAction();
  const from = reviewerOf(props);
  const done = new Set(decided.map(({ doubt }) => doubt));
  // A row that was left out needs no second look for another reason.
  const out = new Set(decided.filter(({ isLeftOut }) => isLeftOut).map(({ doubt }) => doubt.row.digest));
  const open = doubts.filter(
    (doubt) =>
      !done.has(doubt) &&
      !out.has(doubt.row.digest) &&
      !(doubt.other !== null && out.has(doubt.other.digest)),
  );
  const kinds = [...new Set(open.map((doubt) => doubt.kind))];
  const shown = kind === null ? open : open.filter((doubt) => doubt.kind === kind);
  const doubt = shown[0];
  const say = (of: Doubt, isLeftOut: boolean) =>
    run(async () => {
      const record = {
        kind: "leaveOut",
        row: of.row.digest,
        isLeftOut,
        why: of.why,
        note: of.detail,
      } as const;
      await sayAll(visitor.client!, { ...place, from: from!, records: [record] });
      onChange();
    });
  const leaveOut = () => {
    if (doubt === undefined || from === null || isBusy) return;
    void say(doubt, true);
    setDecided((now) => [...now, { doubt, isLeftOut: true }]);
  };
  const keep = () => {
    if (doubt !== undefined) setDecided((now) => [...now, { doubt, isLeftOut: false }]);
  };
  const undo = () => {
    const last = decided.at(-1);
    if (last === undefined || isBusy) return;
    setDecided((now) => now.slice(0, -1));
    if (last.isLeftOut) void say(last.doubt, false);
  };
  useKeys((key) => {
    if (key === "x") leaveOut();
    else if (key === "a" || key === "j" || key === "ArrowRight") keep();
    else if (key === "u" || key === "Backspace") undo();
    else return false;
    return true;
  });
  return (
    <section class="card stack" aria-label="Doubtful rows">
      <div class="row">
        <h2>
          {showCount(open.length)} doubtful {open.length === 1 ? "row" : "rows"}
        </h2>
        <span class="soft small">of {showCount(looked.lookedCount)} looked at</span>
        <span class="push" />
        <Button isSmall onClick={onAgain}>
          Look again
        </Button>
      </div>
      {kinds.length > 1 && (
        <fieldset class="chips">
          <legend class="visually-hidden">Kinds of doubt</legend>
          {kinds.map((one) => (
            <button
              key={one}
              type="button"
              class="chip"
              aria-pressed={one === kind}
              onClick={() => setKind(one === kind ? null : one)}
            >
              {one} · {open.filter((each) => each.kind === one).length}
            </button>
          ))}
        </fieldset>
      )}
      {doubt === undefined ? (
        <p class="soft">Nothing is left to look at{kind === null ? "" : " of this kind"}.</p>
      ) : (
        <>
          <p>
            <Badge tone="wait">{doubt.kind}</Badge> <span class="soft">{doubt.detail}</span>
          </p>
          <div class="side-by-side">
            <Side title="This row" row={doubt.row} against={doubt.other} />
            {doubt.other !== null && <Side title="An earlier row" row={doubt.other} against={doubt.row} />}
          </div>
          <div class="row">
            <Button isMain isDisabled={from === null || isBusy} onClick={leaveOut}>
              <KeyHint name="x" /> Leave it out
            </Button>
            <Button onClick={keep}>
              <KeyHint name="a" /> Accept it
            </Button>
            <Button isDisabled={decided.length === 0 || isBusy} onClick={undo}>
              <KeyHint name="u" /> Take back
            </Button>
          </div>
          {from === null && (
            <p class="soft small">
              You may look. To leave rows out, the card has to name your account as a reviewer.
            </p>
          )}
        </>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
    </section>
  );
}

function Side({ against, row, title }: { title: string; row: Doubt["row"]; against: Doubt["row"] | null }) {
  const others = against === null ? null : new Set(wordsOf(against.excerpt));
  return (
    <div class="side">
      <p class="soft small">
        {title}, by <LeafLink id={row.contributorId} />
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keys */}
      <section class="row-content" tabIndex={0} aria-label={title}>
        {others === null ? (
          <RowText text={row.excerpt} />
        ) : (
          row.excerpt.split(/(\s+)/).map((word, i) =>
            word.trim() === "" || others.has(word.toLowerCase()) ? (
              word
            ) : (
              <mark key={i}>
                <RowText text={word} />
              </mark>
            ),
          )
        )}
      </section>
    </div>
  );
}

const wordsOf = (text: string) => text.toLowerCase().split(/\s+/);

/** Public: every row that is left out, why, by whom, and who objects. */
function LeftOut(props: TabProps) {
  const { facts, onChange, place, visitor } = props;
  const { problem, value } = useLoaded(`${facts.here.recordCount}`, () => listLeftOut(visitor.reader, place));
  const putting = useAction();
  const from = reviewerOf(props);
  const putBack = ({ digest }: LeftOutRow) =>
    putting.run(async () => {
      const record = {
        kind: "leaveOut",
        row: digest,
        isLeftOut: false,
        why: "other",
        note: "put back",
      } as const;
      await sayAll(visitor.client!, { ...place, from: from!, records: [record] });
      onChange();
    });
  return (
    <section class="card stack" aria-label="Left out">
      <div class="row">
        <h2>Left out</h2>
        <span class="push" />
        <span class="soft small">everybody sees this list</span>
      </div>
      {problem !== null && <ProblemNotice problem={problem} />}
      {putting.problem !== null && <ProblemNotice problem={putting.problem} />}
      {value?.length === 0 && <p class="soft">Nothing is left out.</p>}
      <ul class="left-out-list">
        {value?.map((row) => (
          <li key={row.digest}>
            <div class="row">
              <a href={datanetHref(facts.id, `row/${row.digest}`)} class="row-name">
                {row.digest.slice(0, 12)}…
              </a>
              {row.contributorId !== null && (
                <span class="soft small">
                  by <LeafLink id={row.contributorId} />
                </span>
              )}
              {row.outcome.state === "leftOut" ? (
                <>
                  <Badge tone="bad">{row.outcome.why}</Badge>
                  <span class="soft small">
                    said <LeafLink id={row.outcome.byId} />
                    {row.outcome.note !== "" && `: ${row.outcome.note}`}
                  </span>
                </>
              ) : (
                <Badge tone="good">put back</Badge>
              )}
              <span class="push" />
              {from !== null && row.outcome.state === "leftOut" && (
                <Button isSmall isBusy={putting.isBusy} onClick={() => void putBack(row)}>
                  Put back
                </Button>
              )}
            </div>
            {row.objections.map((objection) => (
              <p key={objection.atMs} class="objection">
                <LeafLink id={objection.leafId} /> objects: <RowText text={objection.note} />
              </p>
            ))}
          </li>
        ))}
      </ul>
    </section>
  );
}
