/**
 * List of the rows tab for any number of rows, by TanStack's virtualizer: only rows in view are in the page. The caller fetches
 * them.
 */
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from "@tanstack/virtual-core";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { showCount } from "../words/format.ts";

/** Rows rendered beyond those in view, at each end. */
const OVERSCAN = 8;
/** Media query of a window as narrow as a phone. */
const NARROW = "(max-width: 44rem)";
/** Height of a row. */
const ROW_PX = 46;
/** Height of a row of two lines on a phone: the text, and its owner. */
const NARROW_ROW_PX = 76;
/** Rows laid out at once: Firefox lays out no box above 17.9 million pixels. */
const MAX_ROWS = 100_000;

interface VirtualListProps {
  readonly label: string;
  readonly count: number;
  readonly selected: number | null;
  readonly onSelect: (index: number) => void;
  /** Gets the rows that are seen now, for the caller to fetch. */
  readonly onRange: (first: number, end: number) => void;
  readonly row: (index: number) => ComponentChildren;
  /** Columns of a table: their heads, which stay in sight, and the width of a row, a length of CSS. */
  readonly columns?: { readonly heads: ComponentChildren; readonly width: string } | undefined;
}

/** A list of any length: only the rows that are seen are there. Arrows, Page, Home and End move the choice. */
export function VirtualList({ columns, count, label, onRange, onSelect, row, selected }: VirtualListProps) {
  const box = useRef<HTMLDivElement>(null);
  const rowPx = useNarrow() ? NARROW_ROW_PX : ROW_PX;
  const [chosenPart, setPart] = useState(0);
  const lastPart = Math.max(0, Math.ceil(count / MAX_ROWS) - 1);
  const part = Math.min(chosenPart, lastPart);
  const partStart = part * MAX_ROWS;
  const partCount = Math.min(MAX_ROWS, count - partStart);
  const list = useVirtualizer(box, partCount, rowPx);
  const items = list.getVirtualItems();
  const first = partStart + (items[0]?.index ?? 0);
  const end = first + items.length;
  useEffect(() => onRange(first, end), [first, end, count]);
  /** A place that waits until its part is laid out. */
  const target = useRef<number | null>(null);
  useEffect(() => {
    list.scrollToIndex(target.current ?? 0, { align: "auto" });
    target.current = null;
  }, [part]);
  const show = (index: number) => {
    const itsPart = Math.floor(index / MAX_ROWS);
    if (itsPart === part) return list.scrollToIndex(index - partStart, { align: "auto" });
    target.current = index % MAX_ROWS;
    setPart(itsPart);
  };
  const move = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor((list.scrollRect?.height ?? 0) / rowPx) - 1);
    const at = selected ?? -1;
    const locations: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: count - 1,
    };
    const next = locations[event.key];
    if (next === undefined || count === 0) return;
    event.preventDefault();
    const index = Math.min(count - 1, Math.max(0, next));
    show(index);
    onSelect(index);
  };
  return (
    <div class="stack-s">
      {lastPart > 0 && (
        <nav class="row small" aria-label={`Parts of ${label}`}>
          <Button isSmall isDisabled={part === 0} onClick={() => setPart(part - 1)}>
            Earlier rows
          </Button>
          <span class="soft">
            {showCount(partStart + 1)} to {showCount(partStart + partCount)} of {showCount(count)}
          </span>
          <Button isSmall isDisabled={part === lastPart} onClick={() => setPart(part + 1)}>
            Later rows
          </Button>
        </nav>
      )}
      <div
        ref={box}
        class={columns === undefined ? "virtual-list" : "virtual-list virtual-table"}
        role="listbox"
        aria-label={label}
        aria-activedescendant={selected === null ? undefined : `row-${selected}`}
        tabIndex={0}
        onKeyDown={move}
      >
        {columns !== undefined && (
          <div class="virtual-heads" role="presentation" style={{ minWidth: columns.width }}>
            {columns.heads}
          </div>
        )}
        <div
          class="virtual-box"
          role="presentation"
          style={{ height: `${list.getTotalSize()}px`, minWidth: columns?.width ?? "0" }}
        >
          <div
            class="virtual-rows"
            role="presentation"
            style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}
          >
            {items.map((item) => {
              const index = partStart + item.index;
              return (
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
              );
            })}
          </div>
        </div>
      </div>
    </div>
  );
}

/** True if the window is as narrow as a phone. */
function useNarrow(): boolean {
  const [isNarrow, setNarrow] = useState(() => matchMedia(NARROW).matches);
  useEffect(() => {
    const query = matchMedia(NARROW);
    const onChange = () => setNarrow(query.matches);
    query.addEventListener("change", onChange);
    return () => query.removeEventListener("change", onChange);
  }, []);
  return isNarrow;
}

/** TanStack's virtualizer for rows of one height, as its adapters for other frameworks drive it. */
function useVirtualizer(box: { readonly current: HTMLDivElement | null }, count: number, rowPx: number) {
  const [, render] = useReducer((renders: number, _: undefined) => renders + 1, 0);
  const options = {
    count,
    getScrollElement: () => box.current,
    estimateSize: () => rowPx,
    overscan: OVERSCAN,
    initialRect: { width: 0, height: 600 },
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => render(undefined),
  };
  const [list] = useState(() => new Virtualizer<HTMLDivElement, HTMLDivElement>(options));
  list.setOptions(options);
  useLayoutEffect(() => list._didMount(), []);
  useLayoutEffect(() => list._willUpdate());
  useLayoutEffect(() => list.measure(), [rowPx]);
  return list;
}
