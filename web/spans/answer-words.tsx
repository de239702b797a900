/**
 * Text of an answer on the pages Ask and Answer, with its verbatim spans underlined; a chosen span names its rows and their
 * owners.
 */
import { rowNumber } from "@openledger/foundation/row-number";
import type { CheckedSpan } from "@openledger/models/serving/spans/check-spans";
import { useState } from "preact/hooks";
import { showCount } from "../words/format.ts";
import { LeafLink } from "../words/links.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { Term } from "../words/term.tsx";
import { cutAtSpans, type Piece } from "./cut-at-spans.ts";
import type { AnswerWords } from "./read-words.ts";

/** Words of an answer. Parts that occur in the version word for word are underlined, and name their owners. */
export function Words({ problem, spans, text }: AnswerWords) {
  const [chosen, setChosen] = useState<number | null>(null);
  const found = spans ?? [];
  const span = chosen === null ? undefined : found[chosen];
  return (
    <section class="stack" aria-label="Text">
      <figure class="stack said">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long text scrolls, by keys too */}
        <blockquote class="said-text" tabIndex={0}>
          {cutAtSpans(text, found).map((piece) => (
            <PieceWords key={piece.from} piece={piece} chosen={chosen} choose={setChosen} />
          ))}
        </blockquote>
        {found.length > 0 && (
          <div class="said-note small" aria-live="polite">
            {span !== undefined && <SpanNote span={span} />}
          </div>
        )}
      </figure>
      {problem !== null && <ProblemNotice problem={problem} />}
      {found.length > 0 && (
        <p class="soft small">
          Underlined words are <Term name="span">spans</Term>: they occur verbatim in the Datanet. Your
          browser checked the named rows; the server counts the others. Spans are not paid, as that would
          favour common sentences over rows that helped in other words.
        </p>
      )}
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

function SpanNote({ span: { count, sources } }: { span: CheckedSpan }) {
  const rest = count - sources.length;
  return (
    <>
      <p>
        {count === 1 ? "Occurs once in the Datanet:" : `Occurs ${showCount(count)} times in the Datanet:`}
      </p>
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
