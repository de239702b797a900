import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { scrollTo, visibleRange } from "./visible-range.ts";

const BEYOND = 8;
const NARROW = "(max-width: 44rem)";
const ROW_PX = 46;
/** Two lines: what it says, and whose it is. */
const NARROW_ROW_PX = 76;

interface VirtualListProps {
  readonly label: string;
  readonly count: number;
  readonly selected: number | null;
  readonly onSelect: (index: number) => void;
  /** What is seen now: the caller fetches it. */
  readonly onRange: (first: number, end: number) => void;
  readonly row: (index: number) => ComponentChildren;
}

/** A list of any length: only the rows that are seen are there. Arrows, Page, Home and End move the choice. */
export function VirtualList({ count, label, onRange, onSelect, row, selected }: VirtualListProps) {
  const box = useRef<HTMLDivElement>(null);
  const [scrollPx, setScroll] = useState(0);
  const [viewPx, setView] = useState(600);
  const [isNarrow, setNarrow] = useState(() => matchMedia(NARROW).matches);
  useEffect(() => {
    const query = matchMedia(NARROW);
    const onChange = () => setNarrow(query.matches);
    const element = box.current!;
    const observer = new ResizeObserver(() => setView(element.clientHeight));
    observer.observe(element);
    query.addEventListener("change", onChange);
    return () => {
      observer.disconnect();
      query.removeEventListener("change", onChange);
    };
  }, []);
  const rowPx = isNarrow ? NARROW_ROW_PX : ROW_PX;
  const view = { beyond: BEYOND, count, rowPx, scrollPx, viewPx };
  const { boxPx, end, first, topPx } = visibleRange(view);
  useEffect(() => onRange(first, end), [first, end, count]);
  const move = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(viewPx / rowPx) - 1);
    const at = selected ?? -1;
    const places: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: count - 1,
    };
    const next = places[event.key];
    if (next === undefined || count === 0) return;
    event.preventDefault();
    const index = Math.min(count - 1, Math.max(0, next));
    box.current!.scrollTop = scrollTo(index, view);
    onSelect(index);
  };
  const indices = Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);
  return (
    <div
      ref={box}
      class="virtual-list"
      role="listbox"
      aria-label={label}
      aria-activedescendant={selected === null ? undefined : `row-${selected}`}
      tabIndex={0}
      onScroll={(event) => setScroll(event.currentTarget.scrollTop)}
      onKeyDown={move}
    >
      <div class="virtual-box" role="presentation" style={{ height: `${boxPx}px` }}>
        <div class="virtual-rows" role="presentation" style={{ transform: `translateY(${topPx}px)` }}>
          {indices.map((index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the list itself has the keys
            // biome-ignore lint/a11y/useFocusableInteractive: the list has the focus, and names this row
            <div
              key={index}
              id={`row-${index}`}
              class="virtual-row"
              role="option"
              aria-selected={index === selected}
              aria-posinset={index + 1}
              aria-setsize={count}
              style={{ height: `${rowPx}px` }}
              onClick={() => onSelect(index)}
            >
              {row(index)}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}
