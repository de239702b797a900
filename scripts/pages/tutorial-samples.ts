/** Commands and samples of a tutorial in their order, and the comparison of a sample with what was printed. */
import { shellWords } from "./documented-lines.ts";

/** Commands of a block, with the sample that the page shows as their output, if any. */
interface TutorialStep {
  /** Words of each line `npm run openledger -- …`, as a shell splits them. */
  readonly commands: readonly (readonly string[])[];
  /** Lines that write the files which commands read. */
  readonly files: readonly string[];
  readonly sample: string | null;
}

/** Steps of a page: each block of a shell with the block of text that follows it before the next one. */
export function stepsOf(page: string): TutorialStep[] {
  const steps: { commands: string[][]; files: string[]; sample: string | null }[] = [];
  for (const [, language, block] of page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)) {
    if (language === "bash")
      steps.push({
        commands: block!
          .replaceAll("\\\n", " ")
          .split("\n")
          .flatMap((line) => /^npm run openledger -- (.*)$/.exec(line)?.[1] ?? [])
          .map(shellWords),
        files: block!.split("\n").filter((line) => line.startsWith("printf ")),
        sample: null,
      });
    if (language === "text" && steps.length > 0) steps.at(-1)!.sample ??= block!;
  }
  return steps;
}

/** Forms that differ from run to run, each with its placeholder. Any other number is a fact, and compared. */
const PLACEHOLDERS: readonly (readonly [RegExp, string])[] = [
  [/0x[0-9a-fA-F]+(?:…[0-9a-fA-F]*)?/g, "HASH"],
  [/\bolg_\S+/g, "KEY"],
  [/\bhttp:\/\/127\.0\.0\.1:\d+/g, "URL"],
  [/: (?:acknowledged|closed|proven|posted|final)\b/g, ": STAGE"],
  [/\b(?:[\d.]+|…) (?:s|ms|min)\b/g, "TIME"],
  [/\b(block|batch|operation|number) \d+/g, "$1 NUMBER"],
  [/\b\d+ (batches|operations|proofs|leaves)\b/g, "COUNT $1"],
  // Which row has which place depends on who labels first; its score does not.
  [/^\s*\d+(?=\s+leaf \d+)/, "ROW"],
  [/\bleaf \d+/g, "leaf ID"],
  [/\b[\d.]+ %/g, "SHARE"],
  [/\b\d+\.\d{3,}\b/g, "MEASURED"],
  [/\b\d+: \d{3,}\b/g, "DRAW: SCORE"],
];

/** A line with placeholders for what differs from run to run, and one blank for several. */
export function withPlaceholders(line: string): string {
  const masked = PLACEHOLDERS.reduce((text, [form, name]) => text.replaceAll(global(form), name), line);
  return masked.trim().replaceAll(/\s+/g, " ");
}
const global = (form: RegExp) => (form.global ? form : new RegExp(form.source, `${form.flags}g`));

/** Progress of a wait, which a quick machine does not print. */
const isProgress = (line: string) => /^(?:acknowledged|closed|proven), waiting for /.test(line);

/** The message of a line of a log, which is JSON with the field `msg`; any other line as it is. */
function messageOf(line: string): string {
  try {
    const json: unknown = JSON.parse(line);
    const { msg } = (json ?? {}) as { readonly msg?: unknown };
    return typeof msg === "string" ? msg : line;
  } catch {
    return line;
  }
}

/**
 * Lines of a sample that were not printed in this order. Of lines of a log their messages count. "…" at the end of a line stands for its rest, on a line of its own for
 * any lines.
 */
export function missingLines(sample: string, printed: string): string[] {
  const lines = printed.split("\n").map((line) => withPlaceholders(messageOf(line)));
  let from = 0;
  let last = "";
  return sample.split("\n").filter((line) => {
    const expected = withPlaceholders(line);
    if (expected === "" || expected === "…" || expected === last || isProgress(expected)) return false;
    last = expected;
    const isLike = expected.endsWith("…")
      ? (one: string) => one.startsWith(expected.slice(0, -1).trim())
      : (one: string) => one === expected;
    const at = lines.findIndex((one, i) => i >= from && isLike(one));
    if (at < 0) return true;
    from = at + 1;
    return false;
  });
}
