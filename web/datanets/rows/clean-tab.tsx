/**
 * Tab "Clean" of a Datanet's page: the host's findings (copies, outliers, broken rows …) one at a time beside their evidence. A
 * reviewer leaves each row out or accepts it by one key; every decision is a signed record.
 */
import { getHostedRow } from "@openledger/client/datanets/browse-rows";
import { checkFindings, listFindings } from "@openledger/client/datanets/cleaning";
import type { FindingsPage } from "@openledger/client/datanets/host-schemas";
import type { UnsignedRecord } from "@openledger/client/datanets/signed-records";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Badge } from "../../design/badge.tsx";
import { Button } from "../../design/button.tsx";
import { KeyHint } from "../../hosts/keys/key-hint.tsx";
import { useKeys } from "../../hosts/keys/use-keys.ts";
import { NeedsAccess } from "../../hosts/needs-access.tsx";
import { sayAll } from "../../hosts/say.ts";
import { datanetHref, readableLocation, reviewerOf, type TabProps } from "../../hosts/tab-props.ts";
import { type LoadState, useLoad } from "../../hosts/use-load.ts";
import { useTurns } from "../../hosts/use-turns.ts";
import { useAction } from "../../ledger/use-action.ts";
import { RowText } from "../../rows/row-text.tsx";
import { showAge, showCount, showCounted } from "../../words/format.ts";
import { LeafLink, LeafName } from "../../words/links.tsx";
import { ProblemNotice } from "../../words/problem.tsx";
import { LeftOutList } from "./left-out-list.tsx";

type Finding = FindingsPage["findings"][number];
type LeaveOut = Extract<UnsignedRecord, { kind: "leaveOut" }>;

/** Findings of one request to the host; decided ones make room for the next. */
const FETCHED_FINDINGS = 200;

/** Titles of the kinds of findings, and the reasons that a record gives. Other kinds go by their own names. */
const KINDS: Readonly<Record<string, { readonly title: string; readonly why: LeaveOut["why"] }>> = {
  copy: { title: "copies", why: "copy" },
  "near-duplicate": { title: "near-duplicates", why: "near-duplicate" },
  "contradicted-label": { title: "contradicted labels", why: "wrong-label" },
  outlier: { title: "outliers", why: "outlier" },
  empty: { title: "empty", why: "empty" },
  truncated: { title: "truncated", why: "truncated" },
  malformed: { title: "wrong kind", why: "malformed" },
  personal: { title: "secrets and personal numbers", why: "personal" },
};
const titleOf = (kind: string) => KINDS[kind]?.title ?? kind;

/** Doubtful rows beside the reason for the doubt, one key each; and all rows that are left out. */
export function CleanTab(props: TabProps) {
  return (
    <NeedsAccess {...props}>
      <Findings {...props} />
    </NeedsAccess>
  );
}

