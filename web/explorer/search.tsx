import { useEffect, useId, useState } from "preact/hooks";
import type { Live } from "../ledger/live.ts";
import type { Site } from "../ledger/site.ts";
import { type Problem, ProblemNotice, problemOf } from "../words/problem.tsx";
import type { Suggestion } from "./suggest.ts";

/** A question goes out when the reader pauses. */
const TYPING_MS = 200;

/** One field for everything: names, words, numbers, addresses, hashes. Its suggestions are read out, and keys choose. */
export function Search({ live, site }: { live: Live; site: Site }) {
  const [text, setText] = useState("");
  const [found, setFound] = useState<readonly Suggestion[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [at, setAt] = useState(0);
  const id = useId();
  useEffect(() => {
    setFound(null);
    setProblem(null);
    if (text.trim() === "") return;
    let isOver = false;
    const look = async () => {
      try {
        const { suggest } = await import("./suggest.ts");
        const suggestions = await suggest(site, live, text);
        if (isOver) return;
        setFound(suggestions);
        setAt(0);
      } catch (error) {
        if (!isOver) setProblem(problemOf(error));
      }
    };
    const timer = setTimeout(() => void look(), TYPING_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [text]);
  const choose = (chosen: Suggestion | undefined) => {
    if (chosen === undefined) return;
    setText("");
    window.location.hash = chosen.href;
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Escape") setText("");
    else if (event.key === "ArrowDown") setAt(Math.min(at + 1, (found?.length ?? 1) - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(0, at - 1));
    else return;
    event.preventDefault();
  };
  const list = `${id}-list`;
  const isListed = found !== null && found.length > 0;
  return (
    <form
      class="search"
      aria-label="Search"
      onSubmit={(event) => {
        event.preventDefault();
        choose(found?.[at]);
      }}
    >
      <input
        type="text"
        role="combobox"
        aria-label="Search"
        aria-expanded={isListed}
        aria-controls={isListed ? list : undefined}
        aria-autocomplete="list"
        aria-activedescendant={isListed ? `${list}-${at}` : undefined}
        autocomplete="off"
        spellcheck={false}
        placeholder="Search"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKey}
      />
      <div class="search-found" hidden={found === null && problem === null}>
        {problem !== null && <ProblemNotice problem={problem} />}
        {found?.length === 0 && (
          <p role="status">
            Nothing is called so, and no number, address or hash that is known here is this.
          </p>
        )}
        {isListed && (
          <div id={list} role="listbox" aria-label="Suggestions">
            {found.map((one, i) => (
              <div
                key={one.href + one.label}
                id={`${list}-${i}`}
                role="option"
                tabIndex={-1}
                aria-selected={i === at}
                onPointerDown={(event) => {
                  // Before the field loses its focus.
                  event.preventDefault();
                  choose(one);
                }}
              >
                <span>{one.label}</span> <span class="soft small">{one.note}</span>
              </div>
            ))}
          </div>
        )}
      </div>
    </form>
  );
}
