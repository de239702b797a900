/**
 * Text of an answer on the pages Ask and Answer, with its verbatim spans underlined; a chosen span names its rows and their
 * owners.
 */
import type { NoRows } from "@openledger/attribution/spans/published-spans";
import type { OwnedSpan } from "@openledger/attribution/spans/verbatim-spans";
import { rowNumber } from "@openledger/foundation/row-number";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { showCount, showCounted } from "../words/format.ts";
import { LeafLink } from "../words/links.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { Term } from "../words/term.tsx";
import { cutAtSpans, type Piece } from "./cut-at-spans.ts";
import type { Searched, ServedAnswer } from "./read-words.ts";
import { type SpanSearch, useSpans } from "./use-spans.ts";

interface WordsProps {
  readonly served: ServedAnswer;
  readonly text: string;
  /** The text while no part of it is found in the rows. */
  readonly children: ComponentChildren;
}

/** Text of an answer, and the search of the model's rows for it. Parts that occur verbatim are underlined, and name their owners. */
export function Words({ children, served, text }: WordsProps) {
  const [search, searchMore] = useSpans(served, text);
  if (search.state === "searched" && search.found.spans.length > 0)
    return <Quoted text={text} found={search.found} />;
  return (
    <section class="stack" aria-label="Text">
      {children}
      <Standing search={search} searchMore={searchMore} />
    </section>
  );
}

/** Why nothing was searched. */
const WITHOUT_ROWS: Readonly<Record<NoRows, string>> = {
  "not published": "The model's rows are not published, so this text was not compared with them.",
  withdrawn:
    "A row of this model was withdrawn. Its server no longer gives out its rows, so this text was not compared with them.",
  "too large": "The model has more rows than this page downloads unasked.",
};

function Standing({ search, searchMore }: { search: SpanSearch; searchMore: () => void }) {
  if (search.state === "failed") return <ProblemNotice problem={search.problem} />;
  if (search.state === "searching")
    return search.progress === null ? null : (
      <p class="soft small" role="status">
        {search.progress}
      </p>
    );
  if (search.state === "searched")
    return (
      <p class="soft small">
        No part of this text of 24 characters or more occurs in {showSearched(search.found)}.
      </p>
    );
  return (
    <div class="row small">
      <span class="soft">{WITHOUT_ROWS[search.why]}</span>
      {search.why === "too large" && (
        <Button isSmall onClick={searchMore}>
          Search them
        </Button>
      )}
    </div>
  );
}

const showSearched = ({ rowCount, searchedRowCount }: Searched) =>
  searchedRowCount < rowCount
    ? `the first ${showCount(searchedRowCount)} of ${showCounted(rowCount, "published row")}: the search took too long`
    : `the model's ${showCounted(rowCount, "published row")}`;

function Quoted({ found, text }: { found: Searched; text: string }) {
  const [chosen, setChosen] = useState<number | null>(null);
  const span = chosen === null ? undefined : found.spans[chosen];
  return (
    <section class="stack" aria-label="Text">
      <figure class="stack said">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long text scrolls, by keys too */}
        <blockquote class="said-text" tabIndex={0}>
          {cutAtSpans(text, found.spans).map((piece) => (
            <PieceWords key={piece.from} piece={piece} chosen={chosen} choose={setChosen} />
          ))}
        </blockquote>
        <div class="said-note small" aria-live="polite">
          {span !== undefined && <SpanNote span={span} />}
        </div>
      </figure>
      <p class="soft small">
        Underlined words are <Term name="span">spans</Term>: they occur verbatim in rows that the model
        learned from. Your browser searched {showSearched(found)}. Spans are not paid, as that would favour
        common sentences over rows that helped in other words.
      </p>
    </section>
  );
}

interface PieceProps {
  readonly piece: Piece;
  readonly chosen: number | null;
  choose(span: number | null): void;
}

function PieceWords({ piece: { span, text }, chosen, choose }: PieceProps) {
  if (span === null) return <>{text}</>;
  return (
    // A button element would not break over lines.
    // biome-ignore lint/a11y/useSemanticElements: as said above
    <span
      role="button"
      tabIndex={0}
      class="quote"
      aria-pressed={chosen === span}
      onMouseEnter={() => choose(span)}
      onFocus={() => choose(span)}
      onClick={() => choose(span)}
      onKeyDown={(event) => {
        if (event.key === "Escape") choose(null);
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        choose(chosen === span ? null : span);
      }}
    >
      {text}
    </span>
  );
}

function SpanNote({ span: { rowCount, sources } }: { span: OwnedSpan }) {
  const rest = rowCount - sources.length;
  return (
    <>
      <p>{rowCount === 1 ? "Occurs in one row:" : `Occurs in ${showCount(rowCount)} rows:`}</p>
      <ul>
        {sources.map(({ contributorId, row, validatorId }) => (
          <li key={row}>
            row {showCount(rowNumber(row))}, from <LeafLink id={contributorId} />, validated by{" "}
            <LeafLink id={validatorId} />
          </li>
        ))}
        {rest > 0 && <li>and {showCount(rest)} more</li>}
      </ul>
    </>
  );
}
