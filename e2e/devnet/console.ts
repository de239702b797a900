/** Output of `npm start` to the person at the terminal: titles, finished steps, and progress that replaces itself. */
import { styleText } from "node:util";

/** Messages of the devnet to the person at the terminal. */
export interface Console {
  title(text: string): void;
  line(text: string): void;
  /** One finished piece of work: what, where, and how long it took. */
  done(text: string, elapsedMs?: number): void;
  /** Replaces itself on a terminal; elsewhere a line every ten seconds. */
  progress(text: string): void;
  alarm(text: string): void;
}

const QUIET_MS = 10_000;

export function createConsole(out: NodeJS.WriteStream = process.stdout): Console {
  let isProgressShown = false;
  let lastProgressAtMs = 0;
  const clear = () => {
    if (isProgressShown && out.isTTY) out.write("\r\x1b[K");
    isProgressShown = false;
  };
  const write = (text: string) => {
    clear();
    out.write(`${text}\n`);
  };
  return {
    title: (text) => write(`\n${styleText("bold", text)}`),
    line: (text) => write(`  ${text}`),
    done: (text, elapsedMs) => {
      const time = elapsedMs === undefined ? "" : styleText("dim", `  ${formatDuration(elapsedMs)}`);
      write(`  ${styleText("green", "✓")} ${text}${time}`);
    },
    progress: (text) => {
      if (out.isTTY) {
        out.write(`\r\x1b[K  … ${text}`);
        isProgressShown = true;
      } else if (Date.now() - lastProgressAtMs >= QUIET_MS) {
        lastProgressAtMs = Date.now();
        out.write(`  … ${text}\n`);
      }
    },
    alarm: (text) => write(styleText(["bold", "red"], `!! ${text}`)),
  };
}

export function formatDuration(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}
