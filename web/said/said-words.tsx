import type { CheckedSpan } from "@openledger/models/spans/check-citations";
import { useState } from "preact/hooks";
import { Badge } from "../design/badge.tsx";
import { showCount } from "../words/format.ts";
import { LeafLink } from "../words/links.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { Term } from "../words/term.tsx";
import { cutAtSpans, type Piece } from "./cut-at-spans.ts";
import type { Passage, SaidWords } from "./read-words.ts";

/** The words of an answer. What is in the version word for word is underlined, and says whose it is. */
export function Words({ passages, problem, withheld }: SaidWords) {
  const hasSpans = passages.some(({ spans }) => spans !== null && spans.spans.length > 0);
  return (
    <section class="stack" aria-label="What it says">
      {passages.map((passage, i) => (
        <PassageWords key={i} passage={passage} />
      ))}
      {withheld.length > 0 && (
        <p class="soft small">
          {withheld.length === 1 ? "Another row is" : `${showCount(withheld.length)} more rows are`} cited,
          and not published: {withheld.map(({ row }) => `row ${row}`).join(", ")}.
        </p>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
      {hasSpans && (
        <p class="soft small">
          Underlined words, and rows marked “word for word”, are <Term name="span">spans</Term>: they occur in
          the Datanet letter by letter; your browser checked it. Spans are not paid: that would favour common
          sentences over rows that helped in other words.
        </p>
      )}
    </section>
  );
}

function PassageWords({ passage }: { passage: Passage }) {
  const { cited, spans, text } = passage;
  const [chosen, setChosen] = useState<number | null>(null);
  const found = spans?.spans ?? [];
  const span = chosen === null ? undefined : found[chosen];
  const pieces = cutAtSpans(text, found);
  const isWhole = pieces.length === 1 && found.length > 0;
  return (
    <figure class="stack said">
      {cited !== null && (
        <figcaption class="row small">
          <Badge tone="plain">row {cited.row}</Badge>
          <span>
            from <LeafLink id={cited.contributorId} />, validated by <LeafLink id={cited.validatorId} />
          </span>
          {isWhole && <Badge tone="good">word for word</Badge>}
          <span class="push">{(cited.shareMillionths / 10_000).toFixed(1)} % of the contributors' share</span>
        </figcaption>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long text scrolls, by keys too */}
      <blockquote class={isWhole ? "said-text said-whole" : "said-text"} tabIndex={0}>
        {pieces.map((piece) => (
          <PieceWords key={piece.from} piece={piece} chosen={chosen} choose={setChosen} />
        ))}
      </blockquote>
      {found.length > 0 && (
        <div class="said-note small" aria-live="polite">
          {span !== undefined && <SpanNote span={span} />}
        </div>
      )}
    </figure>
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
        {sources.map(({ contributorId, document, validatorId }) => (
          <li key={document}>
            row {document}, from <LeafLink id={contributorId} />, validated by <LeafLink id={validatorId} />
          </li>
        ))}
        {rest > 0 && <li>and {showCount(rest)} more</li>}
      </ul>
    </>
  );
}
