/** Tabs by ARIA's pattern for parts of one page, and the navigation by links: the frame's, and a Datanet's. */
import { useRef } from "preact/hooks";

interface TabsProps<Name extends string> {
  label: string;
  tabs: readonly { readonly name: Name; readonly label: string }[];
  selected: Name;
  onSelect: (name: Name) => void;
  /** Id of the element that shows the selected tab's content. */
  panelId: string;
}

/** A choice of which part is shown. Arrow keys move, as the pattern of tabs asks. */
export function Tabs<Name extends string>({ label, tabs, selected, onSelect, panelId }: TabsProps<Name>) {
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const at = tabs.findIndex(({ name }) => name === selected);
    const next = (at + step + tabs.length) % tabs.length;
    onSelect(tabs[next]!.name);
    (list.current?.children[next] as HTMLElement | undefined)?.focus();
  };
  return (
    <div ref={list} class="tabs tabs-filled" role="tablist" aria-label={label} onKeyDown={move}>
      {tabs.map((tab) => (
        <button
          key={tab.name}
          type="button"
          role="tab"
          aria-selected={tab.name === selected}
          aria-controls={panelId}
          tabIndex={tab.name === selected ? 0 : -1}
          onClick={() => onSelect(tab.name)}
        >
          {tab.label}
        </button>
      ))}
    </div>
  );
}

/** The pages of the site; the present one is marked. */
export function Nav({
  pages,
  current,
  label = "Pages",
}: {
  pages: readonly { href: string; label: string }[];
  current: string;
  label?: string;
}) {
  return (
    <nav class="tabs" aria-label={label}>
      {pages.map(({ href, label }) => (
        <a key={href} href={href} aria-current={href === current ? "page" : undefined}>
          {label}
        </a>
      ))}
    </nav>
  );
}
