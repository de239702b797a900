/**
 * Search of a row's text for what looks like a secret or a personal number: keys, passwords, cards, IBANs, addresses.
 * preview.ts warns contributors with it before they sign. It is a hint, no proof: the search misses what has no form, and it
 * finds examples of manuals. Card numbers by Luhn's sum (ISO/IEC 7812), IBANs by ISO 7064's mod 97.
 */

export interface SecretFinding {
  readonly kind: "private-key" | "api-key" | "password" | "card" | "iban" | "email" | "phone";
  /** Start of the passage, in UTF-16 code units of the text. */
  readonly from: number;
  readonly to: number;
}

interface Pattern {
  readonly kind: SecretFinding["kind"];
  readonly form: RegExp;
  readonly isMeant?: (found: string) => boolean;
}

const PATTERNS: readonly Pattern[] = [
  { kind: "private-key", form: /-----BEGIN (?:[A-Z]{2,10} ){0,2}PRIVATE KEY-----/g },
  {
    kind: "private-key",
    form: /\b(?:private|secret)[ _-]?key["']?\s{0,4}[:=]\s{0,4}["']?(?:0x)?[0-9a-fA-F]{64}\b/gi,
  },
  { kind: "api-key", form: /\bAKIA[0-9A-Z]{16}\b/g },
  { kind: "api-key", form: /\bgh[pousr]_[A-Za-z0-9]{36,255}\b/g },
  { kind: "api-key", form: /\bxox[abprs]-[A-Za-z0-9-]{10,200}/g },
  { kind: "api-key", form: /\bAIza[0-9A-Za-z_-]{35}\b/g },
  { kind: "api-key", form: /\b[rs]k_live_[0-9A-Za-z]{16,200}\b/g },
  { kind: "api-key", form: /\bsk-[A-Za-z0-9_-]{20,200}\b/g },
  {
    kind: "api-key",
    form: /\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,2000}\b/g,
  },
  {
    kind: "password",
    form: /\b(?:password|passwd|api[_-]?key|access[_-]?token|client[_-]?secret)["']?\s{0,4}[:=]\s{0,4}["']?[^\s"',;]{8,200}/gi,
  },
  { kind: "card", form: /\b[2-6]\d{3}(?:[ -]?\d){9,15}\b/g, isMeant: isCardNumber },
  { kind: "iban", form: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b/g, isMeant: isIban },
  { kind: "email", form: /\b[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,24}\b/g },
  { kind: "phone", form: /\+\d{1,3}(?:[ ().-]{0,2}\d){7,12}\b/g },
];

/** Finds passages in the order of the text. Of two that overlap, the one that begins first wins; of two that begin together, the longer one. */
export function findSecrets(text: string): SecretFinding[] {
  const all = PATTERNS.flatMap(({ form, isMeant, kind }) =>
    [...text.matchAll(form)].flatMap(({ 0: found, index }) =>
      isMeant?.(found) === false ? [] : [{ kind, from: index, to: index + found.length }],
    ),
  ).sort((a, b) => a.from - b.from || b.to - a.to);
  // In one pass: a row that is nothing but addresses must not keep a host's check busy.
  let end = 0;
  return all.filter(({ from, to }) => {
    const isFree = end <= from;
    end = Math.max(end, to);
    return isFree;
  });
}

function isCardNumber(found: string): boolean {
  const digits = found.replace(/\D/g, "");
  if (digits.length < 13 || digits.length > 19) return false;
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 1 ? 2 * digit : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

function isIban(found: string): boolean {
  const text = found.replaceAll(" ", "");
  if (text.length < 15 || text.length > 34) return false;
  let rest = 0;
  for (const character of text.slice(4) + text.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}
