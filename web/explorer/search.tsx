/** Search field in the frame of all pages: suggestions come from suggest.ts while a visitor types, and lead to a page. */
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Identicon } from "../design/identicon.tsx";
import { useKeys } from "../hosts/keys/use-keys.ts";
import { readVisitor } from "../hosts/keys/visitor.ts";
import { askUntilAnswered, whenLive } from "../ledger/ask-again.ts";
import type { Live } from "../ledger/live.ts";
import type { Site } from "../ledger/site.ts";
import { route } from "../routes.ts";
import { type Problem, ProblemNotice } from "../words/problem.tsx";
import type { Suggested, Suggestion } from "./suggest.ts";

/** Pause in typing after which suggestions are fetched. */
const TYPING_MS = 200;

/**
 * One field for everything: names, words, numbers, addresses, hashes. "/" leads to it, its suggestions are read out, keys
 * choose.
 */
export function Search({ live, site }: { live: Live; site: Site }) {
  const [text, setText] = useState("");
  const [suggested, setSuggested] = useState<Suggested | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [at, setAt] = useState(0);
  /** Suggestions are shown while a visitor is in the field. */
  const [isEntered, setEntered] = useState(false);
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const reader = readVisitor(site, live)?.reader ?? null;
  useKeys((key) => {
    // On a phone it is in the menu, which is closed.
    if (key !== "/" || field.current === null || field.current.offsetParent === null) return false;
    field.current.focus();
    return true;
  });
  useEffect(() => {
    setSuggested(null);
    setProblem(null);
    if (text.trim() === "") return;
    let stop = () => {};
    const timer = setTimeout(() => {
      stop = askUntilAnswered(
        async () => (await import("./suggest.ts")).suggest({ site, live, reader }, text),
        (outcome) => {
          setProblem(outcome.state === "found" ? null : outcome.problem);
          if (outcome.state !== "found") return;
          setSuggested(outcome.value);
          setAt(0);
        },
        whenLive(live),
      );
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [text]);
  // They are of the page before.
  useEffect(() => setText(""), [route.value]);
  const found = suggested?.suggestions ?? null;
  const choose = (chosen: Suggestion | undefined) => {
    if (chosen === undefined) return;
    setText("");
    field.current?.blur();
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
  const isListed = isEntered && found !== null && found.length > 0;
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
        ref={field}
        type="text"
        role="combobox"
        aria-label="Search"
        aria-expanded={isListed}
        aria-controls={isListed ? list : undefined}
        aria-autocomplete="list"
        aria-activedescendant={isListed ? `${list}-${at}` : undefined}
        autocomplete="off"
        spellcheck={false}
        aria-keyshortcuts="/"
        maxLength={100}
        placeholder="Search  /"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKey}
        onFocus={() => setEntered(true)}
        onBlur={() => setEntered(false)}
      />
      <div class="search-found" hidden={!isEntered || (found === null && problem === null)}>
        {problem !== null && <ProblemNotice problem={problem} />}
        {found?.length === 0 && (
          <p role="status">{suggested?.hint ?? "No results for this name, word, number, address or hash."}</p>
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
                {one.picture !== undefined && <Identicon of={one.picture} />} <span>{one.label}</span>{" "}
                <span class="soft small">{one.note}</span>
              </div>
            ))}
          </div>
        )}
      </div>
    </form>
  );
}
