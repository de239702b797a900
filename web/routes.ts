/**
 * Addresses of the pages: reads the part behind "#", and opens others. A hash, so that no server has to know them, and a page
 * from a file has them, too.
 */
import { computed, signal } from "@preact/signals";

/** "#/datanets/5/rows?q=mail" → parts ["datanets", "5", "rows"], query q=mail. */
function readHash() {
  const [path = "", search = ""] = window.location.hash.replace(/^#\/?/, "").split("?");
  return {
    parts: path.split("/").filter(Boolean).map(decodeURIComponent) as readonly string[],
    query: new URLSearchParams(search),
  };
}

const address = signal(readHash());

/** "#/bridge" → ["bridge"]; further parts are the page's own: "#/batch/7" → ["batch", "7"]. */
export const route = computed(() => address.value.parts);

/** Opens another part of the same page: Back returns to this one, and the reader stays where they look. */
export function openPart(hash: string): void {
  window.history.pushState(null, "", hash);
  address.value = readHash();
}

/** Filter of a page, stored in its address: it survives a reload, and can be sent to somebody. "" is no filter. */
export function useFilter(name: string): readonly [string, (value: string) => void] {
  const set = (value: string) => {
    const { parts, query } = readHash();
    if (value === "") query.delete(name);
    else query.set(name, value);
    const search = query.size === 0 ? "" : `?${query}`;
    const hash = `#/${parts.map(encodeURIComponent).join("/")}${search}`;
    window.history.replaceState(window.history.state, "", hash);
    address.value = readHash();
  };
  return [address.value.query.get(name) ?? "", set];
}

/** Reader's place in a long list, stored in the page's address as a filter is. undefined: at its beginning. */
export function usePlace(
  name: string,
): readonly [number | undefined, (position: number | undefined) => void] {
  const [text, setText] = useFilter(name);
  const location = /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  return [location, (to) => setText(to === undefined ? "" : `${to}`)];
}

/** Scroll position at which a page was left, stored with its place in the browser's history. */
interface Left {
  readonly top: number;
}

/** Pause in scrolling after which the position is stored. */
const SETTLE_MS = 100;
/** A page that is come back to fetches its content again before it is as long as it was. */
const REFILL_MS = 2_000;

window.history.scrollRestoration = "manual";
let settling: ReturnType<typeof setTimeout> | undefined;
window.addEventListener("scroll", () => {
  clearTimeout(settling);
  const { href } = window.location;
  settling = setTimeout(() => {
    if (window.location.href !== href) return;
    window.history.replaceState({ top: window.scrollY } satisfies Left, "");
  }, SETTLE_MS);
});

function comeBackTo(top: number, untilMs: number): void {
  const { href } = window.location;
  window.scrollTo(0, top);
  if (Math.abs(window.scrollY - top) < 2 || performance.now() > untilMs) return;
  requestAnimationFrame(() => {
    if (window.location.href === href) comeBackTo(top, untilMs);
  });
}

const leftAt = () => (window.history.state as Left | null)?.top;

window.addEventListener("hashchange", () => {
  clearTimeout(settling);
  const before = address.value.parts.join("/");
  address.value = readHash();
  if (address.value.parts.join("/") === before) return;
  const top = leftAt();
  document.getElementById("main")?.focus({ preventScroll: true });
  // Somewhere new, as with a new document: from the top, and read out from there.
  if (top === undefined) window.scrollTo(0, 0);
  else comeBackTo(top, performance.now() + REFILL_MS);
});

const reloadedAt = leftAt();
if (reloadedAt !== undefined) comeBackTo(reloadedAt, performance.now() + REFILL_MS);
