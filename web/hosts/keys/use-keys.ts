/** Hook for the tabs and the search that are worked by keys of the keyboard. */
import { useEffect, useRef } from "preact/hooks";

/** Handles a key. Returns true if it was one of the page's, which then does nothing else. */
type OnKey = (key: string) => boolean;

/** Handles keys of a page that is worked by keys. Leaves text fields and the browser's own shortcuts alone. */
export function useKeys(onKey: OnKey): void {
  const latest = useRef(onKey);
  latest.current = onKey;
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const target = event.target as HTMLElement | null;
      if (target?.closest("input, textarea, select, dialog") != null) return;
      // A button that has the focus keeps the keys that press it.
      if (target?.closest("button, a, summary") != null && (event.key === "Enter" || event.key === " "))
        return;
      if (latest.current(event.key)) event.preventDefault();
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
}

/** The key of a label by its place: 1 … 9, then letters that nothing else uses. */
export function keyOfLocation(position: number): string | null {
  return position < 9 ? String(position + 1) : ("qwertyodgzcvb"[position - 9] ?? null);
}