function Findings(props: TabProps) {
  const { facts, live, visitor } = props;
  const [kind, setKind] = useState<Finding["kind"] | null>(null);
  const [step, setStep] = useState<string | null>(null);
  const looking = useAction();
  const location = readableLocation(props);
  const from = reviewerOf(props);
  const found = useLoad(`${kind}/${facts.here.recordCount}/${visitor.reader.leafId}`, () =>
    listFindings(visitor.reader, {
      ...location,
      state: "open",
      limit: FETCHED_FINDINGS,
      ...(kind === null ? {} : { kind }),
    }),
  );
  const look = () =>
    looking.run(async () => {
      const onProgress = (now: string, done: number, total: number) =>
        setStep(`${now}: ${showCount(done)} of ${showCount(total)}`);
      await checkFindings(visitor.client!, { ...location, from: from!, onProgress });
      setStep(null);
      found.reload();
    });
  const last = found.value?.check.last ?? null;
  const open = found.value?.counts.filter((count) => count.open > 0) ?? [];
  return (
    <div class="stack">
      <section class="card stack" aria-label="Doubtful rows">
        <div class="row">
          <h2>Doubtful rows</h2>
          <span class="push" />
          <span class="soft small">
            {last === null
              ? "not checked yet"
              : `the host checked ${showCounted(last.rowCount, "row")} ${showAge(last.checkedAtMs, live.nowMs.value)}`}
          </span>
          {from !== null && (
            <Button isSmall isMain={last === null} isBusy={looking.isBusy} onClick={() => void look()}>
              {last === null ? "Check the rows" : "Check again"}
            </Button>
          )}
        </div>
        {step !== null && (
          <p class="soft small" role="status">
            {step}
          </p>
        )}
        {looking.problem !== null && <ProblemNotice problem={looking.problem} />}
        {found.problem !== null && <ProblemNotice problem={found.problem} />}
        {last === null && (
          <p class="soft">
            The host looks for copies and near-duplicates, also in public Datanets and those of the reviewer's
            key, for labels that people or a model contradict, outliers, broken rows, secrets and personal
            numbers. Reviewers have it look. It decides nothing: they do, and everyone can see what they left
            out.
          </p>
        )}
        {last !== null && !last.isCurrent && (
          <p class="soft small">
            There are new rows or labels.{from !== null && " Check again to include them."}
          </p>
        )}
        {last !== null && last.uncomparedCount > 0 && (
          <p class="soft small">
            The host had no room to compare {showCounted(last.uncomparedCount, "row")} of other Datanets.
          </p>
        )}
        {open.length > 0 && (
          <fieldset class="chips">
            <legend class="visually-hidden">Kinds of doubt</legend>
            {open.map((count) => (
              <button
                key={count.kind}
                type="button"
                class="chip"
                aria-pressed={count.kind === kind}
                onClick={() => setKind(count.kind === kind ? null : count.kind)}
              >
                {titleOf(count.kind)} · {showCount(count.open)}
              </button>
            ))}
          </fieldset>
        )}
        {found.value !== undefined && last !== null && <Doubts {...props} found={found} />}
      </section>
      <LeftOutList {...props} />
    </div>
  );
}

function Doubts(props: TabProps & { found: LoadState<FindingsPage> }) {
  const { facts, found, onChange, place, visitor } = props;
  const [decided, setDecided] = useState<readonly { finding: Finding; isLeftOut: boolean }[]>([]);
  const [at, setAt] = useState(0);
  const turns = useTurns();
  const from = reviewerOf(props);
  // A row that was decided on for one reason is not asked about again while the host is being told.
  const rows = new Set(decided.map(({ finding }) => finding.row));
  const open = (found.value?.findings ?? []).filter(({ row }) => !rows.has(row));
  const index = Math.min(at, Math.max(0, open.length - 1));
  const finding = open[index];
  const say = (of: Finding, isLeftOut: boolean, onFailure: () => void) =>
    turns.run(async () => {
      const why = KINDS[of.kind]?.why ?? "other";
      const record = { kind: "leaveOut", row: of.row, isLeftOut, why, note: of.evidence.detail } as const;
      await sayAll(visitor.client!, { ...place, from: from!, records: [record] });
      onChange();
    }, onFailure);
  const decide = (isLeftOut: boolean) => {
    if (finding === undefined || from === null) return;
    setDecided((now) => [...now, { finding, isLeftOut }]);
    say(finding, isLeftOut, () => setDecided((now) => now.filter((one) => one.finding !== finding)));
  };
  const undo = () => {
    const last = decided.at(-1);
    if (last === undefined) return;
    setDecided((now) => now.slice(0, -1));
    // A signed record stays signed: the later one holds.
    say(last.finding, !last.isLeftOut, () => setDecided((now) => [...now, last]));
  };
  useKeys((key) => {
    if (key === "x") decide(true);
    else if (key === "a") decide(false);
    else if (key === "u" || key === "Backspace") undo();
    else if (key === "j" || key === "ArrowRight") setAt(Math.min(index + 1, Math.max(0, open.length - 1)));
    else if (key === "k" || key === "ArrowLeft") setAt(Math.max(0, index - 1));
    else return false;
    return true;
  });
  const last = decided.at(-1);
  return (
    <>
      {finding === undefined ? (
        <p class="soft">Nothing is left to decide.</p>
      ) : (
        <>
          <p>
            <Badge tone="wait">{titleOf(finding.kind)}</Badge>{" "}
            <span class="soft">
              {showCount(index + 1)} of{" "}
              {showCount(Math.max(open.length, (found.value?.total ?? 0) - decided.length))} ·{" "}
              <RowText text={finding.evidence.detail} />
            </span>
          </p>
          <Evidence key={finding.id} {...props} finding={finding} />
        </>
      )}
      <div class="row">
        {finding !== undefined && (
          <>
            <Button isMain isDisabled={from === null} onClick={() => decide(true)}>
              <KeyHint name="x" /> Leave it out
            </Button>
            <Button isDisabled={from === null} onClick={() => decide(false)}>
              <KeyHint name="a" /> Accept it
            </Button>
            <Button onClick={() => setAt(index + 1 < open.length ? index + 1 : 0)}>
              <KeyHint name="j" /> Later
            </Button>
          </>
        )}
        {last !== undefined && (
          <Button onClick={undo}>
            <KeyHint name="u" /> {last.isLeftOut ? "Restore the last row" : "Leave the last row out"}
          </Button>
        )}
      </div>
      {from === null && (
        <p class="soft small">
          You can only view these rows. The card names who decides:{" "}
          {facts.card.labelling.reviewers.join(", ") || "its owner"}.
          {visitor.client === null && " If that is you, unlock your key on the Review page."}
        </p>
      )}
      {turns.problem !== null && <ProblemNotice problem={turns.problem} />}
    </>
  );
}

