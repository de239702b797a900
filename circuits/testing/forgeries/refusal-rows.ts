/** Record of the constraints that refuse a forgery. Tests report it to `scripts/refusals.ts`. */
export interface Refusal {
  /** The test's file, from the repository's root. */
  readonly file: string;
  /** Description of the forgery. */
  readonly forgery: string;
  /** Refusing statement with its template: the group of constraints that no witness satisfies. */
  readonly statement: string;
}

/** Row of the Markdown table of refusals. */
export function refusalRow({ forgery, statement }: Refusal): string {
  const [template, ...rest] = statement.split(": ");
  const cell = (text: string) => text.replaceAll("|", "\\|");
  return `| ${cell(forgery)} | ${template} | \`${cell(rest.join(": "))}\` |`;
}
