/** Text of a row or an answer on all pages: never markup, with hidden characters named. */
import "./row-text.css";
import { shownParts } from "./shown-parts.ts";

/** Text of a row, whatever is in it: never markup. Characters that would be invisible or turn it round are named. */
export function RowText({ text, isOneLine = false }: { text: string; isOneLine?: boolean }) {
  return (
    <span class={isOneLine ? "row-text row-text-line" : "row-text"} dir="auto">
      {shownParts(text).map((part, i) =>
        part.isHidden ? (
          <span key={i} class="row-hidden" title={`character ${part.text}`}>
            {part.text}
          </span>
        ) : (
          part.text
        ),
      )}
    </span>
  );
}
