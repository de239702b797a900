/** Notice box of all pages: information, warnings and errors. */
import type { ComponentChildren } from "preact";
import type { Tone } from "./badge.tsx";

interface NoticeProps {
  tone: Exclude<Tone, "plain">;
  title: ComponentChildren;
  children?: ComponentChildren;
}

/** Notice that the reader has to know: read out at once if it is bad. */
export function Notice({ tone, title, children }: NoticeProps) {
  return (
    <div class={`notice notice-${tone}`} role={tone === "bad" ? "alert" : "status"}>
      <p class="notice-title">{title}</p>
      {children}
    </div>
  );
}
