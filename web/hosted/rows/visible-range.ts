/** Browsers do not lay out boxes of any height: Firefox ends at 17.9 million pixels. */
const MAX_BOX_PX = 8_000_000;

interface ListView {
  readonly count: number;
  readonly rowPx: number;
  readonly viewPx: number;
  readonly scrollPx: number;
  /** Rows that are made beyond what is seen, at each end. */
  readonly beyond: number;
}

interface VisibleRange {
  /** Height of the box that is scrolled. */
  readonly boxPx: number;
  readonly first: number;
  /** Behind the last one. */
  readonly end: number;
  /** Where the first of these rows is in the box. */
  readonly topPx: number;
}

/** Of a longer list the scroll bar is compressed: its place says which part, and rows are laid out around it. */
export function visibleRange({ beyond, count, rowPx, scrollPx, viewPx }: ListView): VisibleRange {
  const fullPx = count * rowPx;
  const boxPx = Math.min(fullPx, MAX_BOX_PX);
  const mostScroll = Math.max(1, boxPx - viewPx);
  const scroll = Math.min(Math.max(0, scrollPx), mostScroll);
  const placePx = boxPx === fullPx ? scroll : (scroll / mostScroll) * (fullPx - viewPx);
  const first = Math.max(0, Math.floor(placePx / rowPx) - beyond);
  const end = Math.min(count, Math.ceil((placePx + viewPx) / rowPx) + beyond);
  return { boxPx, first, end, topPx: scroll + first * rowPx - placePx };
}

/** The scroll place at which a row is seen, as near to the present one as possible. */
export function scrollTo(index: number, view: ListView): number {
  const { boxPx } = visibleRange(view);
  const { count, rowPx, scrollPx, viewPx } = view;
  const fullPx = count * rowPx;
  const mostScroll = Math.max(1, boxPx - viewPx);
  const scale = boxPx === fullPx ? 1 : mostScroll / (fullPx - viewPx);
  const low = (index * rowPx - viewPx + rowPx) * scale;
  const high = index * rowPx * scale;
  return Math.min(Math.max(scrollPx, low), high);
}