/** Who contradicts a label, by what the model was not trained on; hosts of earlier releases do not say it. */
const MODELS = {
  contributor: "A model that was not trained on this contributor's rows says",
  row: "A model that was not trained on this row, but may be on others of its contributor, says",
  unsaid: "A model says",
} as const;

/** Row, with the row that it repeats or the objection against it. */
function Evidence(props: TabProps & { finding: Finding }) {
  const { facts, finding, visitor } = props;
  const { by, earlier, label, rankPermille, said, similarityPermille, without } = finding.evidence;
  const location = readableLocation(props);
  const { problem, value } = useLoad(finding.id, async () => {
    const own = getHostedRow(visitor.reader, { ...location, digest: finding.row });
    // A row of another Datanet may be one that this reader may not see.
    const other =
      earlier === null
        ? null
        : getHostedRow(visitor.reader, {
            ...location,
            datanetId: earlier.datanetId,
            digest: earlier.row,
          }).catch(() => null);
    return { own: await own, other: await other };
  });
  if (problem !== null) return <ProblemNotice problem={problem} />;
  if (value === undefined) return <p class="soft">Fetching the row …</p>;
  const { other, own } = value;
  return (
    <div class="side-by-side">
      <Side title="This row" text={own.excerpt} against={other?.excerpt ?? null}>
        by <LeafLink id={own.contributorId} />
        {label !== null && `, says ${label}`}
      </Side>
      {earlier !== null && (
        <Side
          title="An earlier row"
          text={other?.excerpt ?? "You have no access to it."}
          against={other === null ? null : own.excerpt}
        >
          by <LeafLink id={earlier.contributorId} />
          {earlier.datanetId !== facts.id && (
            <>
              {" "}
              in Datanet{" "}
              <a href={datanetHref(earlier.datanetId)}>
                <LeafName id={earlier.datanetId} />
              </a>
            </>
          )}
          {similarityPermille !== null && `, ${Math.round(similarityPermille / 10)} % alike`}
        </Side>
      )}
      {said !== null && (
        <div class="side">
          <p class="soft small">{by === "model" ? MODELS[without ?? "unsaid"] : "Labellers say"}</p>
          <p class="figure">{said}</p>
        </div>
      )}
      {rankPermille !== null && (
        <p class="soft small">More doubtful than {(rankPermille / 10).toFixed(1)} % of all rows.</p>
      )}
    </div>
  );
}

interface SideProps {
  readonly title: string;
  readonly text: string;
  /** Words that are not in it are marked. */
  readonly against: string | null;
  readonly children: ComponentChildren;
}

function Side({ against, children, text, title }: SideProps) {
  const others = against === null ? null : new Set(against.toLowerCase().split(/\s+/));
  return (
    <div class="side">
      <p class="soft small">
        {title}, {children}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keys */}
      <section class="row-content" tabIndex={0} aria-label={title}>
        {others === null ? (
          <RowText text={text} />
        ) : (
          text.split(/(\s+)/).map((word, i) =>
            word.trim() === "" || others.has(word.toLowerCase()) ? (
              <RowText key={i} text={word} />
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
