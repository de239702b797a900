/**
 * Protects readers from strangers' texts that deceive: splits a text so that hidden and direction-changing characters (Unicode
 * UAX #9) are shown by name.
 */

interface ShownPart {
  readonly text: string;
  /** The name of a character that is not shown as itself. */
  readonly isHidden: boolean;
}

/**
 * Characters that show nothing, or turn round what follows (UAX #9): controls but tab and line ends, formats, half
 * surrogates. Joiners within a word or an emoji are what they are for.
 */
const HIDDEN =
  /(?![\t\n\r])(?!(?<=[\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}])(?:\u200c|\u200d)(?=[\p{L}\p{Extended_Pictographic}]))[\p{Cc}\p{Cf}\p{Cs}]/gu;
/** Flags of England, Scotland and Wales: a black flag with its letters as tags (RGI_Emoji_Tag_Sequence). */
const TAGGED_FLAG =
  /\u{1f3f4}\u{e0067}\u{e0062}(?:\u{e0065}\u{e006e}\u{e0067}|\u{e0073}\u{e0063}\u{e0074}|\u{e0077}\u{e006c}\u{e0073})\u{e007f}/u;
const HIDDEN_OR_FLAG = new RegExp(`${TAGGED_FLAG.source}|${HIDDEN.source}`, "gu");
/** Marks upon marks upon a letter reach into the lines above and below. */
const PILED = /(\p{M}{4})\p{M}+/gu;

/** Text as parts that a reader sees, and names of characters that are not seen. */
export function shownParts(text: string): ShownPart[] {
  const parts: ShownPart[] = [];
  const tame = text.replace(PILED, "$1…");
  let from = 0;
  for (const match of tame.matchAll(HIDDEN_OR_FLAG)) {
    if (TAGGED_FLAG.test(match[0])) continue;
    if (match.index > from) parts.push({ text: tame.slice(from, match.index), isHidden: false });
    const code = match[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
    parts.push({ text: `U+${code}`, isHidden: true });
    from = match.index + match[0].length;
  }
  if (from < tame.length || parts.length === 0) parts.push({ text: tame.slice(from), isHidden: false });
  return parts;
}

/** Same parts as plain text, as in a label: names of hidden characters in brackets. */
export const shownWords = (text: string): string =>
  shownParts(text)
    .map((part) => (part.isHidden ? `[${part.text}]` : part.text))
    .join("");
