/**
 * Terms files: what machines may do with rows, in the words of RSL 1.0 and of IETF AIPREF. A card has the file, and its licence
 * names the file's SHA-256 as LicenseRef-terms-HASH, alone or beside a listed licence.
 *
 * RSL 1.0 (https://rslstandard.org/rsl, 3.4 and 3.7): usages, users and types of payment; prohibits goes before permits.
 * AIPREF (draft-ietf-aipref-vocab-08, 4 and 6; draft-ietf-aipref-attach-05): `train-ai`, `ai-use`, `search`, each y or n.
 * Both say what is allowed, not who enforces it.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { isWellFormed } from "@openledger/foundation/utf8";
import { z } from "zod";
import { canonicalJson } from "./canonical-json.ts";

const TERMS_FORMAT = "openledger-terms-1";
/** Maximum length of a file's text, in characters. */
const MAX_TERMS_LENGTH = 8_192;

const RSL_USAGES = ["all", "ai-all", "ai-train", "ai-input", "ai-index", "search"] as const;
const RSL_USERS = ["commercial", "non-commercial", "education", "government", "personal"] as const;
const RSL_PAYMENTS = [
  "purchase",
  "subscription",
  "training",
  "crawl",
  "use",
  "contribution",
  "attribution",
  "free",
] as const;
type RslUsage = (typeof RSL_USAGES)[number];
type RslUser = (typeof RSL_USERS)[number];
type RslPayment = (typeof RSL_PAYMENTS)[number];

/** RSL 3.4.1: a usage and those that it comprises. */
const COMPRISES: Partial<Record<RslUsage, readonly RslUsage[]>> = {
  all: ["ai-all", "ai-train", "ai-input", "ai-index", "search"],
  "ai-all": ["ai-train", "ai-input", "ai-index"],
};

const distinct = (words: readonly string[]) => new Set(words).size === words.length;
const wordsSchema = z.strictObject({
  usage: z.array(z.enum(RSL_USAGES)).min(1).refine(distinct, "has a word twice").optional(),
  user: z.array(z.enum(RSL_USERS)).min(1).refine(distinct, "has a word twice").optional(),
});
const preference = z.enum(["y", "n"]).optional();

/** Statements of a file about usages. */
interface UsageWords {
  readonly aipref?: Partial<Record<"train-ai" | "ai-use" | "search", "y" | "n" | undefined>> | undefined;
  readonly permits?: { readonly usage?: readonly RslUsage[] | undefined } | undefined;
  readonly prohibits?: { readonly usage?: readonly RslUsage[] | undefined } | undefined;
}

export const termsFileSchema = z
  .strictObject({
    format: z.literal(TERMS_FORMAT),
    /** The terms in words for people. Machines do not read them. */
    about: z.string().min(1).max(4_000).refine(isWellFormed, "has half of a surrogate pair"),
    permits: wordsSchema.optional(),
    prohibits: wordsSchema.optional(),
    /** Absent: RSL's default, free. */
    payment: z.strictObject({ type: z.enum(RSL_PAYMENTS) }).optional(),
    /** AIPREF's preferences; absent ones are unknown. */
    aipref: z.strictObject({ "train-ai": preference, "ai-use": preference, search: preference }).optional(),
  })
  .refine((file) => allowsUsage(file, "ai-train") !== null, "does not say whether machines may be trained");
export type TermsFile = z.output<typeof termsFileSchema>;

export interface NamedTerms {
  readonly file: TermsFile;
  /** Canonical JSON. */
  readonly text: string;
  /** SHA-256 of the text, as an SPDX expression names it. */
  readonly licence: `LicenseRef-terms-${string}`;
}

const OWN_PREFIX = "terms-";

/** @throws SRV_BAD_REQUEST for a text that has no canonical form */
export function nameTerms(file: TermsFile): NamedTerms {
  const text = canonicalJson(file);
  return { file, text, licence: `LicenseRef-${OWN_PREFIX}${hashOf(text)}` };
}

/** Returns the file of a text whose hash LicenseRef-NAME names; null if the text is another one, or no terms file. */
export function readNamedTerms(name: string, text: string | undefined): TermsFile | null {
  if (text === undefined || text.length > MAX_TERMS_LENGTH || name !== `${OWN_PREFIX}${hashOf(text)}`)
    return null;
  try {
    return termsFileSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** True for the name of a terms file, of which LicenseRef-NAME has the hash. */
export const isTermsName = (name: string): boolean => /^terms-[0-9a-f]{64}$/.test(name);

const hashOf = (text: string) => bytesToHex(sha256(new TextEncoder().encode(text)));

/** Preference of AIPREF about a usage of RSL: training, and input of a trained model. */
const PREFERENCE_OF: Partial<Record<RslUsage, "train-ai" | "ai-use" | "search">> = {
  "ai-train": "train-ai",
  "ai-input": "ai-use",
  search: "search",
};

/**
 * Returns true if a file allows a usage, false if it does not, null if it says nothing. The most restrictive word holds
 * (AIPREF 5.1; RSL 3.4: prohibits before permits); a usage that is missing in `permits.usage` is not permitted.
 */
export function allowsUsage({ aipref, permits, prohibits }: UsageWords, usage: RslUsage): boolean | null {
  const covers = (words: readonly RslUsage[]) =>
    words.some((word) => word === usage || COMPRISES[word]?.includes(usage) === true);
  const key = PREFERENCE_OF[usage];
  const preferred = key === undefined ? undefined : aipref?.[key];
  if (covers(prohibits?.usage ?? []) || preferred === "n") return false;
  if (permits?.usage !== undefined) return covers(permits.usage);
  return preferred === "y" ? true : null;
}

/** Returns true if one of these kinds of users may use the rows. */
export function allowsUser({ permits, prohibits }: TermsFile, users: readonly RslUser[]): boolean {
  return users.some(
    (user) =>
      prohibits?.user?.includes(user) !== true &&
      (permits?.user === undefined || permits.user.includes(user)),
  );
}

export const paymentOf = ({ payment }: TermsFile): RslPayment => payment?.type ?? "free";
