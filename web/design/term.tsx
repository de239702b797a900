/** Tooltip behind every `<Term>` of the pages (web/words/term.tsx gives the meaning). */
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";

interface TermProps {
  /** Meaning of the word, in a sentence or two. */
  meaning: string;
  children: ComponentChildren;
}

/** Distance between the word and its tooltip. */
const GAP_PX = 8;
/** Minimum distance of the tooltip from the window's edge. */
const EDGE_PX = 16;

/** A word that explains itself: pointed at, focused or tapped. Escape closes. */
export function Explained({ meaning, children }: TermProps) {
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  const word = useRef<HTMLButtonElement>(null);
  const tip = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    if (!isOpen || word.current === null || tip.current === null) return;
    const at = word.current.getBoundingClientRect();
    const { width, height } = tip.current.getBoundingClientRect();
    const left = Math.max(EDGE_PX, Math.min(at.left, document.documentElement.clientWidth - width - EDGE_PX));
    const isRoomAbove = at.top > height + 2 * GAP_PX;
    tip.current.style.left = `${left}px`;
    tip.current.style.top = `${isRoomAbove ? at.top - height - GAP_PX : at.bottom + GAP_PX}px`;
  }, [isOpen]);
  return (
    <>
      <button
        ref={word}
        type="button"
        class="term"
        aria-describedby={isOpen ? id : undefined}
        onMouseEnter={() => setOpen(true)}
        onMouseLeave={() => setOpen(false)}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onClick={() => setOpen(true)}
        onKeyDown={({ key }) => key === "Escape" && setOpen(false)}
      >
        {children}
      </button>
      {isOpen && (
        <span ref={tip} id={id} role="tooltip" class="term-tip">
          {meaning}
        </span>
      )}
    </>
  );
}
