/** Address or hash on all pages: shortened, copied by a click. */
import { useEffect, useState } from "preact/hooks";

/** Time for which "copied" is shown. */
const SHOWN_MS = 1500;

/** An address or hash: its ends are shown, a click copies the whole. */
export function Identifier({ value, label }: { value: string; label: string }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = () => {
    navigator.clipboard.writeText(value).then(
      () => setCopied(true),
      () => window.prompt("Copy it from here", value),
    );
  };
  const shown = isCopied ? "copied" : shortHex(value);
  return (
    <button
      type="button"
      class="identifier"
      title={value}
      aria-label={`${shown}, copy ${label}`}
      onClick={copy}
    >
      {shown}
    </button>
  );
}

function shortHex(value: string): string {
  return value.length <= 14 ? value : `${value.slice(0, 6)}…${value.slice(-4)}`;
}
