/** Word of the glossary with its tooltip, for all pages: `<Term name="batch">`. */
import dictionary from "virtual:dictionary";
import type { ComponentChildren } from "preact";
import { Explained } from "../design/term.tsx";

/** Every word of docs/reference/glossary.md with its meaning, as a sentence. */
export const glossary: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(dictionary).map(([word, meaning]) => [word, asSentence(meaning)]),
);

function asSentence(meaning: string): string {
  return `${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}${meaning.endsWith(".") ? "" : "."}`;
}

/** A word of the glossary with its meaning. The name is the word as the glossary has it; the text may bend it. */
export function Term({ name, children }: { name: string; children?: ComponentChildren }) {
  const meaning = glossary[name];
  if (meaning === undefined) throw new Error(`the glossary has no "${name}"`);
  return <Explained meaning={meaning}>{children ?? name}</Explained>;
}
